import type { Sequences, TwinClient } from '../twin-client.ts';
import { idFilters, likeFilters, MALFORMED, NUMBERED_PAGES, nullFilters, PAGES, tagsFilters, textFilters, timeFilters } from './cases.ts';
import { makeFlow } from './flow-runs.ts';

const LATER = '2037-06-01T12:00:00Z';
const TYPES = ['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING'];

async function makeFlowRun(api: TwinClient, type = 'RUNNING') {
  const flow = await makeFlow(api);
  return await api.post('/flow_runs/', { flow_id: flow.id, name: 'n', state: { type } });
}

/** Four task runs of one flow run, in as many ways different as the filters ask for. */
async function makeTaskRuns(api: TwinClient) {
  const { id: flow_run_id, flow_id } = await makeFlowRun(api);
  const name = api.name('task');
  const runs = await api.each('POST', '/task_runs/', [
    { flow_run_id, task_key: name, dynamic_key: '0', name: `${name}-a`, tags: ['t', 'u'], state: { type: 'RUNNING' } },
    { flow_run_id, task_key: name, dynamic_key: '1', name: `${name}-b`, tags: ['t'], state: { type: 'COMPLETED', name: 'Fine' } },
    { flow_run_id, task_key: name, dynamic_key: '2', name: `${name}-c`, state: { type: 'SCHEDULED', state_details: { scheduled_time: LATER } } },
    { flow_run_id, task_key: name, dynamic_key: '3', name: `${name}-d`, tags: ['v'] },
  ]);
  await api.post('/flow_runs/', { flow_id, parent_task_run_id: runs[3].id, name: `${name}-child` });
  return { name, flow_run_id, flow_id, runs, ids: runs.map(({ id }): string => id), own: { flow_runs: { id: { any_: [flow_run_id] } }, sort: 'NAME_ASC' } };
}

export const taskRuns: Sequences = {
  'create, read, change, delete': async (api) => {
    const { id: flow_run_id } = await makeFlowRun(api);
    const run = await api.post('/task_runs/', { flow_run_id, task_key: 'key', dynamic_key: '0' });
    await api.post('/task_runs/', { flow_run_id, task_key: 'key', dynamic_key: '0', name: 'again', state: { type: 'RUNNING' } });
    await api.eachPath('GET', [`/task_runs/${run.id}`, `/task_runs/${api.id()}`, '/task_runs/no-uuid']);
    await api.each('PATCH', `/task_runs/${run.id}`, [{ name: 'renamed' }, {}, { name: 1 }, { tags: [] }, { unknown: 1 }, null, undefined, ...MALFORMED]);
    await api.get(`/task_runs/${run.id}`);
    for (const name of ['', null]) {
      await api.patch(`/task_runs/${run.id}`, { name });
      await api.get(`/task_runs/${run.id}`);
    }
    await api.eachPath('PATCH', [`/task_runs/${api.id()}`, '/task_runs/no-uuid'], { name: 'x' });
    await api.eachPath('DELETE', [`/task_runs/${run.id}`, `/task_runs/${run.id}`, '/task_runs/no-uuid']);
    await api.get(`/task_runs/${run.id}`);
  },

  'what a task run may be': async (api) => {
    const { id: flow_run_id } = await makeFlowRun(api);
    let number = 0;
    const task = (fields: Record<string, unknown>) => ({ flow_run_id, task_key: 'k', dynamic_key: String(number++), ...fields });
    const fields = ['name', 'flow_run_id', 'task_key', 'dynamic_key', 'cache_key', 'cache_expiration', 'task_version', 'empirical_policy', 'tags', 'labels', 'task_inputs', 'state', 'id'];
    await api.each('POST', '/task_runs/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      { task_key: 'k' },
      { dynamic_key: 'k' },
      ...[null, 1, 'x', [], {}, [null]].flatMap((value) => fields.filter((field) => !(field === 'name' && typeof value === 'object') && !(['flow_run_id', 'dynamic_key', 'task_key'].includes(field) && (value === null || value === 'x'))).map((field) => task({ [field]: value }))),
      task({ id: api.id() }),
      task({ flow_run_id: api.id() }),
      { task_key: api.name(), dynamic_key: '0' },
      { task_key: api.name(), dynamic_key: '0', flow_run_id: null },
      task({ name: 'ünïcödé ☃ 𝄞 / %', task_version: 'v', tags: ['a', 'a', ''] }),
      task({ labels: { a: 1, b: true } }),
      task({ cache_key: 'c'.repeat(2000), cache_expiration: LATER }),
      task({ cache_key: 'c'.repeat(2001) }),
      ...[{ a: [{ input_type: 'task_run', id: api.id() }] }, { a: [{ id: api.id() }] }, { a: [{ input_type: 'flow_run', id: api.id() }] }, { a: [{ input_type: 'parameter', name: 'n' }] }, { a: [{ name: 'n' }] }, { a: [{ input_type: 'constant', type: 't' }] }, { a: [{ type: 't' }] }, { a: [] }, { a: [{ input_type: 'other' }] }, { a: [{}] }, { a: {} }, { a: null }].map((task_inputs) => task({ task_inputs })),
      ...[{ retries: 3, retry_delay: 5 }, { retries: '3', retry_delay: [1, 2.5] }, { retry_delay: Array.from({ length: 51 }, () => 1) }, { retry_jitter_factor: 0.5 }, { retry_jitter_factor: -1 }, { max_retries: 2, retry_delay_seconds: 1.5 }, { retries: 'x', retry_delay: 'x', retry_jitter_factor: 'x' }, { retry_delay: '5' }, { retry_delay: 2.5 }, { retry_delay: [] }, { retry_delay: ['x', null] }, { unknown: 1 }].map((empirical_policy) => task({ empirical_policy })),
      task({ unknown: 1 }),
      ...TYPES.map((type) => task({ name: 'n', state: { type } })),
      task({ name: 'n', state: { type: 'COMPLETED', data: { type: 'unpersisted' } } }),
      task({ name: 'n', state: { type: 'SCHEDULED', state_details: { scheduled_time: LATER } } }),
    ]);
    await api.post('/task_runs/count', { flow_runs: { id: { any_: [flow_run_id] } } });
  },

  'sort and page': async (api) => {
    const { own } = await makeTaskRuns(api);
    for (const sort of ['NAME_ASC', 'NAME_DESC', 'EXPECTED_START_TIME_ASC', 'EXPECTED_START_TIME_DESC', 'id_desc', 1]) await api.eachPath('POST', ['/task_runs/filter', '/task_runs/paginate'], { ...own, sort });
    for (const sort of ['ID_DESC', 'NEXT_SCHEDULED_START_TIME_ASC', 'END_TIME_DESC', 'DURATION_ASC', 'DURATION_DESC', null]) await api.eachPath('POST', ['/task_runs/filter', '/task_runs/paginate'], { ...own, sort }, { unordered: true });
    await api.each('POST', '/task_runs/filter', PAGES.map((page) => ({ ...own, ...page })));
    await api.each('POST', '/task_runs/paginate', NUMBERED_PAGES.map((page) => ({ ...own, ...page })));
    for (const path of ['/task_runs/filter', '/task_runs/count', '/task_runs/paginate']) await api.each('POST', path, [...MALFORMED.slice(1), { ...own, unknown: 1 }, { task_runs: 'x' }, { task_runs: [] }, { limit: 'x', task_runs: { unknown: 1 } }]);
  },

  'filter by every operator': async (api) => {
    const { name, ids, own, flow_run_id } = await makeTaskRuns(api);
    const filters = [
      ...idFilters(ids.slice(0, 2)).map((id) => ({ id })),
      ...[...textFilters([`${name}-a`, `${name}-b`]), ...likeFilters(`${name}-`)].map((name) => ({ name })),
      ...tagsFilters(['t', 'u']).map((tags) => ({ tags })),
      ...[{ any_: ['RUNNING', 'PENDING'] }, { any_: [] }, { any_: null }, { any_: ['x'] }, { not_any_: ['RUNNING'] }, {}, null].map((type) => ({ state: { type } })),
      ...textFilters(['Fine', 'Running']).map((name) => ({ state: { name } })),
      { state: { operator: 'or_', type: { any_: ['RUNNING'] }, name: { any_: ['Fine'] } } },
      ...timeFilters(LATER).map((expected_start_time) => ({ expected_start_time })),
      ...[{ before_: LATER }, { after_: LATER }, { is_null_: true }, { is_null_: false }, {}].flatMap((filter) => ['start_time', 'end_time', 'expected_start_time'].map((field) => ({ [field]: filter }))),
      ...[true, false, null, 'x'].map((exists_) => ({ subflow_runs: { exists_ } })),
      { subflow_runs: {} },
      ...[...idFilters([flow_run_id]), ...nullFilters([flow_run_id]), { operator: 'or_', any_: [flow_run_id], is_null_: true }].map((flow_run_id) => ({ flow_run_id })),
      { operator: 'or_', id: { any_: [ids[0]] }, name: { any_: [`${name}-b`] } },
      { operator: 'or_' },
      { operator: 'xor_' },
      { unknown: 1 },
    ];
    await api.each('POST', '/task_runs/filter', filters.map((task_runs) => ({ ...own, task_runs })));
  },

  'filter by what belongs to a task run': async (api) => {
    const { own, flow_id } = await makeTaskRuns(api);
    const bodies = [{ flows: { id: { any_: [flow_id] } } }, { flows: { name: { any_: ['x'] } } }, { flows: {} }, { flow_runs: { ...own.flow_runs, name: { any_: ['x'] } } }, { deployments: { id: { any_: [] } } }, { deployments: {} }, { deployments: { unknown: 1 }, flows: 'x' }].map((body) => ({ ...own, ...body }));
    for (const path of ['/task_runs/filter', '/task_runs/count', '/task_runs/paginate']) await api.each('POST', path, bodies);
    const history = { ...own, history_start: '2037-06-01T11:00:00Z', history_end: '2037-06-01T13:00:00Z', history_interval_seconds: 3600 };
    await api.each('POST', '/task_runs/history', [history, ...bodies.map((body) => ({ ...history, ...body })), { ...history, history_interval_seconds: 0.5 }, { ...history, history_end: null }, { ...history, history_interval_seconds: 'x' }, {}, ...MALFORMED]);
    await api.post('/task_runs/history', { ...history, history_start: api.time(-3600), history_end: api.time(3600), history_interval_seconds: 7200 });
  },

  'every transition': async (api) => {
    const { id: flow_run_id } = await makeFlowRun(api);
    let number = 0;
    for (const from of TYPES)
      for (const to of TYPES) {
        const run = await api.post('/task_runs/', { flow_run_id, name: 'n', task_key: 'k', dynamic_key: String(number++), state: { type: from } });
        await api.post(`/task_runs/${run.id}/set_state`, { state: { type: to } });
        await api.get(`/task_runs/${run.id}`);
      }
  },

  'runs of a flow that does not run': async (api) => {
    for (const type of ['PENDING', 'PAUSED', 'COMPLETED']) {
      const { id: flow_run_id } = await makeFlowRun(api, type);
      const run = await api.post('/task_runs/', { flow_run_id, name: 'n', task_key: 'k', dynamic_key: '0' });
      for (const force of [false, true]) await api.post(`/task_runs/${run.id}/set_state`, { state: { type: 'RUNNING' }, force });
    }
    const alone = await api.post('/task_runs/', { name: 'n', task_key: api.name(), dynamic_key: '0' });
    await api.post(`/task_runs/${alone.id}/set_state`, { state: { type: 'RUNNING' } });
  },

  'states of a task run': async (api) => {
    const { id: flow_run_id } = await makeFlowRun(api);
    const run = await api.post('/task_runs/', { flow_run_id, name: 'n', task_key: 'k', dynamic_key: '0', empirical_policy: { retries: 1, retry_delay: 0 } });
    const path = `/task_runs/${run.id}/set_state`;
    const proposals = ['RUNNING', { type: 'FAILED', data: { x: 1 } }, 'RUNNING', { type: 'FAILED', state_details: { retriable: false } }, 'RUNNING', { type: 'COMPLETED', data: { artifact_key: 'key', value: 1 } }, 'RUNNING', 'COMPLETED'];
    for (const state of proposals) await api.post(path, { state: typeof state === 'string' ? { type: state } : state });
    await api.each('POST', path, [{}, null, undefined, ...MALFORMED, { state: null }, { state: 'x' }, { state: { type: 'x' } }, { state: { type: 'RUNNING', unknown: 1 } }, { state: { type: 'RUNNING' }, force: 'x' }]);
    await api.eachPath('POST', [`/task_runs/${api.id()}/set_state`, '/task_runs/x/set_state'], { state: { type: 'RUNNING' } });
    const states = await api.get(`/task_run_states/?task_run_id=${run.id}`);
    await api.eachPath('GET', [...states.map(({ id }: { id: string }) => `/task_run_states/${id}`), `/task_run_states/${api.id()}`, '/task_run_states/x', '/task_run_states/', '/task_run_states/?task_run_id=x', `/task_run_states/?task_run_id=${api.id()}`]);
    await api.get(`/task_runs/${run.id}`);
  },

  'cached results': async (api) => {
    const { id: flow_run_id } = await makeFlowRun(api);
    const cache_key = api.name('cache');
    const make = async (dynamic_key: string) => `/task_runs/${(await api.post('/task_runs/', { flow_run_id, name: 'n', task_key: 'k', dynamic_key })).id}/set_state`;
    const [first, second, third] = [await make('0'), await make('1'), await make('2')];
    await api.each('POST', first, [{ state: { type: 'RUNNING', state_details: { cache_key } } }, { state: { type: 'COMPLETED', data: { value: 1 }, state_details: { cache_key } } }]);
    await api.each('POST', second, [{ state: { type: 'RUNNING', state_details: { cache_key, refresh_cache: true } } }, { state: { type: 'COMPLETED', state_details: { cache_key, cache_expiration: '2020-01-01T00:00:00Z' } } }]);
    await api.each('POST', third, [{ state: { type: 'RUNNING', state_details: { cache_key } } }, { state: { type: 'RUNNING', state_details: { cache_key } } }]);
    await api.post(await make('3'), { state: { type: 'COMPLETED', state_details: { cache_key: 'c'.repeat(2001) } } });
  },
};
