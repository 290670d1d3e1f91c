import assert from 'node:assert/strict';
import { flowRun } from '@praetor/schema/flow-run';
import { test } from '@praetor/test/support/postgres-test';
import { type TestGateway, startGateway } from './support.ts';

const UNKNOWN = '11111111-1111-1111-1111-111111111111';
const SCHEMA = { type: 'object', properties: { n: { type: 'integer' }, s: { type: 'string' } }, required: ['s'] };
const TEMPLATE = {
  job_configuration: { command: '{{ command }}' },
  variables: { type: 'object', properties: { command: { type: 'string', default: 'run' }, image: { type: 'string' }, count: { type: 'integer' } }, required: ['image'] },
};

async function createDeployment({ api }: TestGateway, body: object): Promise<string> {
  const { id: flow_id } = await api.expect([200, 201], 'POST', '/flows/', { name: 'etl' });
  return (await api.expect([200, 201], 'POST', '/deployments/', { name: 'd', flow_id, ...body })).id;
}

test('a run of a deployment', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const id = await createDeployment(gateway, { parameter_openapi_schema: SCHEMA, parameters: { n: 3 }, tags: ['t', 'u'], version: 'v1', labels: { x: 1 } });
  const create = (status: number | number[], body: object) => api.expect(status, 'POST', `/deployments/${id}/create_flow_run`, body);

  await t.test('takes after it', async () => {
    const run = await create(201, { parameters: { s: 'a' } });
    assert.deepEqual(Object.keys(run), flowRun.keyof().options);
    assert.partialDeepStrictEqual(run, {
      deployment_id: id,
      deployment_version: 'v1',
      parameters: { n: 3, s: 'a' },
      tags: ['t', 'u'],
      labels: { x: 1, 'prefect.deployment.id': id, 'prefect.flow.id': run.flow_id },
      state_type: 'SCHEDULED',
      state: { message: null, state_details: { flow_run_id: run.id } },
      job_variables: {},
      created_by: null,
    });
  });

  await t.test('takes what the request lays over it, once per key', async () => {
    const body = { parameters: { s: 'a', n: 4 }, tags: ['u', 'z', 'z'], labels: { 'prefect.flow.id': 'mine' }, name: 'mine', context: { c: 1 }, idempotency_key: 'k', state: { type: 'PENDING' } };
    const run = await create(201, body);
    assert.partialDeepStrictEqual(run, { parameters: { s: 'a', n: 4 }, tags: ['t', 'u', 'z'], labels: { 'prefect.flow.id': 'mine' }, name: 'mine', context: { c: 1 }, state_type: 'PENDING' });
    assert.partialDeepStrictEqual(await create(200, { parameters: { s: 'b' }, idempotency_key: 'k' }), { id: run.id, parameters: { s: 'a' } });
  });

  await t.test('is caused by an automation, if the headers say so', async () => {
    const headers = { 'prefect-automation-id': UNKNOWN, 'prefect-automation-name': Buffer.from('auto').toString('base64') };
    const { body } = await api.request('POST', `/deployments/${id}/create_flow_run`, { parameters: { s: 'a' } }, headers);
    assert.deepEqual(body.created_by, { id: UNKNOWN, type: 'AUTOMATION', display_value: 'auto' });
  });

  const refused: [name: string, status: number, body: object][] = [
    ['a missing parameter', 409, {}],
    ['a parameter that does not fit', 409, { parameters: { s: 1 } }],
    ['an unknown variable', 400, { parameters: { s: { __prefect_kind: 'workspace_variable', variable_name: 'nope' } } }],
    ['a queue without a pool', 400, { parameters: { s: 'a' }, work_queue_name: 'q' }],
    ['an unknown parent', 409, { parameters: { s: 'a' }, parent_task_run_id: UNKNOWN }],
    ['an unknown field', 422, { parameters: { s: 'a' }, flow_id: UNKNOWN }],
    ['parameters that are none', 422, { parameters: null }],
  ];
  for (const [name, status, body] of refused) await t.test(`is refused for ${name}`, () => create(status, body));

  await t.test('need not fit the schema where the request says so', () => create(201, { parameters: { n: 'x' }, enforce_parameter_schema: false }));

  await t.test('is refused where there is nothing to fit, or nothing to run', async () => {
    await api.expect(404, 'POST', `/deployments/${UNKNOWN}/create_flow_run`, {});
    const bare = await createDeployment(gateway, { name: 'bare', parameter_openapi_schema: null });
    await api.expect(409, 'POST', `/deployments/${bare}/create_flow_run`, {});
  });

  await t.test('needs job variables that suit the pool', async () => {
    await api.expect(201, 'POST', '/work_pools/', { name: 'p', type: 'process', base_job_template: TEMPLATE });
    const pooled = await createDeployment(gateway, { name: 'pooled', work_pool_name: 'p', job_variables: { count: 1 } });
    const path = `/deployments/${pooled}/create_flow_run`;
    await api.expect(422, 'POST', path, {});
    await api.expect(422, 'POST', path, { job_variables: { image: 'x', count: 'y' } });
    const run = await api.expect(201, 'POST', path, { job_variables: { image: 'x' }, work_queue_name: 'q' });
    assert.partialDeepStrictEqual(run, { work_pool_name: 'p', work_queue_name: 'q', job_variables: { image: 'x' } });
    await api.expect(200, 'GET', '/work_pools/p/queues/q');
  });

  await t.test('is created among others, however they fare', async () => {
    const path = `/deployments/${id}/create_flow_run/bulk`;
    const { results } = await api.expect(200, 'POST', path, [{ parameters: { s: 'a' } }, {}, { parameters: { s: 'b' }, idempotency_key: 'k' }]);
    assert.deepEqual(results.map(({ status, error }: { status: string; error: string | null }) => [status, typeof error]), [['CREATED', 'object'], ['FAILED', 'string'], ['CREATED', 'object']]);
    assert.equal((await api.expect(200, 'GET', `/flow_runs/${results[2].flow_run_id}`)).name, 'mine');
    assert.deepEqual(await api.expect(200, 'POST', path, []), { results: [] });
    await api.expect(400, 'POST', path, Array.from({ length: 101 }, () => ({})));
    await api.expect(404, 'POST', `/deployments/${UNKNOWN}/create_flow_run/bulk`, []);
  });

  await t.test('is handed to who serves the deployment, which is ready then', async () => {
    const runs = await api.expect(200, 'POST', '/deployments/get_scheduled_flow_runs', { deployment_ids: [id], scheduled_before: new Date().toISOString() });
    assert.ok(runs.length > 0 && runs.every((run: { state: { type: string } }) => run.state.type === 'SCHEDULED'));
    const { status, last_polled, updated } = await api.expect(200, 'GET', `/deployments/${id}`);
    assert.equal(status, 'READY');
    assert.ok(last_polled > updated);
    assert.deepEqual(await api.expect(200, 'POST', '/deployments/get_scheduled_flow_runs', { deployment_ids: [id], scheduled_before: '2020-01-01T00:00:00Z' }), []);
    await api.expect(422, 'POST', '/deployments/get_scheduled_flow_runs', {});
  });

  await t.test('may be picked by old queues with filters', async () => {
    await api.expect(201, 'POST', '/work_queues/', { name: 'by-tag', filter: { tags: ['t'] } });
    await api.expect(201, 'POST', '/work_queues/', { name: 'by-other-tag', filter: { tags: ['t', 'nope'] } });
    await api.expect(201, 'POST', '/work_queues/', { name: 'by-id', filter: { deployment_ids: [id] } });
    const queues = await api.expect(200, 'GET', `/deployments/${id}/work_queue_check`);
    assert.deepEqual(queues.map(({ name }: { name: string }) => name), ['by-id', 'by-tag']);
    const [, queue] = queues;
    const runs = await api.expect(200, 'POST', `/work_queues/${queue.id}/get_runs`, { limit: 2 });
    assert.equal(runs.length, 2);
    await api.expect(404, 'GET', `/deployments/${UNKNOWN}/work_queue_check`);
  });
});

test('a poll of a work pool', async (t) => {
  await using gateway = await startGateway();
  const { api, database } = gateway;
  await api.expect(201, 'POST', '/work_pools/', { name: 'p', type: 'process' });
  await api.expect(201, 'POST', '/work_pools/p/queues', { name: 'slow', priority: 2 });
  const id = await createDeployment(gateway, { work_pool_name: 'p' });
  const minutes = (count: number) => new Date(Date.now() + count * 60_000).toISOString();
  const create = async (name: string, dueInMinutes: number, queue?: string): Promise<string> => {
    const state = { type: 'SCHEDULED', state_details: { scheduled_time: minutes(dueInMinutes) } };
    return (await api.expect(201, 'POST', `/deployments/${id}/create_flow_run`, { name, state, ...(queue && { work_queue_name: queue }) })).id;
  };
  const poll = async (body: object = {}): Promise<string[]> =>
    (await api.expect(200, 'POST', '/work_pools/p/get_scheduled_flow_runs', body)).map(({ flow_run }: { flow_run: { name: string } }) => flow_run.name);

  await create('late', -10);
  await create('later', 10);
  await create('slow', -20, 'slow');
  const started = await create('started', -5);

  await t.test('gives runs by the rank of their queue and then by time, and makes everything ready', async () => {
    assert.equal((await api.expect(200, 'GET', '/work_pools/p')).status, 'NOT_READY');
    const [first] = await api.expect(200, 'POST', '/work_pools/p/get_scheduled_flow_runs', { limit: 1 });
    const pool = await api.expect(200, 'GET', '/work_pools/p');
    const queue = await api.expect(200, 'GET', '/work_pools/p/queues/default');
    assert.deepEqual([first.work_pool_id, first.work_queue_id], [pool.id, queue.id]);
    assert.deepEqual(Object.keys(first.flow_run).toSorted(), flowRun.keyof().options.filter((key) => !key.startsWith('work_pool')).toSorted());
    assert.partialDeepStrictEqual(first.flow_run, { name: 'late', state_type: 'SCHEDULED', state: { type: 'SCHEDULED' } });
    assert.deepEqual([pool.status, queue.status, (await api.expect(200, 'GET', `/deployments/${id}`)).status], ['READY', 'READY', 'READY']);
    const events = (gateway.published.events as { event: string }[]).map(({ event }) => event).filter((event) => event.endsWith('.ready'));
    assert.deepEqual(events, ['prefect.work-pool.ready', 'prefect.work-queue.ready', 'prefect.work-queue.ready', 'prefect.deployment.ready']);
    assert.deepEqual(await poll(), ['late', 'started', 'later', 'slow']);
  });

  await t.test('gives only what is asked for', async () => {
    assert.deepEqual(await poll({ scheduled_before: minutes(0) }), ['late', 'started', 'slow']);
    assert.deepEqual(await poll({ scheduled_after: minutes(0) }), ['later']);
    assert.deepEqual(await poll({ work_queue_names: ['slow'] }), ['slow']);
    assert.deepEqual(await poll({ limit: 2 }), ['late', 'started']);
    assert.deepEqual(await poll({ limit: 0 }), []);
    await api.expect(404, 'POST', '/work_pools/p/get_scheduled_flow_runs', { work_queue_names: ['nope'] });
    await api.expect(404, 'POST', '/work_pools/nope/get_scheduled_flow_runs', {});
    await api.expect(422, 'POST', '/work_pools/p/get_scheduled_flow_runs', { limit: 201 });
  });

  await t.test('gives no more than there are free slots', async () => {
    await api.expect(201, 'POST', `/flow_runs/${started}/set_state`, { state: { type: 'PENDING' } });
    await api.expect(204, 'PATCH', '/work_pools/p/queues/default', { concurrency_limit: 2 });
    assert.deepEqual(await poll(), ['late', 'slow']);
    await api.expect(204, 'PATCH', '/work_pools/p', { concurrency_limit: 2 });
    assert.deepEqual(await poll(), ['late']);
    assert.equal((await api.expect(200, 'GET', '/work_pools/p')).active_slots, 1);
    assert.equal((await api.expect(200, 'GET', '/work_pools/p/queues/default')).active_slots, 1);
    await api.expect(204, 'PATCH', '/work_pools/p', { concurrency_limit: 0 });
    assert.deepEqual(await poll(), []);
    await api.expect(204, 'PATCH', '/work_pools/p', { concurrency_limit: null });
    await api.expect(204, 'PATCH', '/work_pools/p/queues/default', { concurrency_limit: null });
  });

  await t.test('leaves out what retries by itself, and queues and pools that are paused', async () => {
    await database.sql`update flow_run set empirical_policy = '{"retry_type": "in_process"}' where name = 'later'`;
    assert.deepEqual(await poll(), ['late', 'slow']);
    await api.expect(204, 'PATCH', '/work_pools/p/queues/default', { is_paused: true });
    assert.deepEqual(await poll(), ['slow']);
    await api.expect(204, 'PATCH', '/work_pools/p', { is_paused: true });
    assert.deepEqual(await poll(), []);
    assert.equal((await api.expect(200, 'GET', '/work_pools/p')).status, 'PAUSED');
    await api.expect(204, 'PATCH', '/work_pools/p', { is_paused: false });
    await api.expect(204, 'PATCH', '/work_pools/p/queues/default', { is_paused: false });
  });

  await t.test('by many workers at once gives each of them all that is due', async () => {
    const polls = await Promise.all(Array.from({ length: 8 }, () => poll()));
    for (const names of polls) assert.deepEqual(names, ['late', 'slow']);
  });

  await t.test('tells who holds the slots', async () => {
    const status = await api.expect(200, 'POST', '/work_pools/p/concurrency_status', { limit: 1 });
    assert.partialDeepStrictEqual(status, { active_slots: 1, concurrency_limit: null, count: 2, limit: 1, pages: 2, page: 1 });
    assert.equal(status.queues.length, 1);
    const [{ flow_runs: [holder], ...queue }] = status.queues;
    assert.partialDeepStrictEqual(queue, { queue_name: 'default', active_slots: 1, concurrency_limit: null, flow_run_count: 1 });
    assert.partialDeepStrictEqual(holder, { id: started, name: 'started', state_type: 'PENDING', state_name: 'Pending', start_time: null });
    assert.ok(holder.time_in_current_state >= 0);
    const own = await api.expect(200, 'POST', `/work_queues/${queue.queue_id}/concurrency_status`, {});
    assert.partialDeepStrictEqual(own, { active_slots: 1, concurrency_limit: null, count: 1, pages: 1, page: 1 });
    assert.equal(own.flow_runs[0].id, started);
    await api.expect(404, 'POST', '/work_pools/nope/concurrency_status', {});
    await api.expect(404, 'POST', `/work_queues/${UNKNOWN}/concurrency_status`, {});
  });

  await t.test('of one queue by its id, which the user interface may look into without polling', async () => {
    const queue = await api.expect(201, 'POST', '/work_pools/p/queues', { name: 'quiet' });
    await create('own', -1, queue.name);
    const path = `/work_queues/${queue.id}`;
    const { body } = await api.request('POST', `${path}/get_runs`, {}, { 'x-prefect-ui': 'true' });
    assert.deepEqual(body.map(({ name }: { name: string }) => name), ['own']);
    assert.equal((await api.expect(200, 'GET', path)).last_polled, null);
    await api.expect(200, 'POST', `${path}/get_runs`, { scheduled_before: minutes(-5) });
    assert.equal((await api.expect(200, 'GET', path)).status, 'READY');
  });
});
