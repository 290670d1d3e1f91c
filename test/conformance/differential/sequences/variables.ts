import type { Sequences } from '../twin-client.ts';

/** What every list of variables is asked with: only the sequence's own. */
const own = (tag: string) => ({ tags: { all_: [tag] } });

export const variables: Sequences = {
  'create, read, change, delete': async (api) => {
    const name = api.name();
    const created = await api.post('/variables/', { name, value: 'one', tags: ['a', 'b'] });
    await api.post('/variables/', { name, value: 'two' });
    await api.eachPath('GET', [`/variables/${created.id}`, `/variables/name/${name}`, `/variables/${api.id()}`, '/variables/name/unknown', '/variables/no-uuid']);
    await api.each('PATCH', `/variables/${created.id}`, [{ value: 2 }, { tags: [] }, {}, { name: `${name}-x` }, { name: null }, { value: null }, { tags: null }, { id: created.id }, [], undefined]);
    await api.get(`/variables/${created.id}`);
    await api.patch(`/variables/name/${name}-x`, { name });
    await api.patch(`/variables/name/unknown`, { name });
    await api.eachPath('DELETE', [`/variables/name/${name}-x`, `/variables/name/${name}`, `/variables/${created.id}`, `/variables/${api.id()}`, '/variables/no-uuid']);
  },

  'what a variable may be': async (api) => {
    const name = () => api.name();
    await api.each('POST', '/variables/', [
      {},
      [],
      null,
      'null',
      '',
      '{"name":',
      `{"name":"${name()}","value":NaN}`,
      { name: name() },
      { value: 1 },
      ...[null, true, 0, 1.5, 'text', 'ünïcödé ☃ 𝄞', [], {}, { deep: [{ er: null }] }].map((value) => ({ name: name(), value })),
      `{"name":"${name()}","value":[1.0,1e400,12345678901234567890,-0,-0.0,1E5,0.1]}`,
      ...['Upper', 'a b', 'a/b', 'ü', 'x'.repeat(256)].map((bad) => ({ name: bad, value: 1 })),
      { name: `${name()}_${'x'.repeat(239)}`, value: 1 },
      { name: 1, value: 1 },
      { name: null, value: 1 },
      { name: name(), value: 1, tags: null },
      { name: name(), value: 1, tags: 'a' },
      { name: name(), value: 1, tags: [1, null] },
      { name: name(), value: 1, tags: ['a', 'a'] },
      { name: name(), value: 1, unknown: 1, another: 2 },
      { name: name(), value: 'x'.repeat(4998) },
      { name: name(), value: 'x'.repeat(5000) },
    ]);
  },

  'filter, sort, page, count': async (api) => {
    const tag = api.name();
    const names = ['a', 'b', 'c', 'd'].map((letter) => `${tag}-${letter}`);
    for (const [index, name] of names.entries()) await api.post('/variables/', { name, value: index, tags: index % 2 ? [tag] : [tag, 'even'] });
    const [first, second] = await api.post('/variables/filter', { variables: own(tag) });
    for (const sort of ['CREATED_DESC', 'UPDATED_DESC', 'NAME_DESC', 'NAME_ASC', 'ID_DESC', null, 1]) await api.post('/variables/filter', { variables: own(tag), sort });
    for (const page of [{ limit: 2 }, { limit: 0 }, { limit: 201 }, { limit: 200 }, { limit: -1 }, { limit: '2' }, { limit: null }, { offset: 1 }, { offset: -1 }, { offset: null }, { limit: 1.5 }, { offset: 100 }])
      await api.post('/variables/filter', { variables: own(tag), ...page });
    const filters = [
      { id: { any_: [first.id, api.id()] } },
      { id: { any_: [] } },
      { id: { any_: null } },
      { id: { any_: ['x'] } },
      { id: null },
      { id: {} },
      { id: { none_: [] } },
      { name: { any_: [second.name] } },
      { name: { any_: [] } },
      { name: { like_: `${tag.slice(2)}-` } },
      { name: { like_: `${tag.toUpperCase()}-A` } },
      { name: { like_: '%' } },
      { tags: { all_: [tag, 'even'] } },
      { tags: { all_: [] }, name: { like_: tag } },
      { tags: { is_null_: true }, name: { like_: tag } },
      { tags: { is_null_: false }, name: { like_: tag } },
      { tags: { any_: ['even'] }, name: { like_: tag } },
      { operator: 'or_', id: { any_: [first.id] }, name: { any_: [second.name] } },
      { operator: 'xor_' },
      { unknown: 1, name: { like_: tag } },
      { value: { any_: [1] } },
    ].map((filter) => ({ ...own(tag), ...filter }));
    for (const path of ['/variables/filter', '/variables/count']) await api.each('POST', path, [...filters.map((variables) => ({ variables })), { unknown: 1, variables: own(tag) }]);
    await api.each('POST', '/variables/count', [[], '{', { variables: [] }, { variables: 'x' }]);
    await api.each('POST', '/variables/filter', [[], '{', { variables: [] }, { variables: 'x' }, { sort: {} }]);
  },
};
