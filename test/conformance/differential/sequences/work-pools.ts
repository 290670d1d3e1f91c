import type { Sequences, TwinClient } from '../twin-client.ts';
import { idFilters, MALFORMED, NUMBERED_PAGES, PAGES, textFilters, timeFilters } from './cases.ts';

const template = (properties: object, configuration: object = { command: '{{ command }}' }) => ({ job_configuration: configuration, variables: { type: 'object', properties } });

/** Three pools whose names begin alike; the second has a limit, the third is paused. */
async function makePools(api: TwinClient) {
  const tag = api.name();
  const names = ['a', 'b', 'c'].map((letter) => `${tag}-${letter}`);
  const pools = await api.each('POST', '/work_pools/', [{ name: names[0], type: tag }, { name: names[1], type: tag, concurrency_limit: 2 }, { name: names[2], type: 'docker', is_paused: true }]);
  return { tag, names, pools, own: { name: { any_: names } } };
}

/** A deployment on a queue of a pool, with scheduled runs at these seconds from now. */
async function makeRuns(api: TwinClient, poolName: string, queueName: string | undefined, seconds: readonly number[]) {
  const flow = await api.post('/flows/', { name: api.name() });
  const deployment = await api.post('/deployments/', { name: api.name(), flow_id: flow.id, work_pool_name: poolName, work_queue_name: queueName });
  const runs = [];
  for (const [index, offset] of seconds.entries())
    runs.push(await api.post(`/deployments/${deployment.id}/create_flow_run`, { name: `run-${index}`, state: { type: 'SCHEDULED', name: 'AwaitingRetry', state_details: { scheduled_time: api.time(offset) } } }));
  return { flow, deployment, runs };
}

export const workPools: Sequences = {
  'create, read, change, delete': async (api) => {
    const name = api.name();
    await api.post('/work_pools/', { name, type: 'process', description: 'd', base_job_template: template({ command: { type: 'string', default: 'x' } }), concurrency_limit: 3 });
    await api.each('POST', '/work_pools/', [{ name }, { name, type: 'other' }]);
    await api.eachPath('GET', [`/work_pools/${name}`, `/work_pools/${api.name()}`, `/work_pools/${name.toUpperCase()}`, `/work_pools/${name}/queues/default`]);
    await api.each('PATCH', `/work_pools/${name}`, [
      {},
      { description: 'new' },
      { description: null },
      { concurrency_limit: 0 },
      { concurrency_limit: null },
      { concurrency_limit: -1 },
      { concurrency_limit: 'x' },
      { is_paused: true },
      { is_paused: null },
      { is_paused: 'x' },
      { base_job_template: {} },
      { base_job_template: null },
      { base_job_template: { a: 1 } },
      { base_job_template: template({}) },
      { base_job_template: template({ command: { type: 'integer', default: 'x' } }) },
      { base_job_template: template({ command: {} }) },
      { storage_configuration: { bundle_upload_step: { a: 1 } } },
      { storage_configuration: {} },
      { storage_configuration: null },
      { storage_configuration: { unknown: 1 } },
      { name: 'other' },
      { type: 'docker' },
      { default_queue_id: api.id() },
      null,
      undefined,
      ...MALFORMED,
    ]);
    await api.get(`/work_pools/${name}`);
    await api.patch(`/work_pools/${name}`, { is_paused: false });
    await api.get(`/work_pools/${name}`);
    await api.eachPath('PATCH', [`/work_pools/${api.name()}`], {});
    await api.eachPath('DELETE', [`/work_pools/${name}`, `/work_pools/${name}`, '/work_pools/prefect-x', '/work_pools/Prefect']);
    await api.each('PATCH', '/work_pools/prefect-x', [{ description: 'x' }, { is_paused: true }, {}]);
    await api.get(`/work_pools/${name}/queues/default`);
  },

  'what a pool may be': async (api) => {
    const name = () => api.name();
    await api.each('POST', '/work_pools/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      ...['', ' ', 'a/b', 'a%b', 'a&b', 'a<b', 'a>b', null, 1, [], 'Prefect', 'prefect-pool', 'PREFECT pool'].map((bad) => ({ name: bad })),
      ...['ünïcödé ☃', 'a b', "it's", 'x'.repeat(300)].map((good) => ({ name: `${good} ${api.name()}` })),
      ...[null, 'docker', '', 1, 'a b'].map((type) => ({ name: name(), type })),
      ...[null, '', 1, 'x'.repeat(1000)].map((description) => ({ name: name(), description })),
      ...[null, true, 'true', 'x', 1, 2].map((is_paused) => ({ name: name(), is_paused })),
      ...[null, 0, 1, -1, '2', 1.5, 'x', 3_000_000_000].map((concurrency_limit) => ({ name: name(), concurrency_limit })),
      ...[
        null,
        {},
        [],
        'x',
        { job_configuration: {} },
        { variables: {} },
        { job_configuration: {}, variables: {} },
        { job_configuration: { a: 1 }, variables: { properties: {} } },
        { job_configuration: { a: 1 }, variables: { a: 1 } },
        { job_configuration: { a: '{{ b }}' }, variables: { properties: { a: {} } } },
        { job_configuration: { a: '{{ a }} {{a}} {{ a.b }}' }, variables: { properties: { a: {} } } },
        { job_configuration: { a: ['{{ a }}', { b: '{{ c }}' }] }, variables: { properties: { a: {} } } },
        { job_configuration: { a: '{{ prefect.blocks.secret.x }} {{ $ENV }}' }, variables: { properties: { a: {} } } },
        { job_configuration: { a: '{{ prefect.variables.x }}' }, variables: { properties: { a: {} } } },
        { job_configuration: { a: 1 }, variables: { properties: { a: { type: 'integer', default: 'x' } } } },
        { job_configuration: { a: 1 }, variables: { properties: { a: { type: 'integer', default: 1 }, b: { type: 'string', default: null } }, required: ['b'] } },
        { job_configuration: { a: 1 }, variables: { properties: { a: { type: 'nonsense' } } } },
        { job_configuration: { a: 1 }, variables: { properties: { a: { default: { $ref: { block_document_id: api.id() } } } } } },
        { job_configuration: { a: 1 }, variables: { properties: { a: {} } }, more: 1 },
      ].map((base_job_template) => ({ name: name(), base_job_template })),
      ...[null, {}, { bundle_upload_step: null }, { bundle_upload_step: { a: {} }, bundle_execution_step: { b: 1 } }, { bundle_upload_step: 'x' }, { default_result_storage_block_id: api.id() }, { default_result_storage_block_id: 'x' }, { unknown: 1 }].map((storage_configuration) => ({ name: name(), storage_configuration })),
      { name: name(), id: api.id() },
      { name: name(), status: 'READY' },
      { name: name(), default_queue_id: api.id() },
    ]);
  },

  'filter, sort, page, count': async (api) => {
    const { tag, names, pools, own } = await makePools(api);
    await api.each('POST', '/work_pools/filter', PAGES.map((page) => ({ work_pools: own, ...page })));
    const ids = pools.map(({ id }) => id);
    const filters = [
      ...idFilters(ids.slice(0, 2)).map((id) => ({ id })),
      ...textFilters(names.slice(0, 2)).map((name) => ({ name, type: { any_: [tag] } })),
      ...textFilters([tag]).map((type) => ({ type })),
      { operator: 'or_', id: { any_: [ids[2]] }, type: { any_: [tag] } },
      { operator: 'xor_' },
      { operator: null },
      { unknown: 1 },
    ].map((filter) => ({ ...own, ...filter }));
    for (const path of ['/work_pools/filter', '/work_pools/count'])
      await api.each('POST', path, [...filters.map((work_pools) => ({ work_pools })), ...MALFORMED.slice(1), { work_pools: 'x' }, { work_pools: [] }, { work_pools: own, unknown: 1 }]);
  },

  'queues of a pool': async (api) => {
    const pool = api.name();
    await api.post('/work_pools/', { name: pool });
    await api.each('POST', `/work_pools/${pool}/queues`, [
      { name: 'a' },
      { name: 'a' },
      { name: 'default' },
      { name: 'b', priority: 1, description: 'd', concurrency_limit: 3 },
      { name: 'c', is_paused: true },
      { name: 'd', priority: 2 },
      ...[0, -1, 'x', 1.5, null, '7', 100].map((priority, index) => ({ name: `p${index}`, priority })),
      ...[0, -1, 'x', null].map((concurrency_limit, index) => ({ name: `l${index}`, concurrency_limit })),
      ...['', ' ', 'a/b', 'a%b', null, 1, 'ü b'].map((name) => ({ name })),
      { name: 'e', filter: null },
      { name: 'f', filter: { tags: ['a'] } },
      { name: 'g', unknown: 1 },
      { name: 'h', description: null },
      null,
      undefined,
      ...MALFORMED,
    ]);
    const queues = await api.post(`/work_pools/${pool}/queues/filter`, {});
    await api.eachPath('GET', [`/work_pools/${pool}/queues/a`, `/work_pools/${pool}/queues/x`, `/work_pools/${api.name()}/queues/a`, `/work_pools/${pool}/queues/%C3%BC%20b`]);
    await api.each('PATCH', `/work_pools/${pool}/queues/a`, [
      {},
      { priority: 1 },
      { priority: 3 },
      { priority: 0 },
      { priority: null },
      { concurrency_limit: 2 },
      { concurrency_limit: null },
      { concurrency_limit: -1 },
      { description: 'x' },
      { description: null },
      { is_paused: true },
      { is_paused: null },
      { is_paused: false },
      { last_polled: api.time() },
      { last_polled: null },
      { last_polled: 'x' },
      { filter: { tags: [] } },
      { unknown: 1 },
      { status: 'READY' },
      null,
      ...MALFORMED,
    ]);
    await api.post(`/work_pools/${pool}/queues/filter`, {});
    await api.each('PATCH', `/work_pools/${pool}/queues/b`, [{ name: null }, { name: 'c' }, { name: 'renamed' }, { name: 'again' }]);
    await api.patch(`/work_pools/${pool}/queues/default`, { is_paused: true });
    await api.each('POST', `/work_pools/${pool}/queues/filter`, [
      ...PAGES,
      ...idFilters(queues.slice(0, 2).map(({ id }: { id: string }) => id)).map((id) => ({ work_queues: { id } })),
      ...textFilters(['a', 'c']).map((name) => ({ work_queues: { name } })),
      { work_queues: { name: { startswith_: ['p'] } } },
      { work_queues: { name: { startswith_: [], any_: ['a'] } } },
      { work_queues: { operator: 'or_', name: { any_: ['a'] }, id: { any_: [queues[0]?.id] } } },
      { work_queues: null },
      { work_queues: {} },
      { work_queues: { unknown: 1 } },
      { work_queues: 'x' },
      ...MALFORMED.slice(1),
    ]);
    await api.post(`/work_pools/${api.name()}/queues/filter`, {});
    await api.eachPath('DELETE', [`/work_pools/${pool}/queues/a`, `/work_pools/${pool}/queues/a`, `/work_pools/${api.name()}/queues/a`]);
    await api.post(`/work_pools/${pool}/queues/filter`, {});
    await api.delete(`/work_pools/${pool}`);
    await api.post(`/work_pools/${pool}/queues/filter`, {});
  },

  workers: async (api) => {
    const pool = api.name();
    await api.post('/work_pools/', { name: pool, type: 'process' });
    await api.each('POST', `/work_pools/${pool}/workers/heartbeat`, [
      { name: 'a' },
      { name: 'b', heartbeat_interval_seconds: 60 },
      { name: 'b' },
      { name: 'c', heartbeat_interval_seconds: null },
      { name: 'd', heartbeat_interval_seconds: 'x' },
      { name: '' },
      { name: null },
      {},
      { name: 'f', unknown: 1 },
      { name: 'g', metadata: { integrations: [{ name: 'x', version: '1' }] } },
      { name: 'a/b' },
      null,
      undefined,
      ...MALFORMED,
    ]);
    await api.get(`/work_pools/${pool}`);
    await api.post(`/work_pools/${api.name()}/workers/heartbeat`, { name: 'a' });
    const before = api.time(-1000);
    await api.each(
      'POST',
      `/work_pools/${pool}/workers/filter`,
      [
        {},
        ...timeFilters(before).map((last_heartbeat_time) => ({ workers: { last_heartbeat_time } })),
        ...[{ any_: ['ONLINE'] }, { any_: ['OFFLINE'] }, { any_: ['ONLINE', 'OFFLINE'] }, { any_: [] }, { any_: ['x'] }, { any_: null }, {}, null, { unknown: 1 }].map((status) => ({ workers: { status } })),
        { workers: { operator: 'or_', status: { any_: ['OFFLINE'] }, last_heartbeat_time: { after_: before } } },
        { workers: { operator: 'xor_' } },
        { workers: { name: { any_: ['a'] } } },
        { workers: 'x' },
        ...MALFORMED.slice(1),
      ],
      { unordered: true },
    );
    await api.each('POST', `/work_pools/${pool}/workers/filter`, PAGES.map((page) => ({ ...page, workers: { status: { any_: ['OFFLINE'] } } })));
    await api.post(`/work_pools/${api.name()}/workers/filter`, {});
    await api.patch(`/work_pools/${pool}`, { is_paused: true });
    await api.post(`/work_pools/${pool}/workers/heartbeat`, { name: 'a' });
    await api.get(`/work_pools/${pool}`);
    await api.patch(`/work_pools/${pool}`, { is_paused: false });
    await api.get(`/work_pools/${pool}`);
    await api.eachPath('DELETE', [`/work_pools/${pool}/workers/a`, `/work_pools/${pool}/workers/a`, `/work_pools/${api.name()}/workers/a`]);
    await api.post(`/work_pools/${pool}/workers/filter`, {}, { unordered: true });
  },

  'what workers are given': async (api) => {
    const pool = api.name();
    await api.post('/work_pools/', { name: pool, type: 'process' });
    await api.post(`/work_pools/${pool}/queues`, { name: 'first', priority: 1 });
    await api.post(`/work_pools/${pool}/queues`, { name: 'limited', priority: 2, concurrency_limit: 1 });
    const { runs } = await makeRuns(api, pool, undefined, [-60, -30, 3600, 0]);
    await makeRuns(api, pool, 'limited', [-50, -40]);
    await makeRuns(api, pool, 'first', [-10]);
    const path = `/work_pools/${pool}/get_scheduled_flow_runs`;
    const soon = api.time(10);
    await api.each('POST', path, [
      {},
      { scheduled_before: soon },
      { scheduled_before: soon, scheduled_after: api.time(-45) },
      { scheduled_after: api.time(100) },
      { scheduled_before: api.time(-1000) },
      ...[0, 1, 2, 3, 200, 201, -1, null, 'x'].map((limit) => ({ limit, scheduled_before: soon })),
      { work_queue_names: ['limited', 'default'], scheduled_before: soon },
      { work_queue_names: ['first'] },
      { work_queue_names: [] },
      { work_queue_names: null },
      { work_queue_names: ['x'] },
      { work_queue_names: ['first', 'x'] },
      { work_queue_names: 'first' },
      { scheduled_before: null },
      { scheduled_before: 'x' },
      { scheduled_after: 'x' },
      { unknown: 1 },
      ...MALFORMED.slice(1),
    ]);
    await api.post(`/work_pools/${api.name()}/get_scheduled_flow_runs`, {});
    await api.each('POST', `/flow_runs/${runs[0].id}/set_state`, [{ state: { type: 'PENDING' } }, { state: { type: 'RUNNING' } }]);
    await api.patch(`/work_pools/${pool}`, { concurrency_limit: 2 });
    await api.get(`/work_pools/${pool}`);
    await api.post(path, { scheduled_before: soon });
    await api.each('POST', `/work_pools/${pool}/concurrency_status`, [{}, ...NUMBERED_PAGES, ...[0, 1, 200, 201, -1, null, 'x'].map((flow_run_limit) => ({ flow_run_limit })), { unknown: 1 }, ...MALFORMED.slice(1)]);
    await api.post(`/work_pools/${api.name()}/concurrency_status`, {});
    await api.patch(`/work_pools/${pool}/queues/first`, { is_paused: true });
    await api.post(path, { scheduled_before: soon });
    await api.patch(`/work_pools/${pool}`, { is_paused: true });
    await api.post(path, { scheduled_before: soon });
    await api.patch(`/work_pools/${pool}`, { is_paused: false, concurrency_limit: 0 });
    await api.post(path, { scheduled_before: soon });
    await api.delete(`/work_pools/${pool}`);
    await api.get(`/flow_runs/${runs[0].id}`);
    await api.get(`/deployments/${runs[0].deployment_id}`);
  },
};
