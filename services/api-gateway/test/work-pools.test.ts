import assert from 'node:assert/strict';
import { workPool } from '@praetor/schema/work-pool';
import { workQueue } from '@praetor/schema/work-queue';
import { worker } from '@praetor/schema/worker';
import { test } from '@praetor/test/support/postgres-test';
import { type TestGateway, startGateway } from './support.ts';

interface Event {
  id: string;
  event: string;
  follows: string | null;
  resource: Record<string, string>;
  related: Record<string, string>[];
  payload: object;
}

/** The events published since the last call. */
function takeEvents({ published }: TestGateway): Event[] {
  return published.events.splice(0) as Event[];
}

const names = (events: Event[]) => events.map(({ event }) => event.replace('prefect.', ''));

const template = (properties: object) => ({ job_configuration: { command: '{{ command }}' }, variables: { type: 'object', properties } });

test('work pools', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;

  await t.test('are created with a default queue', async () => {
    const pool = await api.expect(201, 'POST', '/work_pools/', { name: 'p', type: 'process', description: 'd' });
    assert.deepEqual(Object.keys(pool), workPool.keyof().options);
    assert.partialDeepStrictEqual(pool, { status: 'NOT_READY', is_paused: false, base_job_template: {}, concurrency_limit: null, active_slots: null, storage_configuration: { bundle_upload_step: null } });
    assert.deepEqual(await api.expect(200, 'GET', '/work_pools/p'), pool);
    const queue = await api.expect(200, 'GET', '/work_pools/p/queues/default');
    assert.equal(queue.id, pool.default_queue_id);
    const events = takeEvents(gateway);
    assert.deepEqual(names(events), ['work-queue.created', 'work-pool.created', 'work-pool.not-ready']);
    assert.deepEqual(events[1]?.resource, { 'prefect.resource.id': `prefect.work-pool.${pool.id}`, 'prefect.resource.name': 'p', 'prefect.resource.role': 'work-pool', 'prefect.work-pool.type': 'process' });
    assert.deepEqual(events[1]?.related, [{ 'prefect.resource.id': `prefect.work-queue.${queue.id}`, 'prefect.resource.role': 'default-queue' }]);
    await api.expect(409, 'POST', '/work_pools/', { name: 'p' });
    assert.deepEqual(await api.expect(404, 'GET', '/work_pools/nope'), { detail: 'Work pool "nope" not found.' });
  });

  const refused: [name: string, status: number, body: object][] = [
    ['a blank name', 422, { name: ' ' }],
    ['a name with a slash', 422, { name: 'a/b' }],
    ['a reserved name', 403, { name: 'Prefect-managed' }],
    ['a negative limit', 422, { name: 'q', concurrency_limit: -1 }],
    ['half a template', 422, { name: 'q', base_job_template: { variables: { a: 1 } } }],
    ['a template with an undeclared variable', 422, { name: 'q', base_job_template: template({ image: {} }) }],
    ['a default that does not fit', 422, { name: 'q', base_job_template: template({ command: { type: 'string', default: 3 } }) }],
    ['a default that is an unknown block', 404, { name: 'q', base_job_template: template({ command: { default: { $ref: { block_document_id: 'zzz' } } } }) }],
  ];
  for (const [name, status, body] of refused) await t.test(`are not created with ${name}`, () => api.expect(status, 'POST', '/work_pools/', body));

  await t.test('change what is mentioned, and tell it', async () => {
    await api.expect(204, 'PATCH', '/work_pools/p', { description: 'new', concurrency_limit: 0, storage_configuration: { bundle_upload_step: { a: 1 } } });
    const [event] = takeEvents(gateway);
    assert.partialDeepStrictEqual(event, {
      event: 'prefect.work-pool.updated',
      payload: { updated_fields: ['description', 'concurrency_limit', 'storage_configuration'], updates: { description: { from: 'd', to: 'new' } } },
    });
    assert.partialDeepStrictEqual(await api.expect(200, 'GET', '/work_pools/p'), { description: 'new', concurrency_limit: 0, active_slots: 0, type: 'process' });
    await api.expect(204, 'PATCH', '/work_pools/p', { concurrency_limit: null });
    takeEvents(gateway);
    await api.expect(204, 'PATCH', '/work_pools/p', { description: 'new' });
    assert.deepEqual(takeEvents(gateway), []);
    await api.expect(422, 'PATCH', '/work_pools/p', { name: 'q' });
    for (const field of ['is_paused', 'base_job_template', 'storage_configuration']) await api.expect(409, 'PATCH', '/work_pools/p', { [field]: null });
    await api.expect(404, 'PATCH', '/work_pools/nope', {});
    await api.expect(403, 'PATCH', '/work_pools/prefect-x', { description: 'x' });
    await api.expect(404, 'PATCH', '/work_pools/prefect-x', { is_paused: true });
  });

  await t.test('are ready by a heartbeat, paused and ready again', async () => {
    await api.expect(204, 'POST', '/work_pools/p/workers/heartbeat', { name: 'w', heartbeat_interval_seconds: 10 });
    await api.expect(204, 'POST', '/work_pools/p/workers/heartbeat', { name: 'w' });
    await api.expect(204, 'PATCH', '/work_pools/p', { is_paused: true });
    await api.expect(204, 'POST', '/work_pools/p/workers/heartbeat', { name: 'w' });
    assert.equal((await api.expect(200, 'GET', '/work_pools/p')).status, 'PAUSED');
    await api.expect(204, 'PATCH', '/work_pools/p', { is_paused: false });
    assert.equal((await api.expect(200, 'GET', '/work_pools/p')).status, 'READY');
    const events = takeEvents(gateway);
    assert.deepEqual(names(events), ['work-pool.ready', 'work-pool.paused', 'work-pool.ready']);
    assert.deepEqual(events.map(({ follows }) => follows), [null, events[0]?.id, events[1]?.id]);
    await api.expect(404, 'POST', '/work_pools/nope/workers/heartbeat', { name: 'w' });
  });

  await t.test('list their workers, which go offline without heartbeats', async () => {
    await api.expect(204, 'POST', '/work_pools/p/workers/heartbeat', { name: 'old' });
    await gateway.database.sql`update worker set last_heartbeat_time = now() - interval '91 seconds' where name = 'old'`;
    const workers = await api.expect(200, 'POST', '/work_pools/p/workers/filter', {});
    assert.deepEqual(Object.keys(workers[0]), worker.keyof().options);
    assert.deepEqual(workers.map((w: { name: string; status: string; heartbeat_interval_seconds: number }) => [w.name, w.status, w.heartbeat_interval_seconds]), [['w', 'ONLINE', 10], ['old', 'OFFLINE', null]]);
    assert.equal((await api.expect(200, 'POST', '/work_pools/p/workers/filter', { limit: 1, offset: 1 })).length, 1);
    await api.expect(204, 'DELETE', '/work_pools/p/workers/old');
    await api.expect(404, 'DELETE', '/work_pools/p/workers/old');
  });

  await t.test('are listed and counted', async () => {
    await api.expect(201, 'POST', '/work_pools/', { name: 'a', type: 'docker' });
    const list = async (body: object) => (await api.expect(200, 'POST', '/work_pools/filter', body)).map((pool: { name: string }) => pool.name);
    assert.deepEqual(await list({}), ['a', 'p']);
    assert.deepEqual(await list({ work_pools: { type: { any_: ['docker'] } } }), ['a']);
    assert.deepEqual(await list({ work_pools: null, limit: 1, offset: 1 }), ['p']);
    assert.deepEqual(await list({ work_pools: { name: { any_: ['p'] }, type: { any_: ['docker'] }, operator: 'or_' } }), ['a', 'p']);
    assert.equal(await api.expect(200, 'POST', '/work_pools/count', { work_pools: { name: { any_: ['p', 'q'] } } }), 1);
    await api.expect(422, 'POST', '/work_pools/filter', { limit: 201 });
  });

  await t.test('go with their queues and workers', async () => {
    await api.expect(201, 'POST', '/work_pools/p/queues', { name: 'q' });
    takeEvents(gateway);
    await api.expect(204, 'DELETE', '/work_pools/p');
    assert.deepEqual(names(takeEvents(gateway)), ['work-queue.deleted', 'work-queue.deleted', 'work-pool.deleted']);
    await api.expect(404, 'DELETE', '/work_pools/p');
    await api.expect(403, 'DELETE', '/work_pools/prefect-x');
    assert.equal((await gateway.database.sql`select from worker`).length, 0);
  });
});

test('work queues', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  await api.expect(201, 'POST', '/work_pools/', { name: 'p', type: 'process' });
  const ranks = async () => (await api.expect(200, 'POST', '/work_pools/p/queues/filter')).map(({ name, priority }: { name: string; priority: number }) => `${name} ${priority}`);

  await t.test('take the lowest free priority, or move others', async () => {
    const queue = await api.expect(201, 'POST', '/work_pools/p/queues/', { name: 'second', description: null });
    assert.deepEqual(Object.keys(queue), workQueue.keyof().options);
    assert.partialDeepStrictEqual(queue, { priority: 2, description: '', status: 'NOT_READY', work_pool_name: 'p', filter: null, active_slots: null });
    await api.expect(201, 'POST', '/work_pools/p/queues', { name: 'fifth', priority: 5, concurrency_limit: 2 });
    await api.expect(201, 'POST', '/work_pools/p/queues', { name: 'first', priority: 1 });
    assert.deepEqual(await ranks(), ['first 1', 'default 2', 'second 3', 'fifth 5']);
    await api.expect(204, 'PATCH', '/work_pools/p/queues/fifth', { priority: 2 });
    assert.deepEqual(await ranks(), ['first 1', 'fifth 2', 'default 3', 'second 4']);
    await api.expect(409, 'POST', '/work_pools/p/queues', { name: 'first' });
    await api.expect(404, 'POST', '/work_pools/nope/queues', { name: 'first' });
    await api.expect(422, 'POST', '/work_pools/p/queues', { name: 'zeroth', priority: 0 });
  });

  await t.test('get different priorities when created at once', async () => {
    const created = await Promise.all(['a', 'b', 'c', 'd'].map((name) => api.expect(201, 'POST', '/work_pools/p/queues', { name })));
    assert.deepEqual(created.map(({ priority }) => priority).toSorted(), [5, 6, 7, 8]);
    for (const { id } of created) await api.expect(204, 'DELETE', `/work_queues/${id}`);
  });

  await t.test('change and tell it', async () => {
    takeEvents(gateway);
    await api.expect(204, 'PATCH', '/work_pools/p/queues/fifth', { name: 'other', concurrency_limit: null });
    for (const field of ['name', 'description', 'priority']) await api.expect(409, 'PATCH', '/work_pools/p/queues/other', { [field]: null });
    await api.expect(204, 'PATCH', '/work_pools/p/queues/other', { is_paused: true });
    await api.expect(204, 'PATCH', '/work_pools/p/queues/other', { is_paused: true });
    await api.expect(204, 'PATCH', '/work_pools/p/queues/other', { is_paused: false });
    await api.expect(204, 'PATCH', '/work_pools/p/queues/other', { is_paused: true });
    await api.expect(204, 'PATCH', '/work_pools/p/queues/other', { is_paused: false, last_polled: new Date().toISOString() });
    const events = takeEvents(gateway);
    assert.deepEqual(names(events), ['updated', 'paused', 'not-ready', 'paused', 'ready'].map((happening) => `work-queue.${happening}`));
    assert.deepEqual(events[0]?.payload, { updated_fields: ['name', 'concurrency_limit'], updates: { name: { from: 'fifth', to: 'other' }, concurrency_limit: { from: 2, to: null } } });
    assert.equal(events[1]?.related[0]?.['prefect.work-pool.type'], 'process');
    await api.expect(409, 'PATCH', '/work_pools/p/queues/other', { name: 'first' });
    await api.expect(404, 'PATCH', '/work_pools/p/queues/nope', {});
  });

  await t.test('are deleted, but not the default one', async () => {
    await api.expect(204, 'DELETE', '/work_pools/p/queues/other');
    await api.expect(404, 'DELETE', '/work_pools/p/queues/other');
    await api.expect(409, 'DELETE', '/work_pools/p/queues/default');
    assert.deepEqual(names(takeEvents(gateway)), ['work-queue.deleted']);
  });

  await t.test('are read, judged and filtered by id', async () => {
    const queue = await api.expect(200, 'GET', '/work_pools/p/queues/first');
    assert.deepEqual(await api.expect(200, 'GET', `/work_queues/${queue.id}`), queue);
    assert.deepEqual(await api.expect(200, 'POST', '/work_queues/filter', { work_queues: { name: { startswith_: ['fir'] } } }), [queue]);
    const policy = { maximum_late_runs: 0, maximum_seconds_since_last_polled: 60 };
    assert.deepEqual(await api.expect(200, 'GET', `/work_queues/${queue.id}/status`), { healthy: false, late_runs_count: 0, last_polled: null, health_check_policy: policy });
    assert.deepEqual(await api.expect(200, 'POST', `/work_queues/${queue.id}/get_runs`), []);
    assert.partialDeepStrictEqual(await api.expect(200, 'GET', `/work_queues/${queue.id}/status`), { healthy: true, late_runs_count: 0 });
    assert.equal((await api.expect(200, 'GET', `/work_queues/${queue.id}`)).status, 'READY');
    const unknown = '11111111-1111-1111-1111-111111111111';
    assert.ok((await api.expect(404, 'GET', `/work_queues/${unknown}/status`)).exception_message);
    assert.ok((await api.expect(404, 'POST', `/work_queues/${unknown}/get_runs`)).exception_message);
    await api.expect(404, 'GET', '/work_queues/first');
  });

  await t.test('without a pool stand in the default one', async () => {
    await api.expect(404, 'GET', '/work_queues/name/legacy');
    const [one, other] = await Promise.all(['legacy', 'other'].map((name) => api.expect(201, 'POST', '/work_queues/', { name, filter: { tags: ['a'] } })));
    assert.equal(one.work_pool_name, 'default-agent-pool');
    assert.equal(other.work_pool_name, 'default-agent-pool');
    assert.deepEqual(one.filter, { tags: ['a'], deployment_ids: null });
    assert.equal((await api.expect(200, 'GET', '/work_queues/name/legacy')).id, one.id);
    await api.expect(404, 'GET', '/work_queues/name/first');
  });
});

test('the collection of worker types offers what a pool needs', async () => {
  await using gateway = await startGateway();
  const { prefect } = await gateway.api.expect(200, 'GET', '/collections/views/aggregate-worker-metadata');
  const { type, default_base_job_configuration } = prefect.process;
  await gateway.api.expect(201, 'POST', '/work_pools/', { name: 'p', type, base_job_template: default_base_job_configuration });
  await gateway.api.expect(404, 'GET', '/collections/views/nope');
});
