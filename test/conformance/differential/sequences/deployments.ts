import type { Sequences, TwinClient } from '../twin-client.ts';
import { idFilters, likeFilters, MALFORMED, NUMBERED_PAGES, PAGES, tagsFilters, textFilters } from './cases.ts';

const SCHEMA = { type: 'object', properties: { x: { type: 'integer' }, y: { type: 'string', default: 'y' } }, required: ['x'] };

async function makeFlow(api: TwinClient): Promise<string> {
  return (await api.post('/flows/', { name: api.name() })).id;
}

/** Four deployments of two flows: the second is paused, the third in a pool, the fourth without tags. */
async function makeDeployments(api: TwinClient) {
  const tag = api.name('dep');
  const flows = [await api.post('/flows/', { name: `${tag}-flow-a` }), await api.post('/flows/', { name: `${tag}-flow-b`, tags: [tag] })];
  await api.post('/work_pools/', { name: tag, type: 'process' });
  const names = ['a', 'b', 'c', 'D'].map((letter) => `${tag}-${letter}`);
  const deployments = await api.each('POST', '/deployments/', [
    { name: names[0], flow_id: flows[0].id, tags: [tag, 'even'] },
    { name: names[1], flow_id: flows[0].id, tags: [tag], paused: true },
    { name: names[2], flow_id: flows[1].id, tags: [tag, 'even'], work_pool_name: tag, work_queue_name: `${tag}-q`, concurrency_limit: 2 },
    { name: names[3], flow_id: flows[1].id, work_pool_name: tag },
  ]);
  return { tag, flows, names, deployments, own: { name: { like_: tag } } };
}

export const deployments: Sequences = {
  'create, read, change, delete': async (api) => {
    const flow = await api.post('/flows/', { name: api.name() });
    const name = api.name();
    const pool = api.name();
    await api.post('/work_pools/', { name: pool, type: 'process' });
    const full = {
      name,
      flow_id: flow.id,
      paused: true,
      enforce_parameter_schema: false,
      parameter_openapi_schema: SCHEMA,
      parameters: { x: 1 },
      tags: ['b', 'a'],
      labels: { team: 'a', n: 1 },
      pull_steps: [{ 'prefect.deployments.steps.set_working_directory': { directory: '/x' } }],
      work_pool_name: pool,
      work_queue_name: 'own',
      description: 'd',
      path: '/p',
      version: 'v1',
      entrypoint: 'f.py:f',
      job_variables: { env: { A: '1' } },
      concurrency_limit: 3,
      concurrency_options: { collision_strategy: 'CANCEL_NEW' },
    };
    const deployment = await api.post('/deployments/', full);
    await api.get(`/work_pools/${pool}/queues/own`);
    await api.eachPath('GET', [
      `/deployments/${deployment.id}`,
      `/deployments/name/${flow.name}/${name}`,
      `/deployments/${api.id()}`,
      '/deployments/x',
      `/deployments/name/${flow.name}/x`,
      `/deployments/name/x/${name}`,
      `/deployments/${deployment.id}/work_queue_check`,
      `/deployments/${api.id()}/work_queue_check`,
    ]);
    await api.post('/deployments/', { name, flow_id: flow.id, description: 'again' });
    await api.each('PATCH', `/deployments/${deployment.id}`, [
      {},
      { description: 'x' },
      { description: null },
      { version: '2' },
      { version: null },
      { tags: ['c'] },
      { tags: null },
      { paused: false },
      { paused: null },
      { parameters: { x: 2 } },
      { parameters: { x: 'no integer' } },
      { parameters: null },
      { parameter_openapi_schema: null },
      { parameter_openapi_schema: SCHEMA },
      { enforce_parameter_schema: true },
      { parameters: { x: 'no integer' } },
      { parameters: { y: 'y' } },
      { parameters: { x: 1, z: 1 } },
      { enforce_parameter_schema: null },
      { work_queue_name: 'other' },
      { work_pool_name: api.name() },
      { work_pool_name: null },
      { work_pool_name: pool, work_queue_name: 'third' },
      { work_queue_name: null },
      { path: null },
      { entrypoint: 'x' },
      { job_variables: { a: 1 } },
      { job_variables: null },
      { pull_steps: [] },
      { pull_steps: null },
      { concurrency_limit: 5 },
      { concurrency_limit: 0 },
      { concurrency_limit: -1 },
      { concurrency_options: { collision_strategy: 'ENQUEUE', grace_period_seconds: 120 } },
      { concurrency_options: { collision_strategy: 'x' } },
      { concurrency_options: { grace_period_seconds: 120 } },
      { concurrency_options: null },
      { concurrency_limit: null },
      { global_concurrency_limit_id: api.id() },
      { global_concurrency_limit_id: null },
      { storage_document_id: api.id() },
      { infrastructure_document_id: null },
      { version_info: { type: 'git', version: 'abc' } },
      { name: 'other' },
      { labels: {} },
      { flow_id: flow.id },
      { unknown: 1 },
      null,
      undefined,
      ...MALFORMED,
    ]);
    await api.get(`/deployments/${deployment.id}`);
    await api.eachPath('PATCH', [`/deployments/${api.id()}`, '/deployments/x'], { description: 'x' });
    await api.eachPath('POST', [`/deployments/${deployment.id}/pause_deployment`, `/deployments/${deployment.id}/pause_deployment`]);
    await api.get(`/deployments/${deployment.id}`);
    await api.eachPath('POST', [`/deployments/${deployment.id}/resume_deployment`, `/deployments/${api.id()}/resume_deployment`, `/deployments/${api.id()}/pause_deployment`, '/deployments/x/pause_deployment']);
    await api.get(`/deployments/${deployment.id}`);
    await api.eachPath('DELETE', [`/deployments/${deployment.id}`, `/deployments/${deployment.id}`, '/deployments/x']);
    await api.get(`/deployments/name/${flow.name}/${name}`);
  },

  'what a deployment may be': async (api) => {
    const flow_id = await makeFlow(api);
    const pool = api.name();
    await api.post('/work_pools/', { name: pool, base_job_template: { job_configuration: { image: '{{ image }}' }, variables: { type: 'object', properties: { image: { type: 'string' }, n: { type: 'integer', default: 1 } }, required: ['image'] } } });
    const limit = await api.post('/v2/concurrency_limits/', { name: api.name(), limit: 2 });
    const base = () => ({ name: api.name(), flow_id });
    await api.each('POST', '/deployments/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      { name: api.name() },
      { flow_id },
      { name: api.name(), flow_id: api.id() },
      { name: api.name(), flow_id: 'x' },
      ...['', ' ', 'a/b', 'a%b', 'a&b', null, 1].map((bad) => ({ name: bad, flow_id })),
      { name: `ünï ☃ ${api.name()}`, flow_id },
      ...[null, 'x', 1].map((paused) => ({ ...base(), paused })),
      ...[null, 'x', [1], [null], ['a', 'a']].map((tags) => ({ ...base(), tags })),
      ...[null, 'x', { a: null }, { a: [] }, { a: 1.5, b: true }].map((labels) => ({ ...base(), labels })),
      ...[null, 'x', [], { a: { b: [1.0, null] } }].map((parameters) => ({ ...base(), parameters })),
      ...[null, {}, 'x', { type: 'nonsense' }, { type: 'object', properties: { x: { $ref: '#/definitions/none' } } }].map((parameter_openapi_schema) => ({ ...base(), parameter_openapi_schema })),
      ...[{ x: 1 }, { x: 'x' }, {}, { x: 1, z: 1 }, { x: 1, y: null }].map((parameters) => ({ ...base(), parameters, parameter_openapi_schema: SCHEMA })),
      { ...base(), parameters: { x: 'x' }, parameter_openapi_schema: SCHEMA, enforce_parameter_schema: false },
      { ...base(), enforce_parameter_schema: null },
      ...[null, 'x', {}, [], [1], [{ a: null }]].map((pull_steps) => ({ ...base(), pull_steps })),
      ...[null, api.name(), '', 1].map((work_pool_name) => ({ ...base(), work_pool_name })),
      ...[null, 'q1', '', 'a/b', 1].map((work_queue_name) => ({ ...base(), work_pool_name: pool, work_queue_name, job_variables: { image: 'i' } })),
      { ...base(), work_queue_name: api.name() },
      ...[{}, { image: 'a' }, { image: 1 }, { n: 'x' }, { image: 'a', other: 1 }, null, 'x'].map((job_variables) => ({ ...base(), work_pool_name: pool, job_variables })),
      ...[1, 0, -1, null, 'x', 1.5, '2'].map((concurrency_limit) => ({ ...base(), concurrency_limit })),
      ...[null, {}, { collision_strategy: 'ENQUEUE' }, { collision_strategy: 'x' }, { collision_strategy: 'CANCEL_NEW', grace_period_seconds: 59 }, { collision_strategy: 'CANCEL_NEW', grace_period_seconds: 60 }, { collision_strategy: 'CANCEL_NEW', grace_period_seconds: 86401 }, { unknown: 1 }].map(
        (concurrency_options) => ({ ...base(), concurrency_limit: 1, concurrency_options }),
      ),
      { ...base(), concurrency_options: { collision_strategy: 'CANCEL_NEW' } },
      { ...base(), global_concurrency_limit_id: limit.id },
      { ...base(), global_concurrency_limit_id: api.id() },
      { ...base(), global_concurrency_limit_id: limit.id, concurrency_limit: 1 },
      { ...base(), storage_document_id: api.id() },
      { ...base(), infrastructure_document_id: api.id() },
      { ...base(), version: 1 },
      { ...base(), version_info: { type: 'git', version: 'abc', branch: 'main' } },
      { ...base(), version_info: { version: 'abc' } },
      { ...base(), description: 'x'.repeat(10_000), path: 'p', entrypoint: 'e', version: 'v' },
      { ...base(), infra_overrides: {} },
      { ...base(), is_schedule_active: true },
      { ...base(), unknown: 1, id: api.id() },
    ]);
  },

  'filter, sort, page, count': async (api) => {
    const { tag, flows, names, deployments, own } = await makeDeployments(api);
    for (const sort of ['CREATED_DESC', 'UPDATED_DESC', 'NAME_ASC', 'NAME_DESC', 'CONCURRENCY_LIMIT_ASC', 'name_asc', 1, null]) await api.eachPath('POST', ['/deployments/filter', '/deployments/paginate'], { deployments: own, sort });
    await api.each('POST', '/deployments/filter', PAGES.map((page) => ({ deployments: own, ...page })));
    await api.each('POST', '/deployments/paginate', NUMBERED_PAGES.map((page) => ({ deployments: own, ...page })));
    const filters = [
      ...idFilters(deployments.slice(1, 3).map(({ id }) => id)).map((id) => ({ id })),
      { id: { not_any_: [deployments[0].id] } },
      { id: { not_any_: [] } },
      ...textFilters(names.slice(0, 2)).map((name) => ({ name, tags: { all_: [tag] } })),
      ...likeFilters(`${tag}-`).map((name) => ({ name, tags: { all_: [tag] } })),
      ...likeFilters(`${tag}-flow-a`).map((flow_or_deployment_name) => ({ flow_or_deployment_name })),
      { flow_or_deployment_name: { like_: `${tag}-c` } },
      { flow_or_deployment_name: { any_: [names[0]] } },
      ...[true, false, null, 'true', 'x'].map((eq_) => ({ paused: { eq_ } })),
      ...tagsFilters([tag, 'even']).map((tags) => ({ tags })),
      { tags: { any_: ['even'] } },
      ...textFilters([`${tag}-q`, 'default']).map((work_queue_name) => ({ work_queue_name })),
      { concurrency_limit: { ge_: 1 } },
      { concurrency_limit: { is_null_: true } },
      { concurrency_limit: { le_: 1, is_null_: false } },
      { concurrency_limit: 1 },
      { operator: 'or_', id: { any_: [deployments[0].id] }, name: { any_: [names[1]] } },
      { operator: 'xor_' },
      { unknown: 1 },
    ].map((filter) => ({ ...own, ...filter }));
    await api.each('POST', '/deployments/filter', filters.map((deployments) => ({ deployments })));
    await api.each('POST', '/deployments/count', filters.map((deployments) => ({ deployments })));
    const others = [
      { flows: { id: { any_: [flows[0].id] } } },
      { flows: { tags: { all_: [tag] } } },
      { flow_runs: { state: { type: { any_: ['RUNNING'] } } } },
      { flow_runs: {} },
      { task_runs: { name: { any_: ['x'] } } },
      { work_pools: { name: { any_: [tag] } } },
      { work_pools: { type: { any_: ['none'] } } },
      { work_pool_queues: { name: { any_: ['default'] } } },
      { work_pool_queues: { name: { startswith_: [tag] } } },
      { work_pools: null, work_pool_queues: null, flows: null },
      { work_pool_queues: { unknown: 1 } },
      { flows: 'x' },
    ].map((body) => ({ deployments: own, ...body }));
    for (const path of ['/deployments/filter', '/deployments/count', '/deployments/paginate']) await api.each('POST', path, [...others, ...MALFORMED.slice(1)]);
  },

  'create runs': async (api) => {
    const flow_id = await makeFlow(api);
    const pool = api.name();
    await api.post('/work_pools/', { name: pool, base_job_template: { job_configuration: { image: '{{ image }}' }, variables: { type: 'object', properties: { image: { type: 'string' } } } } });
    const deployment = await api.post('/deployments/', { name: api.name(), flow_id, tags: ['d'], labels: { a: 'd', b: 'd' }, parameters: { x: 1 }, parameter_openapi_schema: SCHEMA, work_pool_name: pool, job_variables: { image: 'i' }, version: 'v' });
    const path = `/deployments/${deployment.id}/create_flow_run`;
    const key = api.name();
    await api.each('POST', path, [
      {},
      { name: 'named', tags: ['r'], labels: { b: 'r', 'prefect.flow.id': 'x' }, context: { c: 1 } },
      { parameters: { x: 2, y: 'z' } },
      { parameters: { x: 'no integer' } },
      { parameters: { x: null } },
      { parameters: { z: 1 } },
      { parameters: { z: 1 }, enforce_parameter_schema: false },
      { parameters: { x: { __prefect_kind: 'json', value: '5' } } },
      { parameters: { x: { __prefect_kind: 'json', value: '{' } } },
      { parameters: { x: { __prefect_kind: 'jinja', template: '{{ 1 + 1 }}' } } },
      { parameters: { x: { __prefect_kind: 'workspace_variable', variable_name: 'none' } } },
      { parameters: { x: { __prefect_kind: 'none' } } },
      { parameters: null },
      { parameters: 'x' },
      { state: { type: 'RUNNING' } },
      { state: { type: 'SCHEDULED', state_details: { scheduled_time: api.time(3600) } } },
      { state: { type: 'x' } },
      { state: null },
      { idempotency_key: key },
      { idempotency_key: key },
      { work_queue_name: 'new' },
      { work_queue_name: null },
      { job_variables: { image: 'other' } },
      { job_variables: { image: 1 } },
      { job_variables: null },
      { infrastructure_document_id: api.id() },
      { parent_task_run_id: api.id() },
      { empirical_policy: { retries: 2 } },
      { name: null },
      { name: '' },
      { tags: null },
      { unknown: 1 },
      null,
      undefined,
      ...MALFORMED,
    ]);
    await api.eachPath('POST', [`/deployments/${api.id()}/create_flow_run`, '/deployments/x/create_flow_run'], {});
    await api.each('POST', `${path}/bulk`, [[], [{ name: 'a' }, { name: 'b', parameters: { x: 5 } }], [{ name: 'a' }, { parameters: { x: 'x' } }], [{ unknown: 1 }], Array.from({ length: 101 }, () => ({})), {}, null, ...MALFORMED.slice(1)]);
    await api.post(`/deployments/${api.id()}/create_flow_run/bulk`, [{}]);
  },

  'scheduled runs': async (api) => {
    const flow_id = await makeFlow(api);
    const [one, two] = await api.each('POST', '/deployments/', [{ name: api.name(), flow_id }, { name: api.name(), flow_id, paused: true }]);
    for (const { id } of [one, two])
      for (const offset of [-30, 3600]) await api.post(`/deployments/${id}/create_flow_run`, { name: `run${offset}`, state: { type: 'SCHEDULED', name: 'AwaitingRetry', state_details: { scheduled_time: api.time(offset) } } });
    await api.each('POST', '/deployments/get_scheduled_flow_runs', [
      { deployment_ids: [one.id] },
      { deployment_ids: [two.id] },
      { deployment_ids: [one.id, api.id()], scheduled_before: api.time(5) },
      { deployment_ids: [one.id], limit: 1 },
      ...[0, 201, 'x', null].map((limit) => ({ deployment_ids: [one.id], limit })),
      { deployment_ids: [] },
      { deployment_ids: ['x'] },
      { deployment_ids: null },
      { deployment_ids: [one.id], scheduled_before: 'x' },
      { deployment_ids: [one.id], unknown: 1 },
      {},
      ...MALFORMED,
    ]);
    // The real server notes the poll a moment later.
    await api.eventually(({ status }) => status === 'READY', 'GET', `/deployments/${one.id}`);
    await api.each('POST', `/deployments/${one.id}/schedule`, [{}, { start_time: api.time(), end_time: api.time(3600), min_time: 60, min_runs: 1, max_runs: 2 }, { start_time: 'x' }, { min_time: -1 }, { min_runs: 'x' }, { max_runs: -1 }, { unknown: 1 }, undefined, ...MALFORMED.slice(1)]);
    await api.eachPath('POST', [`/deployments/${api.id()}/schedule`, '/deployments/x/schedule'], {});
    await api.post(`/deployments/${one.id}/pause_deployment`);
    await api.post('/deployments/get_scheduled_flow_runs', { deployment_ids: [one.id] });
    await api.delete(`/deployments/${one.id}`);
    await api.post('/flow_runs/count', { flow_runs: { deployment_id: { any_: [one.id] } } });
  },

  'bulk delete': async (api) => {
    const { deployments, own } = await makeDeployments(api);
    await api.each('POST', '/deployments/bulk_delete', [...MALFORMED.slice(1), ...[0, 51, -1, 'x', 1.5].map((limit) => ({ deployments: own, limit })), { deployments: 'x' }, { deployments: { unknown: 1 } }]);
    await api.post('/deployments/bulk_delete', { deployments: { id: { any_: [deployments[0].id, api.id()] } } });
    await api.post('/deployments/bulk_delete', { deployments: own, limit: 2 }, { unordered: true });
    await api.post('/deployments/bulk_delete', { deployments: own }, { unordered: true });
    await api.post('/deployments/bulk_delete', { deployments: own });
    await api.post('/deployments/count', { deployments: own });
  },
};
