import type { Sequences, TwinClient } from '../twin-client.ts';
import { anyTagsFilters, idFilters, likeFilters, MALFORMED, notIdFilters, notTextFilters, NUMBERED_PAGES, nullFilters, PAGES, tagsFilters, textFilters, timeFilters } from './cases.ts';

/** A flow of the sequence's own. */
export async function makeFlow(api: TwinClient) {
  return await api.post('/flows/', { name: api.name('flow-of-runs') });
}

const SCHEDULED = '2037-06-01T12:00:00Z';

/** Five runs of one flow, in as many ways different as the filters ask for. */
async function makeRuns(api: TwinClient) {
  const flow = await makeFlow(api);
  const name = api.name('run');
  const parent = await api.post('/flow_runs/', { flow_id: flow.id, name: `${name}-a`, tags: ['t', 'u'], idempotency_key: `${name}-key`, state: { type: 'RUNNING' } });
  const task = await api.post('/task_runs/', { flow_run_id: parent.id, task_key: name, dynamic_key: '0', name: `${name}-task` });
  const deployment = await api.post('/deployments/', { flow_id: flow.id, name: `${name}-deployment` });
  const runs = [
    parent,
    ...(await api.each('POST', '/flow_runs/', [
      { flow_id: flow.id, name: `${name}-b`, tags: ['t'], flow_version: 'one', parent_task_run_id: task.id, state: { type: 'COMPLETED', name: 'Fine' } },
      { flow_id: flow.id, name: `${name}-c`, flow_version: 'two', deployment_id: deployment.id, state: { type: 'SCHEDULED', state_details: { scheduled_time: SCHEDULED } } },
      { flow_id: flow.id, name: `${name}-d`, state: { type: 'FAILED', message: 'so it is' } },
      { flow_id: flow.id, name: `${name}-e`, tags: ['v'] },
    ])),
  ];
  return { flow, name, task, deployment, runs, ids: runs.map(({ id }): string => id), own: { flows: { id: { any_: [flow.id] } }, sort: 'NAME_ASC' } };
}

const LISTS = ['/flow_runs/filter', '/flow_runs/count'];

export const flowRuns: Sequences = {
  'create, read, change, delete': async (api) => {
    const flow = await makeFlow(api);
    const run = await api.post('/flow_runs/', { flow_id: flow.id });
    await api.eachPath('GET', [`/flow_runs/${run.id}`, `/flow_runs/${run.id.toUpperCase()}`, `/flow_runs/${api.id()}`, '/flow_runs/no-uuid']);
    await api.each('PATCH', `/flow_runs/${run.id}`, [
      { name: 'renamed' },
      { tags: ['x', 'x'], flow_version: '2', parameters: { a: 1.5 }, infrastructure_pid: 'pid', empirical_policy: { retries: 3, retry_delay: 2 } },
      { job_variables: { a: 1 } },
      {},
      ...['tags', 'flow_version', 'parameters', 'infrastructure_pid', 'empirical_policy', 'job_variables'].map((field) => ({ [field]: null })),
      ...['tags', 'flow_version', 'parameters', 'infrastructure_pid', 'empirical_policy', 'job_variables', 'name'].map((field) => ({ [field]: 1 })),
      { empirical_policy: { retries: '4', max_retries: 1, retry_delay_seconds: 1.5, pause_keys: ['a', 'a'], resuming: null, retry_type: 'reschedule', unknown: 1 } },
      { empirical_policy: { retries: 'x', retry_delay: 1.5, pause_keys: 'x', resuming: 'x', retry_type: 'x' } },
      { state: { type: 'RUNNING' } },
      { unknown: 1 },
      null,
      undefined,
      ...MALFORMED,
    ]);
    await api.get(`/flow_runs/${run.id}`);
    await api.eachPath('PATCH', [`/flow_runs/${api.id()}`, '/flow_runs/no-uuid'], { tags: [] });
    for (const name of ['', null]) {
      await api.patch(`/flow_runs/${run.id}`, { name });
      await api.get(`/flow_runs/${run.id}`);
    }
    await api.eachPath('DELETE', [`/flow_runs/${run.id}`, `/flow_runs/${run.id}`, '/flow_runs/no-uuid']);
    await api.get(`/flow_runs/${run.id}`);
  },

  'what a run may be': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const fields = ['name', 'parameters', 'context', 'tags', 'labels', 'empirical_policy', 'flow_version', 'idempotency_key', 'parent_task_run_id', 'infrastructure_document_id', 'work_pool_name', 'work_queue_name', 'job_variables', 'deployment_id', 'state'];
    await api.each('POST', '/flow_runs/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      { flow_id: 'x' },
      { flow_id: null },
      { flow_id: 1 },
      { flow_id: api.id() },
      ...[null, 1, 'x', [], {}, [null], '', { a: null }].flatMap((value) => fields.filter((field) => !(field === 'name' && value === 'x')).map((field) => ({ flow_id, [field]: value }))),
      { flow_id, name: 'ünïcödé ☃ 𝄞 / % & < >' },
      { flow_id, tags: ['a', 'a', '', 'ü'] },
      { flow_id, labels: { a: 1, b: true, 'prefect.flow.id': 'mine' } },
      { flow_id, parameters: { deep: { er: [1, 2.5, null, { x: 'ü' }] }, '': 0 } },
      `{"flow_id":"${flow_id}","parameters":{"float":1.0,"big":12345678901234567890,"exponent":1E5,"zero":-0.0}}`,
      { flow_id, parameters: { zero: 'a\u0000b' } },
      { flow_id, parameters: { text: 'x'.repeat(524_288 - 11) } },
      { flow_id, parameters: { text: 'x'.repeat(524_288 - 10) } },
      { flow_id, parameters: { text: 'ü'.repeat(262_144) } },
      { flow_id, job_variables: { env: { A: 'b' } }, flow_version: 'v', context: { c: 1 }, infrastructure_document_id: api.id() },
      { flow_id, deployment_id: api.id() },
      { flow_id, parent_task_run_id: api.id() },
      { flow_id, work_pool_name: 'no-such-pool' },
      { flow_id, work_queue_name: 'no-such-queue' },
      { flow_id, empirical_policy: { max_retries: 2, retry_delay_seconds: 1.5 } },
      { flow_id, empirical_policy: { retries: 1, retry_delay: 7, pause_keys: ['k'], retry_type: 'in_process', resuming: true } },
      { flow_id, id: api.id() },
      { flow_id, unknown: 1, state_id: api.id() },
      { flow_id, auto_scheduled: true },
    ]);
    const key = api.name('key');
    await api.each('POST', '/flow_runs/', [{ flow_id, idempotency_key: key, name: 'one' }, { flow_id, idempotency_key: key, name: 'two', state: { type: 'RUNNING' } }]);
  },

  'the state a run is created with': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const types = ['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING'];
    await api.each('POST', '/flow_runs/', [
      ...types.map((type) => ({ flow_id, name: 'n', state: { type } })),
      ...[null, {}, { type: null }, { type: 'running' }, { type: 1 }, { name: 'x' }].map((state) => ({ flow_id, name: 'n', state })),
      ...[{ name: 'Mine' }, { name: '' }, { name: null }, { name: 1 }, { message: 'ü' }, { message: 1 }, { data: { a: 1.5 } }, { data: null }, { data: 'text' }, { data: { type: 'unpersisted' } }].map((state) => ({ flow_id, name: 'n', state: { type: 'COMPLETED', ...state } })),
      { flow_id, name: 'n', state: { type: 'COMPLETED', data: { artifact_key: 'a-key', artifact_type: 'result', artifact_description: 'text', value: 1 } } },
      ...[SCHEDULED, '2037-06-01T14:00:00+02:00', '2037-06-01T12:00:00', '2026-06-01', 1_780_000_000, null, 'x', '2037-06-01T12:00:00.123456789Z'].map((scheduled_time) => ({ flow_id, name: 'n', state: { type: 'SCHEDULED', name: 'Later', state_details: { scheduled_time } } })),
      ...[null, [], 'x', { unknown: 1 }, { cache_key: 1 }, { deferred: null, untrackable_result: true }, { deferred: 'x' }, { pause_timeout: SCHEDULED, pause_reschedule: true, pause_key: 'k' }, { run_input_keyset: { a: 'b' } }, { run_input_keyset: { a: 1 } }, { transition_id: api.id(), traceparent: 'x' }, { flow_run_id: api.id(), task_run_id: api.id(), child_flow_run_id: api.id() }].map((state_details) => ({ flow_id, name: 'n', state: { type: 'PENDING', state_details } })),
      { flow_id, name: 'n', state: { type: 'RUNNING', timestamp: SCHEDULED } },
      { flow_id, name: 'n', state: { type: 'RUNNING', id: api.id() } },
      { flow_id, name: 'n', state: { type: 'RUNNING', unknown: 1 } },
    ]);
  },

  'sort and page': async (api) => {
    const { own } = await makeRuns(api);
    // Runs that are equal in what is sorted by come in any order.
    const sorts = ['NAME_ASC', 'NAME_DESC', 'START_TIME_ASC', 'START_TIME_DESC', 'EXPECTED_START_TIME_ASC', 'EXPECTED_START_TIME_DESC', 'id_desc', 'CREATED_DESC', 1];
    for (const sort of sorts) await api.eachPath('POST', ['/flow_runs/filter', '/flow_runs/paginate'], { ...own, sort });
    for (const sort of ['ID_DESC', 'NEXT_SCHEDULED_START_TIME_ASC', 'END_TIME_DESC', null]) await api.eachPath('POST', ['/flow_runs/filter', '/flow_runs/paginate'], { ...own, sort }, { unordered: true });
    await api.each('POST', '/flow_runs/filter', PAGES.map((page) => ({ ...own, ...page })));
    await api.each('POST', '/flow_runs/paginate', NUMBERED_PAGES.map((page) => ({ ...own, ...page })));
    for (const path of [...LISTS, '/flow_runs/paginate', '/flow_runs/lateness']) await api.each('POST', path, [...MALFORMED.slice(1), { ...own, unknown: 1 }, { flow_runs: 'x' }, { flow_runs: [] }, { limit: 'x', flow_runs: { unknown: 1 } }]);
  },

  'filter by every operator': async (api) => {
    const { name, ids, own, task, deployment, runs } = await makeRuns(api);
    const times = [...timeFilters(SCHEDULED), ...nullFilters([])];
    const filters = [
      ...[...idFilters(ids.slice(0, 2)), ...notIdFilters(ids.slice(0, 2))].map((id) => ({ id })),
      ...[...textFilters([`${name}-a`, `${name}-b`]), ...likeFilters(`${name}-`)].map((name) => ({ name })),
      ...[...tagsFilters(['t', 'u']), ...anyTagsFilters(['u', 'v'])].map((tags) => ({ tags })),
      ...[...idFilters([deployment.id]), ...nullFilters([deployment.id]), { operator: 'or_', any_: [api.id()], is_null_: true }].map((deployment_id) => ({ deployment_id })),
      ...[...textFilters(['queue']), ...nullFilters([])].map((work_queue_name) => ({ work_queue_name })),
      ...[{ any_: ['RUNNING'] }, { any_: ['RUNNING', 'FAILED'] }, { any_: [] }, { any_: null }, { any_: ['running'] }, { not_any_: ['RUNNING'] }, { not_any_: [] }, { any_: ['RUNNING'], not_any_: ['FAILED'] }, {}, null, 'x'].map((type) => ({ state: { type } })),
      ...[...textFilters(['Fine', 'Running']), ...notTextFilters(['Fine', 'Running'])].map((name) => ({ state: { name } })),
      { state: { type: { any_: ['RUNNING'] }, name: { any_: ['Fine'] } } },
      { state: { operator: 'or_', type: { any_: ['RUNNING'] }, name: { any_: ['Fine'] } } },
      { state: null },
      { state: {} },
      ...textFilters(['one', 'two']).map((flow_version) => ({ flow_version })),
      ...times.map((start_time) => ({ start_time })),
      ...[{ before_: SCHEDULED }, { after_: SCHEDULED }, { is_null_: true }, { is_null_: false }, {}].flatMap((filter) => ['end_time', 'expected_start_time', 'next_scheduled_start_time'].map((field) => ({ [field]: filter }))),
      ...['start_time', 'end_time'].map((field) => ({ [field]: { is_null_: true, before_: SCHEDULED } })),
      ...[...idFilters([runs[0].id]), { operator: 'or_', any_: [runs[0].id] }].map((parent_flow_run_id) => ({ parent_flow_run_id })),
      ...[...idFilters([task.id]), ...nullFilters([task.id]), { operator: 'or_', any_: [task.id], is_null_: true }].map((parent_task_run_id) => ({ parent_task_run_id })),
      ...[...textFilters([`${name}-key`]), ...notTextFilters([`${name}-key`])].map((idempotency_key) => ({ idempotency_key })),
      ...[{ id_: [api.id()] }, { id_: [] }, { type_: ['DEPLOYMENT'] }, { type_: [] }, { is_null_: true }, { is_null_: false }, { is_null_: null }, { operator: 'or_', is_null_: true, type_: ['x'] }, { any_: [] }, {}, null].map((created_by) => ({ created_by })),
      { operator: 'or_', id: { any_: [ids[0]] }, name: { any_: [`${name}-b`] } },
      { operator: 'or_' },
      { operator: 'xor_' },
      { unknown: 1 },
    ];
    await api.each('POST', '/flow_runs/filter', filters.map((flow_runs) => ({ ...own, flow_runs })));
  },

  'filter by what belongs to a run': async (api) => {
    const { name, own, task, deployment, flow } = await makeRuns(api);
    const bodies = [
      { task_runs: { id: { any_: [task.id] } } },
      { task_runs: { name: { like_: name } } },
      { task_runs: { flow_run_id: {} } },
      { task_runs: {} },
      { task_runs: null },
      { deployments: { id: { any_: [deployment.id] } } },
      { deployments: { name: { any_: ['nothing'] } } },
      { deployments: {} },
      { flows: { id: { any_: [flow.id] }, name: { any_: ['nothing'] } } },
      { flows: { id: { any_: [flow.id] }, tags: { is_null_: true } } },
      { work_pools: { name: { any_: ['nothing'] } } },
      { work_pools: {} },
      { work_pool_queues: { name: { any_: ['default'] } } },
      { work_pool_queues: {} },
      { work_queues: { unknown: 1 } },
      { task_runs: { unknown: 1 }, deployments: 'x', work_pools: [], work_pool_queues: { id: 1 } },
    ].map((body) => ({ ...own, ...body }));
    for (const path of [...LISTS, '/flow_runs/paginate', '/flow_runs/lateness']) await api.each('POST', path, bodies);
  },

  'history and lateness': async (api) => {
    const { own, name } = await makeRuns(api);
    const history = { history_start: '2037-06-01T11:00:00Z', history_end: '2037-06-01T13:00:00Z', history_interval_seconds: 1800, ...own };
    await api.each('POST', '/flow_runs/history', [
      history,
      { ...history, history_interval_seconds: 1 },
      { ...history, history_interval_seconds: 0.5 },
      { ...history, history_interval_seconds: 7000.5 },
      { ...history, history_interval_seconds: '3600' },
      { ...history, history_interval_seconds: 'PT1H' },
      ...[0, -1, null, 'x', []].map((history_interval_seconds) => ({ ...history, history_interval_seconds })),
      { ...history, history_start: '2037-06-01T14:00:00+02:00' },
      { ...history, history_start: history.history_end },
      { ...history, history_end: '2037-06-01T10:00:00Z' },
      { ...history, history_interval_seconds: 10_000 },
      { ...history, history_start: 'x', history_end: null },
      { ...history, flow_runs: { name: { any_: [`${name}-c`] } }, task_runs: { id: { any_: [] } } },
      { ...history, work_pools: { name: { any_: ['x'] } } },
      { ...history, work_queues: { name: { any_: ['x'] } } },
      { ...history, work_pool_queues: { unknown: 1 } },
      { ...history, history_start: '2020-01-01T00:00:00Z', history_interval_seconds: 86_400 * 365 },
      { history_start: history.history_start },
      {},
      ...MALFORMED,
    ]);
    const today = { ...own, history_start: api.time(-3600), history_end: api.time(3600), history_interval_seconds: 7200 };
    await api.each('POST', '/flow_runs/history', [today, { ...today, history_interval_seconds: 600 }]);
    await api.each('POST', '/flow_runs/lateness', [own, { flow_runs: { id: { any_: [api.id()] } } }, { ...own, flow_runs: { state: { type: { any_: ['COMPLETED'] } } } }]);
  },

  labels: async (api) => {
    const flow = await makeFlow(api);
    const run = await api.post('/flow_runs/', { flow_id: flow.id, name: 'n', labels: { a: 1 } });
    await api.each('PATCH', `/flow_runs/${run.id}/labels`, [{ b: 'x' }, { a: 2.5, c: true }, {}, { '': '' }, [], null, undefined, ...MALFORMED]);
    await api.get(`/flow_runs/${run.id}`);
    await api.each('PATCH', `/flow_runs/${run.id}/labels`, [{ a: null }, { a: { deep: [1] } }]);
    await api.eachPath('PATCH', [`/flow_runs/${api.id()}/labels`, '/flow_runs/x/labels'], { a: 1 });
  },

  'bulk delete': async (api) => {
    const { ids, own } = await makeRuns(api);
    await api.each('POST', '/flow_runs/bulk_delete', [...MALFORMED.slice(1), ...[0, 51, -1, 'x', 1.5].map((limit) => ({ limit, flow_runs: { id: { any_: [] } } })), { flow_runs: 'x' }, { flow_runs: { unknown: 1 } }]);
    await api.post('/flow_runs/bulk_delete', { flow_runs: { id: { any_: [ids[0], api.id()] } } });
    await api.post('/flow_runs/bulk_delete', { flow_runs: { id: { any_: ids } } }, { unordered: true });
    await api.post('/flow_runs/bulk_delete', { flow_runs: { id: { any_: ids } } });
    await api.post('/flow_runs/count', own);
  },

  input: async (api) => {
    const flow = await makeFlow(api);
    const run = await api.post('/flow_runs/', { flow_id: flow.id, name: 'n' });
    const path = `/flow_runs/${run.id}/input`;
    await api.each('POST', path, [
      { key: 'a-1', value: '{"x": 1}' },
      { key: 'a-1', value: 'again' },
      { key: 'a-2', value: 'ü ☃', sender: 'somebody' },
      { key: 'b', value: '', sender: null },
      { key: 'with/slash', value: 'x' },
      { key: '', value: 'x' },
      { key: 'k', value: 1 },
      { key: 1, value: 'x' },
      { key: null, value: 'x' },
      { key: 'k' },
      { value: 'x' },
      {},
      { key: 'k', value: 'v', sender: 1 },
      { key: 'extra', value: 'v', unknown: 1 },
      null,
      undefined,
      ...MALFORMED,
    ]);
    await api.eachPath('POST', [`/flow_runs/${api.id()}/input`, '/flow_runs/x/input'], { key: 'a', value: 'x' });
    await api.eachPath('GET', ['a-1', 'a-2', 'b', 'with/slash', 'with%2Fslash', 'nothing', ''].map((key) => `${path}/${key}`));
    await api.each('POST', `${path}/filter`, [
      ...['a', 'a-', 'a-2', '', 'x', '%', '_-', 1, null].map((prefix) => ({ prefix, limit: 10 })),
      ...[1, 2, 0, 201, '2', -1, null, 'x'].map((limit) => ({ prefix: 'a', limit })),
      ...[['a-1'], [], null, 'x', [1], ['nothing']].map((exclude_keys) => ({ prefix: 'a', limit: 10, exclude_keys })),
      { prefix: 'a' },
      {},
      ...MALFORMED,
    ]);
    await api.eachPath('DELETE', [`${path}/a-1`, `${path}/a-1`, `${path}/nothing`, `/flow_runs/${api.id()}/input/a`]);
    await api.post(`${path}/filter`, { prefix: '', limit: 10 });
  },
};
