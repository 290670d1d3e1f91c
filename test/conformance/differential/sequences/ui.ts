import type { Sequences, TwinClient } from '../twin-client.ts';
import { MALFORMED } from './cases.ts';

async function createRuns(api: TwinClient) {
  const flow = await api.post('/flows/', { name: api.name() });
  const other = await api.post('/flows/', { name: api.name() });
  const run = await api.post('/flow_runs/', { flow_id: flow.id, name: api.name(), state: { type: 'RUNNING' } });
  const scheduled = { type: 'SCHEDULED', state_details: { scheduled_time: '2999-01-02T00:00:00Z' } };
  await api.post('/flow_runs/', { flow_id: flow.id, name: 'later', state: scheduled });
  await api.post('/flow_runs/', { flow_id: flow.id, name: 'sooner', state: { ...scheduled, state_details: { scheduled_time: '2999-01-01T00:00:00Z' } } });
  const addTask = async (name: string, type: string) =>
    String((await api.post('/task_runs/', { flow_run_id: run.id, task_key: 'task', dynamic_key: name, name, state: { type } })).id);
  const tasks = [await addTask('done', 'COMPLETED'), await addTask('failed', 'FAILED'), await addTask('running', 'RUNNING'), await addTask('cancelled', 'CANCELLED')];
  await api.post('/flow_runs/', { flow_id: flow.id, name: 'child', parent_task_run_id: await addTask('parent', 'RUNNING'), state: { type: 'RUNNING' } });
  return { flow, other, run, tasks, own: { flows: { id: { any_: [flow.id] } } } };
}

const oddIds = (field: string, ids: string[]) => [
  ...[ids, [...ids, ...ids], [], null, 'x', ['x'], [1], [null], {}, ids.slice(0, 1), ids.map((id) => id.toUpperCase()), Array.from({ length: 201 }, () => ids[0])].map((value) => ({ [field]: value })),
  {},
  undefined,
  ...MALFORMED.slice(1),
];

export const ui: Sequences = {
  'deployments and next runs of flows': async (api) => {
    const { flow, other } = await createRuns(api);
    for (const name of ['a', 'b']) await api.post('/deployments/', { name, flow_id: flow.id });
    for (const path of ['/ui/flows/count-deployments', '/ui/flows/next-runs']) await api.each('POST', path, oddIds('flow_ids', [flow.id, other.id, api.id()]));
    await api.get('/ui/flows/next-runs');
  },

  'task runs of flow runs': async (api) => {
    const { run } = await createRuns(api);
    await api.each('POST', '/ui/flow_runs/count-task-runs', oddIds('flow_run_ids', [run.id, api.id()]));
  },

  'history of flow runs': async (api) => {
    const { own } = await createRuns(api);
    await api.each('POST', '/ui/flow_runs/history', [
      own,
      ...['START_TIME_ASC', 'EXPECTED_START_TIME_ASC', 'NAME_DESC', 'x', null, 1].map((sort) => ({ ...own, sort })),
      ...[0, 1, 1000, 1001, -1, '1', 1.5, null, 'x'].map((limit) => ({ ...own, limit })),
      ...[0, 1, 100, -1, null, 'x'].map((offset) => ({ ...own, offset })),
      { ...own, flow_runs: { state: { type: { any_: ['RUNNING'] } } } },
      { ...own, task_runs: { state: { type: { any_: ['FAILED'] } } } },
      { ...own, deployments: {} },
      { ...own, work_pools: {} },
      { ...own, work_pools: 'x' },
      { ...own, unknown: 1 },
      ...MALFORMED.slice(1),
    ]);
    // Runs without such a time come in any order.
    await api.each('POST', '/ui/flow_runs/history', ['NEXT_SCHEDULED_START_TIME_ASC', 'END_TIME_DESC'].map((sort) => ({ ...own, sort })), { unordered: true });
  },

  'task runs on the dashboard': async (api) => {
    const { own, tasks, run } = await createRuns(api);
    const start = (start_time: unknown, more: object = {}) => ({ ...own, task_runs: { start_time, ...more } });
    const minuteAgo = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000).toISOString();
    await api.each('POST', '/ui/task_runs/dashboard/counts', [
      start({ after_: '2001-01-01T00:00:00Z' }),
      start({ after_: minuteAgo }),
      start({ after_: '2001-01-01T00:00:00Z', before_: '2001-02-01T00:00:00Z' }),
      start({ after_: '2999-01-01T00:00:00Z' }),
      start({ after_: '2001-01-01T00:00:00Z' }, { state: { type: { any_: ['RUNNING'] } } }),
      start({ after_: '2001-01-01T00:00:00Z' }, { name: { any_: ['failed'] } }),
      start({ before_: '2001-01-01T00:00:00Z' }),
      start({}),
      start(null),
      start('x'),
      start({ after_: 'x' }),
      { task_runs: {} },
      { task_runs: null },
      own,
      {},
      ...MALFORMED.slice(1),
    ]);
    await api.each('POST', '/ui/task_runs/count', [own, { ...own, task_runs: { state: { type: { any_: ['FAILED'] } } } }, { flow_runs: { id: { any_: [api.id()] } } }, { flows: 'x' }, { ...own, unknown: 1 }, { ...own, deployments: {} }]);
    await api.eachPath('GET', [...tasks.map((id) => `/ui/task_runs/${id}`), `/ui/task_runs/${run.id}`, '/ui/task_runs/x']);
  },

  'states that were seen': async (api) => {
    const { run } = await createRuns(api);
    const prefix = api.name();
    for (const name of [`${prefix} a`, `${prefix} b_100%`]) await api.post(`/flow_runs/${run.id}/set_state`, { state: { type: 'RUNNING', name }, force: true });
    await api.eachPath('GET', [
      ...['', '&order_by=NAME_ASC', '&order_by=LAST_SEEN_DESC', '&limit=1', '&limit=0', '&limit=201', '&limit=x', '&order_by=x'].map((more) => `/observed-states?query=${encodeURIComponent(prefix)}${more}`),
      ...[`${prefix} B_`, `${prefix.toUpperCase()} a`, `${prefix} %`, `%${prefix}`, `  ${prefix} a `, `x${prefix}`, 'x'.repeat(100), 'x'.repeat(101)].map((query) => `/observed-states?query=${encodeURIComponent(query)}`),
    ]);
    await api.post('/observed-states', {});
  },

  'values of a form': async (api) => {
    const schema = {
      type: 'object',
      required: ['a'],
      properties: {
        a: { type: 'integer' },
        b: { type: 'string' },
        c: { type: 'array', items: { type: 'integer' } },
        d: { type: 'string', format: 'date' },
        m: { $ref: '#/definitions/M' },
        o: { anyOf: [{ $ref: '#/definitions/M' }, { type: 'null' }] },
      },
      definitions: { M: { type: 'object', properties: { q: { type: 'integer', minimum: 3 } }, required: ['q'], additionalProperties: false } },
    };
    const variable = api.name();
    await api.post('/variables/', { name: variable, value: 3 });
    const placeholder = (kind: string, content: object = {}) => ({ __prefect_kind: kind, ...content });
    const values = [
      {},
      ...[1, 'x', null, 1.5].map((a) => ({ a })),
      ...[placeholder('json', { value: '1' }), placeholder('json', { value: '{' }), placeholder('json'), placeholder('none', { value: 4 }), placeholder('none'), placeholder('unknown', { value: 'x' })].map((a) => ({ a })),
      ...[placeholder('jinja', { template: '{{ x }}' }), placeholder('jinja', { template: '{{ x ' }), placeholder('jinja')].map((a) => ({ a })),
      ...[placeholder('workspace_variable', { variable_name: variable }), placeholder('workspace_variable', { variable_name: `${variable}x` }), placeholder('workspace_variable')].map((a) => ({ a })),
      ...[{ b: null }, { b: 2 }, { c: [1, 'x', 2, 'y'] }, { c: [1, placeholder('json', { value: '{' })] }, { d: '2026-01-01' }, { d: 'x' }, { m: {} }, { m: { q: 1 } }, { m: { q: 4, y: 1, z: 2 } }, { o: { q: 1 } }, { o: null }, { unknown: 1 }].map((more) => ({ a: 1, ...more })),
      placeholder('json', { value: '{"a": "x"}' }),
      placeholder('json', { value: '3' }),
      'x',
      null,
    ];
    await api.each('POST', '/ui/schemas/validate', values.map((given) => ({ schema, values: given })), { unordered: true });
    await api.each('POST', '/ui/schemas/validate', [{ schema: { type: 'nope' }, values: {} }, { schema: { properties: { a: { $ref: '#/definitions/Z' } } }, values: { a: 1 } }, { schema: 'x', values: {} }, { schema: {} }, {}, ...MALFORMED.slice(1)]);
  },

  'task workers': async (api) => {
    const key = api.name();
    await api.each('POST', '/task_workers/filter', [{ task_worker_filter: { task_keys: [key] } }, { task_worker_filter: {} }, { task_worker_filter: { task_keys: 'x' } }, { task_worker_filter: { task_keys: [1] } }, { task_worker_filter: [] }, ...MALFORMED.slice(1)]);
  },
};
