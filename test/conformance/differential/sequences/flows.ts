import type { Sequences, TwinClient } from '../twin-client.ts';
import { idFilters, likeFilters, MALFORMED, notIdFilters, NUMBERED_PAGES, nullFilters, PAGES, tagsFilters, textFilters } from './cases.ts';

/** Four flows, the second with two runs and the third with a deployment. */
async function makeFlows(api: TwinClient) {
  const tag = api.name('flow');
  const names = ['a', 'b', 'c', 'D'].map((letter) => `${tag}-${letter}`);
  const flows = await api.each('POST', '/flows/', names.map((name, index) => ({ name, tags: index === 3 ? [] : index % 2 ? [tag] : [tag, 'even'], labels: { index } })));
  for (const type of ['COMPLETED', 'RUNNING']) await api.post('/flow_runs/', { flow_id: flows[1].id, name: `${tag}-run`, state: { type } });
  const deployment = await api.post('/deployments/', { flow_id: flows[2].id, name: `${tag}-deployment`, tags: [tag] });
  return { tag, names, flows, deployment, own: { name: { like_: tag } } };
}

export const flows: Sequences = {
  'create, read, change, delete': async (api) => {
    const name = api.name();
    const flow = await api.post('/flows/', { name, tags: ['b', 'a', 'b'], labels: { key: 'value', number: 1, float: 1.5, yes: true } });
    await api.each('POST', '/flows/', [{ name }, { name, tags: ['other'] }]);
    await api.eachPath('GET', [`/flows/${flow.id}`, `/flows/${flow.id.toUpperCase()}`, `/flows/${flow.id.replaceAll('-', '')}`, `/flows/name/${name}`, `/flows/${api.id()}`, '/flows/name/unknown', '/flows/no-uuid', `/flows/${flow.id}x`]);
    await api.each('PATCH', `/flows/${flow.id}`, [{ tags: ['c'] }, {}, { tags: null }, { tags: 'x' }, { tags: [1] }, { tags: [null] }, { name: 'other' }, { labels: {} }, null, undefined, ...MALFORMED]);
    await api.get(`/flows/${flow.id}`);
    await api.eachPath('PATCH', [`/flows/${api.id()}`, '/flows/no-uuid'], { tags: [] });
    await api.eachPath('DELETE', [`/flows/${flow.id}`, `/flows/${flow.id}`, `/flows/${api.id()}`, '/flows/no-uuid']);
    await api.get(`/flows/name/${name}`);
  },

  'what a flow may be': async (api) => {
    const name = () => api.name();
    await api.each('POST', '/flows/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      ...['', ' ', 'a/b', 'a%b', 'a&b', 'a<b', 'a>b', 'a\nb', null, 1, [], {}].map((bad) => ({ name: bad })),
      ...['ünïcödé ☃ 𝄞', 'a b', "it's", 'a"b', 'x'.repeat(300)].map((good) => ({ name: `${good} ${api.name()}` })),
      ...[null, 'a', 1, {}, [1], [null], [['a']], [], ['', 'ü', 'a'.repeat(1000)]].map((tags) => ({ name: name(), tags })),
      ...[null, 'a', 1, [], {}, { a: null }, { a: [] }, { a: {} }, { a: 1.0, b: 1e30, c: 12345678901234567890n.toString(), d: true, '': '' }].map((labels) => ({ name: name(), labels })),
      `{"name":"${name()}","labels":{"float":1.0,"big":12345678901234567890,"tiny":1e-7}}`,
      { name: name(), id: api.id() },
      { name: name(), unknown: 1, created: api.time() },
      `{"name":"${name()}","name":"${name()}"}`,
    ]);
    await api.eachPath('GET', ['/flows/name/a%20b', '/flows/name/', '/flows/name/a/b', '/flows/name/a%2Fb']);
  },

  'sort and page': async (api) => {
    const { own: flows } = await makeFlows(api);
    for (const sort of ['CREATED_DESC', 'UPDATED_DESC', 'NAME_ASC', 'NAME_DESC', 'ID_DESC', 'name_asc', 1, null]) await api.eachPath('POST', ['/flows/filter', '/flows/paginate'], { flows, sort });
    await api.each('POST', '/flows/filter', PAGES.map((page) => ({ flows, ...page })));
    await api.each('POST', '/flows/paginate', NUMBERED_PAGES.map((page) => ({ flows, ...page })));
    for (const path of ['/flows/filter', '/flows/paginate', '/flows/count']) await api.each('POST', path, [...MALFORMED.slice(1), { flows, unknown: 1 }, { flows: 'x' }, { flows: [] }, { limit: 'x', flows: { unknown: 1 } }]);
  },

  'filter by every operator': async (api) => {
    const { tag, names, flows, own } = await makeFlows(api);
    const ids = flows.map(({ id }) => id);
    const filters = [
      ...idFilters(ids.slice(1, 3)).map((id) => ({ id })),
      ...notIdFilters(ids.slice(1, 3)).map((id) => ({ id })),
      ...textFilters(names.slice(0, 2)).map((name) => ({ name, tags: { all_: [tag] } })),
      ...likeFilters(`${tag}-`).map((name) => ({ name, tags: { all_: [tag] } })),
      ...tagsFilters([tag, 'even']).map((tags) => ({ tags })),
      ...nullFilters([]).map((deployment) => ({ deployment })),
      { operator: 'or_', id: { any_: [ids[0]] }, name: { any_: [names[1]] } },
      { operator: 'or_' },
      { operator: 'xor_' },
      { operator: null },
      { unknown: 1 },
      { created: { before_: api.time() } },
    ].map((filter) => ({ ...own, ...filter }));
    for (const path of ['/flows/filter', '/flows/count']) await api.each('POST', path, filters.map((flows) => ({ flows })));
  },

  'filter by what belongs to a flow': async (api) => {
    const { tag, deployment, own: flows } = await makeFlows(api);
    const bodies = [
      { flow_runs: { name: { any_: [`${tag}-run`] } } },
      { flow_runs: { state: { type: { any_: ['FAILED'] } } } },
      { flow_runs: {} },
      { flow_runs: null },
      { flow_runs: { unknown: 1 } },
      { task_runs: { name: { any_: ['x'] } } },
      { task_runs: {} },
      { deployments: { id: { any_: [deployment.id] } } },
      { deployments: { tags: { all_: [tag] } } },
      { deployments: { name: { like_: 'nothing' } } },
      { deployments: {} },
      { work_pools: { name: { any_: ['nothing'] } } },
      { work_pools: {} },
      { work_pools: { type: 1 } },
    ].map((body) => ({ flows, ...body }));
    for (const path of ['/flows/filter', '/flows/count', '/flows/paginate']) await api.each('POST', path, bodies);
  },

  'bulk delete': async (api) => {
    const { flows, own } = await makeFlows(api);
    await api.each('POST', '/flows/bulk_delete', [...MALFORMED.slice(1), ...[0, 51, -1, 'x', 1.5].map((limit) => ({ flows: own, limit })), { flows: 'x' }, { flows: { unknown: 1 } }]);
    await api.post('/flows/bulk_delete', { flows: { id: { any_: [flows[0].id, api.id()] } } });
    await api.post('/flows/bulk_delete', { flows: own, limit: 2 }, { unordered: true });
    await api.post('/flows/bulk_delete', { flows: own }, { unordered: true });
    await api.post('/flows/bulk_delete', { flows: own });
    await api.post('/flows/count', { flows: own });
  },
};
