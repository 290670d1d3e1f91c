import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '@praetor/test/support/api';
import { until } from '@praetor/test/support/poll';

/*
 * The functional checks which this system was asked to pass literally, one function each. They run against a live
 * server in every topology (topologies.test.ts) and need its background services.
 */

const unique = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;
const CREATED = [200, 201];

async function createFlow(api: Api, name = unique('flow')) {
  const flow = await api.expect(CREATED, 'POST', '/flows/', { name });
  assert.equal(typeof flow.id, 'string');
  assert.equal(flow.name, name);
  assert.ok('created' in flow && 'updated' in flow);
  return flow;
}

async function createPendingRun(api: Api, extra: object = {}) {
  const flow = await createFlow(api);
  const run = await api.expect(CREATED, 'POST', '/flow_runs/', { flow_id: flow.id, name: unique('run'), state: { type: 'PENDING', name: 'Pending' }, ...extra });
  assert.equal(run.flow_id, flow.id);
  assert.equal(run.state_type, 'PENDING');
  return run;
}

async function setState(api: Api, kind: 'flow_runs' | 'task_runs', id: string, type: string, message?: string) {
  const name = type.charAt(0) + type.slice(1).toLowerCase();
  return await api.expect(CREATED, 'POST', `/${kind}/${id}/set_state`, { state: { type, name, ...(message !== undefined && { message }) }, force: false });
}

async function accept(api: Api, kind: 'flow_runs' | 'task_runs', id: string, ...types: string[]): Promise<void> {
  for (const type of types) assert.equal((await setState(api, kind, id, type)).status, 'ACCEPT', `${kind} → ${type}`);
}

async function createDeployment(api: Api, extra: object = {}) {
  const flow = await createFlow(api);
  const deployment = await api.expect(CREATED, 'POST', '/deployments/', { name: unique('deployment'), flow_id: flow.id, ...extra });
  return { flow, deployment };
}

async function createPool(api: Api, type = 'process') {
  const pool = await api.expect(CREATED, 'POST', '/work_pools/', { name: unique('pool'), type });
  assert.ok(pool.default_queue_id, 'a pool has a default queue');
  return pool;
}

async function scheduleRun(api: Api, deploymentId: string) {
  const run = await api.expect(CREATED, 'POST', `/deployments/${deploymentId}/create_flow_run`, { state: { type: 'SCHEDULED', name: 'Scheduled' } });
  assert.equal(run.state_type, 'SCHEDULED');
  return run;
}

async function runsOf(api: Api, deploymentId: string): Promise<{ parameters: object }[]> {
  const runs = await api.expect(200, 'POST', '/flow_runs/filter', { limit: 100 });
  return runs.filter((run: { deployment_id: string }) => run.deployment_id === deploymentId);
}

async function checkAdmin(api: Api): Promise<void> {
  assert.equal(await api.expect(200, 'GET', '/health'), true);
  assert.equal(typeof (await api.expect(200, 'GET', '/admin/version')), 'string');
  await api.expect([200, 422], 'GET', '/csrf-token?client=test-client');
}

async function checkFlowRun(api: Api, final: 'COMPLETED' | 'FAILED'): Promise<void> {
  const run = await createPendingRun(api);
  assert.equal((await api.expect(200, 'GET', `/flow_runs/${run.id}`)).state_type, 'PENDING');
  await accept(api, 'flow_runs', run.id, 'RUNNING', final);
  assert.equal((await api.expect(200, 'GET', `/flow_runs/${run.id}`)).state_type, final);
}

async function checkFlowWithTaskRuns(api: Api): Promise<void> {
  const run = await createPendingRun(api);
  await accept(api, 'flow_runs', run.id, 'RUNNING');
  const ids: string[] = [];
  for (const step of ['extract', 'transform', 'load']) {
    const body = { flow_run_id: run.id, task_key: `${step}_data`, dynamic_key: `${step}-0`, name: `${step}_data-0`, state: { type: 'PENDING', name: 'Pending' } };
    const taskRun = await api.expect(CREATED, 'POST', '/task_runs/', body);
    await accept(api, 'task_runs', taskRun.id, 'RUNNING', 'COMPLETED');
    ids.push(taskRun.id);
  }
  await accept(api, 'flow_runs', run.id, 'COMPLETED');
  for (const id of ids) {
    const taskRun = await api.expect(200, 'GET', `/task_runs/${id}`);
    assert.deepEqual([taskRun.flow_run_id, taskRun.state_type], [run.id, 'COMPLETED']);
  }
}

async function checkTaskRun(api: Api): Promise<void> {
  const taskRun = await api.expect(CREATED, 'POST', '/task_runs/', { task_key: 'some-task', dynamic_key: unique('key'), name: unique('task'), state: { type: 'PENDING', name: 'Pending' } });
  await api.expect(200, 'GET', `/task_runs/${taskRun.id}`);
  await accept(api, 'task_runs', taskRun.id, 'RUNNING', 'COMPLETED');
}

async function checkFilters(api: Api): Promise<void> {
  for (const resource of ['flows', 'flow_runs', 'task_runs']) assert.ok(Array.isArray(await api.expect(200, 'POST', `/${resource}/filter`, {})));
}

async function checkLogs(api: Api): Promise<void> {
  const timestamp = new Date().toISOString();
  await api.expect(
    [200, 201, 204],
    'POST',
    '/logs/',
    [20, 30].map((level) => ({ level, message: `log ${level}`, name: 'test', timestamp })),
  );
}

async function checkVariables(api: Api): Promise<void> {
  const name = unique('var');
  const variable = await api.expect(201, 'POST', '/variables/', { name, value: { nested: 'object', count: 42 }, tags: ['benchmark', 'test'] });
  for (const field of ['id', 'name', 'value', 'tags', 'created', 'updated']) assert.ok(field in variable, field);
  await api.expect(200, 'GET', `/variables/name/${name}`);
  await api.expect(200, 'GET', `/variables/${variable.id}`);
  await api.expect(204, 'PATCH', `/variables/name/${name}`, { value: 'updated' });
  await api.expect(200, 'POST', '/variables/filter', { limit: 10 });
  assert.ok((await api.expect(200, 'POST', '/variables/count', {})) >= 1);
  await api.expect(409, 'POST', '/variables/', { name, value: 'again' });
  await api.expect(204, 'DELETE', `/variables/name/${name}`);
}

async function checkBlocks(api: Api): Promise<void> {
  const slug = unique('block');
  const type = await api.expect(CREATED, 'POST', '/block_types/', { name: `Block ${slug}`, slug, description: 'a block type' });
  await api.expect(200, 'GET', `/block_types/slug/${slug}`);
  const schema = await api.expect(CREATED, 'POST', '/block_schemas/', {
    block_type_id: type.id,
    fields: { properties: { value: { type: 'string' } } },
    capabilities: ['test'],
    version: '1.0.0',
  });
  await api.expect(200, 'GET', `/block_schemas/checksum/${schema.checksum}`);
  const name = unique('doc');
  const document = await api.expect(CREATED, 'POST', '/block_documents/', { name, block_type_id: type.id, block_schema_id: schema.id, data: { value: 'secret-value' } });
  await api.expect(200, 'GET', `/block_documents/${document.id}`);
  await api.expect(200, 'GET', `/block_types/slug/${slug}/block_documents/name/${name}`);
  await api.expect(204, 'PATCH', `/block_documents/${document.id}`, { data: { value: 'updated' } });
  for (const resource of ['block_types', 'block_schemas', 'block_documents']) await api.expect(200, 'POST', `/${resource}/filter`, {});
  await api.expect(204, 'DELETE', `/block_documents/${document.id}`);
}

async function checkWorkPools(api: Api): Promise<void> {
  const pool = await createPool(api);
  const path = `/work_pools/${pool.name}`;
  await api.expect(200, 'GET', path);
  await api.expect(204, 'PATCH', path, { description: 'updated' });
  assert.ok(Array.isArray(await api.expect(200, 'POST', '/work_pools/filter', {})));
  const queue = await api.expect(CREATED, 'POST', `${path}/queues/`, { name: unique('queue'), description: 'test queue', priority: 5 });
  assert.equal(queue.work_pool_id, pool.id);
  assert.equal(queue.priority, 5);
  await api.expect(200, 'GET', `${path}/queues/${queue.name}`);
  assert.ok((await api.expect(200, 'POST', `${path}/queues/filter`, {})).length >= 2);
  await api.expect(204, 'POST', `${path}/workers/heartbeat`, { name: 'worker-1', heartbeat_interval_seconds: 30 });
  assert.equal((await api.expect(200, 'GET', path)).status, 'READY');
  assert.ok((await api.expect(200, 'POST', `${path}/workers/filter`, {})).length >= 1);
  await api.expect(204, 'DELETE', `${path}/queues/${queue.name}`);
  await api.expect(204, 'DELETE', path);
}

async function checkDeployments(api: Api): Promise<void> {
  const { flow, deployment } = await createDeployment(api, {
    description: 'test deployment',
    tags: ['test', 'benchmark'],
    parameters: { key: 'value' },
    schedules: [{ schedule: { interval: 3600 }, active: true }],
  });
  assert.ok('status' in deployment);
  assert.equal(deployment.schedules.length, 1);
  const path = `/deployments/${deployment.id}`;
  await api.expect(200, 'GET', path);
  await api.expect(200, 'GET', `/deployments/name/${flow.name}/${deployment.name}`);
  await api.expect(204, 'PATCH', path, { description: 'updated' });
  await api.expect(200, 'POST', '/deployments/filter', { limit: 10 });
  await api.expect(200, 'POST', '/deployments/count', {});
  await api.expect(204, 'POST', `${path}/pause_deployment`, {});
  await api.expect(204, 'POST', `${path}/resume_deployment`, {});
  const run = await api.expect(CREATED, 'POST', `${path}/create_flow_run`, {});
  assert.equal(run.deployment_id, deployment.id);
  assert.equal((await api.expect(200, 'GET', `${path}/schedules`)).length, 1);
  const created = await api.expect(CREATED, 'POST', `${path}/schedules`, { schedule: { cron: '0 0 * * *' }, active: false });
  assert.equal(created.length, 1);
  await api.expect(204, 'PATCH', `${path}/schedules/${created[0].id}`, { active: true });
  await api.expect(204, 'DELETE', `${path}/schedules/${created[0].id}`);
  await api.expect(204, 'DELETE', path);
}

async function checkServePattern(api: Api): Promise<void> {
  const { deployment } = await createDeployment(api);
  const run = await scheduleRun(api, deployment.id);
  const body = { deployment_ids: [deployment.id], scheduled_before: new Date().toISOString(), limit: 10 };
  const due = await api.expect(200, 'POST', '/deployments/get_scheduled_flow_runs', body);
  assert.ok(due.some(({ id }: { id: string }) => id === run.id));
  await accept(api, 'flow_runs', run.id, 'PENDING', 'RUNNING', 'COMPLETED');
  await api.expect(204, 'DELETE', `/deployments/${deployment.id}`);
}

async function checkWorkerPattern(api: Api): Promise<void> {
  const pool = await createPool(api, 'kubernetes');
  const { deployment } = await createDeployment(api, { work_pool_name: pool.name });
  await api.expect(204, 'POST', `/work_pools/${pool.name}/workers/heartbeat`, { name: 'k8s-worker-1', heartbeat_interval_seconds: 30 });
  const run = await scheduleRun(api, deployment.id);
  const due = await api.expect(200, 'POST', `/work_pools/${pool.name}/get_scheduled_flow_runs`, {});
  assert.ok(due.some((entry: { flow_run: { id: string } }) => entry.flow_run.id === run.id));
  await accept(api, 'flow_runs', run.id, 'PENDING', 'RUNNING', 'COMPLETED');
  await api.expect(204, 'DELETE', `/deployments/${deployment.id}`);
  await api.expect(204, 'DELETE', `/work_pools/${pool.name}`);
}

async function checkScheduledFlowRuns(api: Api): Promise<void> {
  const pool = await createPool(api);
  assert.equal(pool.status, 'NOT_READY');
  const { deployment } = await createDeployment(api, { work_pool_name: pool.name });
  assert.equal(deployment.status, 'NOT_READY');
  const run = await scheduleRun(api, deployment.id);
  const poll = `/work_pools/${pool.name}/get_scheduled_flow_runs`;
  const due = await api.expect(200, 'POST', poll, {});
  const entry = due.find((item: { flow_run: { id: string } }) => item.flow_run.id === run.id);
  assert.deepEqual([entry?.work_pool_id, entry?.work_queue_id], [pool.id, pool.default_queue_id]);
  assert.equal((await api.expect(200, 'GET', `/work_pools/${pool.name}`)).status, 'READY');
  assert.equal((await api.expect(200, 'GET', `/deployments/${deployment.id}`)).status, 'READY');
  await api.expect(200, 'POST', poll, { work_queue_names: ['default'] });
  await api.expect(200, 'POST', poll, { scheduled_before: new Date().toISOString() });
  await api.expect(204, 'DELETE', `/deployments/${deployment.id}`);
  await api.expect(204, 'DELETE', `/work_pools/${pool.name}`);
}

async function checkWorkQueuePriority(api: Api): Promise<void> {
  const pool = await createPool(api);
  for (const [name, priority] of [['high-priority', 1], ['low-priority', 100]] as const)
    await api.expect(CREATED, 'POST', `/work_pools/${pool.name}/queues/`, { name, priority });
  const runs = new Map<string, string>();
  for (const queue of ['low-priority', 'default', 'high-priority']) {
    const { deployment } = await createDeployment(api, { work_pool_name: pool.name, work_queue_name: queue });
    runs.set(queue, (await scheduleRun(api, deployment.id)).id);
  }
  const due: { flow_run: { id: string } }[] = await api.expect(200, 'POST', `/work_pools/${pool.name}/get_scheduled_flow_runs`, {});
  const position = (queue: string) => due.findIndex((entry) => entry.flow_run.id === runs.get(queue));
  for (const queue of runs.keys()) assert.ok(position(queue) >= 0, queue);
  assert.ok(position('high-priority') < position('low-priority'));
}

async function checkRetryFailedFlows(api: Api): Promise<void> {
  const run = await createPendingRun(api, { empirical_policy: { retries: 2, retry_delay: 1 } });
  await accept(api, 'flow_runs', run.id, 'RUNNING');
  assert.equal((await setState(api, 'flow_runs', run.id, 'FAILED', 'Test failure')).status, 'REJECT');
  const waiting = await api.expect(200, 'GET', `/flow_runs/${run.id}`);
  assert.deepEqual([waiting.state_type, waiting.state_name], ['SCHEDULED', 'AwaitingRetry']);
  await setState(api, 'flow_runs', run.id, 'PENDING');
  // The retry is due in one second; until then RUNNING is answered by WAIT.
  await until('the retry runs', async () => (await setState(api, 'flow_runs', run.id, 'RUNNING')).status === 'ACCEPT');
  assert.equal((await api.expect(200, 'GET', `/flow_runs/${run.id}`)).run_count, 2);
  await accept(api, 'flow_runs', run.id, 'COMPLETED');
}

async function checkCancellation(api: Api): Promise<void> {
  const run = await createPendingRun(api);
  await accept(api, 'flow_runs', run.id, 'RUNNING', 'CANCELLING');
  assert.equal((await api.expect(200, 'GET', `/flow_runs/${run.id}`)).state_type, 'CANCELLING');
  await accept(api, 'flow_runs', run.id, 'CANCELLED');
  assert.equal((await setState(api, 'flow_runs', run.id, 'PENDING')).status, 'REJECT');
}

async function checkLateRuns(api: Api): Promise<void> {
  const flow = await createFlow(api);
  const past = new Date(Date.now() - 60_000).toISOString();
  const run = await api.expect(CREATED, 'POST', '/flow_runs/', { flow_id: flow.id, name: unique('late'), state: { type: 'SCHEDULED', name: 'Scheduled' }, next_scheduled_start_time: past });
  await until('the run is Late', async () => (await api.get(`/flow_runs/${run.id}`)).body.state_name === 'Late');
}

async function checkSchedulerIdempotency(api: Api): Promise<void> {
  const pool = await createPool(api);
  const { deployment } = await createDeployment(api, { work_pool_name: pool.name, schedules: [{ schedule: { interval: 3600 }, active: true }] });
  await until('runs are scheduled', async () => (await runsOf(api, deployment.id)).length > 0, 10);
  await sleep(1000);
  const { length } = await runsOf(api, deployment.id);
  await sleep(6000);
  assert.equal((await runsOf(api, deployment.id)).length, length);
  await api.expect(204, 'DELETE', `/deployments/${deployment.id}`);
  await api.expect(204, 'DELETE', `/work_pools/${pool.name}`);
}

async function checkParameterMerging(api: Api): Promise<void> {
  const pool = await createPool(api);
  const { deployment } = await createDeployment(api, {
    work_pool_name: pool.name,
    parameters: { base_key: 'base_value', override_key: 'deployment_value' },
    schedules: [{ schedule: { interval: 3600 }, active: true, parameters: { override_key: 'schedule_value', schedule_key: 'schedule_only' } }],
  });
  const [run] = await until('runs are scheduled', async () => { const runs = await runsOf(api, deployment.id); return runs.length > 0 && runs; }, 10);
  assert.deepEqual(run?.parameters, { base_key: 'base_value', override_key: 'schedule_value', schedule_key: 'schedule_only' });
  await api.expect(204, 'DELETE', `/deployments/${deployment.id}`);
  await api.expect(204, 'DELETE', `/work_pools/${pool.name}`);
}

export const seedChecks: Record<string, (api: Api) => Promise<void>> = {
  admin: checkAdmin,
  'flow run (success)': (api) => checkFlowRun(api, 'COMPLETED'),
  'flow run (failure)': (api) => checkFlowRun(api, 'FAILED'),
  'flow with task runs': checkFlowWithTaskRuns,
  'task run': checkTaskRun,
  filters: checkFilters,
  logs: checkLogs,
  variables: checkVariables,
  blocks: checkBlocks,
  'work pools': checkWorkPools,
  deployments: checkDeployments,
  'serve pattern': checkServePattern,
  'worker pattern': checkWorkerPattern,
  'get scheduled flow runs': checkScheduledFlowRuns,
  'work queue priority': checkWorkQueuePriority,
  'retry failed flows': checkRetryFailedFlows,
  'cancellation flow': checkCancellation,
  'late runs': checkLateRuns,
  'scheduler idempotency': checkSchedulerIdempotency,
  'parameter merging': checkParameterMerging,
};
