import type { Sequences } from '../twin-client.ts';
import { MALFORMED, PAGES } from './cases.ts';

const filter = { object: 'flow_run', property: 'name', type: 'string', operation: 'equals', value: 'x' };

export const savedSearches: Sequences = {
  'create, replace, read, delete': async (api) => {
    const name = api.name();
    const search = await api.put('/saved_searches/', { name, filters: [filter] });
    await api.each('PUT', '/saved_searches/', [{ name, filters: [filter, { ...filter, value: { deep: [1.5, null] } }] }, { name }]);
    await api.eachPath('GET', [`/saved_searches/${search.id}`, `/saved_searches/${api.id()}`, '/saved_searches/x']);
    await api.eachPath('DELETE', [`/saved_searches/${search.id}`, `/saved_searches/${search.id}`, '/saved_searches/x']);
    await api.each('POST', '/saved_searches/filter', [...PAGES.filter((page) => !('offset' in page)).map((page) => ({ offset: 100_000, ...page })), ...MALFORMED.slice(1)]);
  },

  'what a saved search may be': async (api) => {
    const name = () => api.name();
    await api.each('PUT', '/saved_searches/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      { name: `${name()} a/b ü` },
      ...[1, null, []].map((bad) => ({ name: bad })),
      ...[null, 'x', {}, [{}], [null], ['x']].map((filters) => ({ name: name(), filters })),
      ...Object.keys(filter).flatMap((field) => [{ ...filter, [field]: undefined }, { ...filter, [field]: null }, { ...filter, [field]: 1 }]).map((one) => ({ name: name(), filters: [one] })),
      { name: name(), filters: [{ ...filter, unknown: 1 }] },
      { name: name(), unknown: 1 },
      { name: name(), id: api.id() },
    ]);
    await api.each('POST', '/saved_searches/', [{ name: name() }]);
  },
};
