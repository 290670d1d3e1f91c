import type { Sequences, TwinClient } from '../twin-client.ts';
import { idFilters, likeFilters, MALFORMED, notIdFilters, notTextFilters, PAGES, textFilters } from './cases.ts';

/** Three artifacts of two keys, one without a key, of a flow run and a task run. */
async function makeArtifacts(api: TwinClient) {
  const prefix = api.name('art');
  const keys = [`${prefix}-a`, `${prefix}-b`];
  const flow = await api.post('/flows/', { name: prefix, tags: [prefix] });
  const run = await api.post('/flow_runs/', { flow_id: flow.id, name: prefix, state: { type: 'RUNNING' } });
  const task = await api.post('/task_runs/', { flow_run_id: run.id, task_key: 'k', dynamic_key: '0', name: prefix });
  const artifacts = await api.each('POST', '/artifacts/', [
    { key: keys[0], type: 'markdown', data: '# one', flow_run_id: run.id },
    { key: keys[0], type: 'markdown', data: '# two', flow_run_id: run.id, task_run_id: task.id },
    { key: keys[1], type: 'table', data: '[]', task_run_id: task.id },
    { type: 'progress', data: 0.5, flow_run_id: run.id },
  ]);
  return { prefix, keys, run, task, artifacts, flow };
}

const LISTS = ['/artifacts/filter', '/artifacts/count', '/artifacts/latest/filter', '/artifacts/latest/count'];

export const artifacts: Sequences = {
  'create, read, change, delete': async (api) => {
    const key = api.name();
    const first = await api.post('/artifacts/', { key, type: 'markdown', description: 'text', data: { a: [1, null] }, metadata_: { m: 'x' } });
    await api.get(`/artifacts/${key}/latest`);
    const second = await api.post('/artifacts/', { key, data: 'newer' });
    await api.eachPath('GET', [`/artifacts/${first.id}`, `/artifacts/${second.id}`, `/artifacts/${key}/latest`, `/artifacts/${api.id()}`, '/artifacts/x', '/artifacts/unknown/latest']);
    await api.each('PATCH', `/artifacts/${second.id}`, [
      { data: { b: 2 } },
      { description: 'new', metadata_: { k: 'v' } },
      {},
      { data: null },
      { description: null },
      { metadata_: null },
      { metadata_: { k: 1 } },
      { metadata_: 'x' },
      { key: 'other' },
      { type: 'x' },
      { description: 1 },
      null,
      undefined,
      ...MALFORMED,
    ]);
    await api.eachPath('GET', [`/artifacts/${second.id}`, `/artifacts/${key}/latest`]);
    await api.patch(`/artifacts/${first.id}`, { data: 'older changed' });
    await api.eachPath('GET', [`/artifacts/${first.id}`, `/artifacts/${key}/latest`]);
    await api.eachPath('PATCH', [`/artifacts/${api.id()}`, '/artifacts/x'], { data: 1 });
    await api.delete(`/artifacts/${second.id}`);
    await api.get(`/artifacts/${key}/latest`);
    await api.eachPath('DELETE', [`/artifacts/${second.id}`, `/artifacts/${first.id}`, `/artifacts/${api.id()}`, '/artifacts/x']);
    await api.get(`/artifacts/${key}/latest`);
  },

  'what an artifact may be': async (api) => {
    const key = () => api.name();
    await api.each('POST', '/artifacts/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      ...['', 'Upper', 'a b', 'a_b', 'a/b', 'ü', 1, null, []].map((bad) => ({ key: bad })),
      ...[null, true, 0, 1.5, 'text', [], {}, { deep: [{ er: null }] }].map((data) => ({ key: key(), data })),
      `{"key":"${key()}","data":[1.0,12345678901234567890,-0.0,1E5]}`,
      ...[null, {}, { a: 'b' }, { a: 1 }, { a: null }, { a: { b: 1 } }, [], 'x', { long: 'x'.repeat(501) }, { long: 'x'.repeat(500) }].map((metadata_) => ({ key: key(), metadata_ })),
      ...['type', 'description', 'flow_run_id', 'task_run_id'].map((field) => ({ key: key(), [field]: null })),
      ...['flow_run_id', 'task_run_id'].map((field) => ({ key: key(), [field]: 'x' })),
      { key: key(), flow_run_id: api.id(), task_run_id: api.id() },
      { key: key(), type: 1 },
      { key: key(), description: 'x'.repeat(2000) },
      { key: key(), id: api.id() },
      { key: key(), unknown: 1 },
    ]);
  },

  'sort and page': async (api) => {
    const prefix = api.name('art');
    await api.each('POST', '/artifacts/', ['b', 'a', 'c'].map((letter) => ({ key: `${prefix}-${letter}`, data: letter })));
    const artifacts = { key: { like_: prefix } };
    const lists = ['/artifacts/filter', '/artifacts/latest/filter'];
    for (const sort of ['CREATED_DESC', 'UPDATED_DESC', 'KEY_DESC', 'KEY_ASC', 'NAME_ASC', 1]) await api.eachPath('POST', lists, { artifacts, sort });
    // By id, which is a matter of chance.
    for (const sort of ['ID_DESC', undefined, null]) await api.eachPath('POST', lists, { artifacts, sort }, { unordered: true });
    for (const path of lists) await api.each('POST', path, PAGES.map((page) => ({ artifacts, sort: 'KEY_ASC', ...page })));
    for (const path of LISTS) await api.each('POST', path, [...MALFORMED.slice(1), { artifacts, sort: 'KEY_ASC', unknown: 1 }, { artifacts: 'x' }, { artifacts: [] }]);
  },

  'filter by every operator': async (api) => {
    const { prefix, keys, run, task, artifacts: made, flow } = await makeArtifacts(api);
    const ids = made.map(({ id }) => id);
    const own = { key: { like_: prefix } };
    const filters = [
      ...[...idFilters(ids.slice(1, 3)), ...notIdFilters(ids.slice(1, 3))].map((id) => ({ ...own, id })),
      ...idFilters(ids.slice(1, 3)).map((latest_id) => ({ ...own, latest_id })),
      ...textFilters(keys).map((key) => ({ key, flow_run_id: { any_: [run.id] } })),
      ...likeFilters(prefix).map((key) => ({ key, flow_run_id: { any_: [run.id] } })),
      ...[true, false, null].map((exists_) => ({ key: { exists_ }, flow_run_id: { any_: [run.id] } })),
      ...[...idFilters([run.id]), ...notIdFilters([run.id])].map((flow_run_id) => ({ ...own, flow_run_id })),
      ...[...idFilters([task.id]), ...notIdFilters([task.id])].map((task_run_id) => ({ ...own, task_run_id })),
      ...[...textFilters(['markdown', 'table']), ...notTextFilters(['markdown', 'table'])].map((type) => ({ ...own, type })),
      { type: { any_: ['progress'] }, flow_run_id: { any_: [run.id] } },
      { ...own, operator: 'or_', type: { any_: ['none'] } },
      { ...own, operator: 'xor_' },
      { ...own, unknown: 1 },
    ];
    for (const path of LISTS) await api.each('POST', path, filters.map((artifacts) => ({ artifacts })), { unordered: true });
    const related = [
      { flows: { id: { any_: [flow.id] } } },
      { flow_runs: { id: { any_: [run.id] } } },
      { task_runs: { id: { any_: [task.id] } } },
      { task_runs: { name: { any_: [prefix] } }, flows: { name: { any_: ['none'] } } },
      { deployments: { name: { any_: ['none'] } } },
      { flow_runs: { id: { any_: [api.id()] } } },
      { flow_runs: null },
      { flow_runs: 'x' },
    ].map((filter) => ({ artifacts: { operator: 'or_', key: { like_: prefix }, flow_run_id: { any_: [run.id] } }, ...filter }));
    for (const path of LISTS) await api.each('POST', path, related, { unordered: true });
  },
};
