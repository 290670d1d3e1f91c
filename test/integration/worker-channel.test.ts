import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApiGateway } from '@praetor/api-gateway/service';
import { createLateRuns } from '@praetor/late-runs/service';
import { createLeaseCleanup } from '@praetor/lease-cleanup/service';
import type { SettingValues } from '@praetor/schema/setting';
import { Api } from '@praetor/test/support/api';
import { startCopies } from '@praetor/test/support/copies';
import { type TestDatabase, createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';
import { until } from '@praetor/test/support/poll';
import { findFreePort } from '@praetor/test/support/ports';
import { SocketClient } from '@praetor/test/support/socket-client';

/* The worker channel (facts/hidden-endpoints.md §9), with a worker at one gateway and changes through another. */

interface Gateway extends AsyncDisposable {
  api: Api;
  socketUrl: string;
}

async function startGateway(database: TestDatabase, settings: SettingValues = {}): Promise<Gateway> {
  const port = await findFreePort();
  const running = startCopies(1, database.url, createApiGateway, { ...settings, PREFECT_SERVER_API_PORT: port });
  const api = new Api(`http://127.0.0.1:${port}/api`);
  await until('the gateway answers', () => api.get('/health').then(({ status }) => status === 200, () => false));
  return { api, socketUrl: `ws://127.0.0.1:${port}/api/work_pools`, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

const frame = (type: string, payload: object, id = randomUUID()) => ({ type, id, sent_at: new Date().toISOString(), payload });

const CAPABILITIES = ['worker_heartbeat.v1', 'work_pool_snapshot.v1'];
const TEMPLATE = { job_configuration: { command: '{{ command }}' }, variables: { type: 'object', properties: { command: { type: 'string', default: 'x' } } } };

const helloPayload = (fields: object = {}) => ({
  consumer_id: randomUUID(),
  worker_name: 'w',
  worker_type: 'process',
  heartbeat_interval_seconds: 30,
  supported_channel_versions: ['work_pool_worker_channel.v1'],
  requested_capabilities: CAPABILITIES,
  ...fields,
});

const CLEANUP = {
  requested_capabilities: [...CAPABILITIES, 'cleanup_delivery.v1'],
  handled_cleanup_kinds: ['cancelling_timeout_teardown.v1'],
};

// What the server sends is what these tests are about.
// oxlint-disable-next-line no-explicit-any
type Frame = { type: string; id: string; sent_at: string; payload: any };

/** A worker, as much of one as the server sees. */
class Worker {
  readonly #client: SocketClient;
  #taken = 0;

  private constructor(client: SocketClient) {
    this.#client = client;
  }

  static async open(url: string, token: string | null = null): Promise<Worker> {
    return new Worker(await SocketClient.connect(url, token));
  }

  send(type: string, payload: object): string {
    const sent = frame(type, payload);
    this.#client.send(sent);
    return sent.id;
  }

  sendText(text: string): void {
    this.#client.send(text);
  }

  /** The next frame of the server. */
  async receive(): Promise<Frame> {
    const index = this.#taken++;
    return (await this.#client.next((message) => this.#client.messages.indexOf(message) === index)) as Frame;
  }

  async greet(payload: object): Promise<Frame> {
    this.send('worker.hello.v1', payload);
    return await this.receive();
  }

  /** Sends an answer to clean-up work; gives the payload of the result. */
  async operate(operation: 'ack' | 'renew' | 'release', message: Frame, fields: object = {}) {
    const { message_id, reservation_token } = message.payload;
    const id = this.send(`cleanup.${operation}.v1`, { message_id, reservation_token, ...(operation === 'release' && { reason: 'busy' }), ...fields });
    const result = await this.receive();
    assert.deepEqual([result.type, result.payload.request_frame_id, result.payload.operation, result.payload.detail], ['cleanup.operation_result.v1', id, operation, null]);
    return result.payload;
  }

  get ended() {
    return this.#client.ended;
  }

  get received(): number {
    return this.#client.messages.length;
  }

  close(): void {
    this.#client.close();
  }
}

describe('the worker channel', { skip: (await isPostgresReachable()) ? false : 'needs Postgres' }, () => {
  const stack = new AsyncDisposableStack();
  let database: TestDatabase;
  let near: Gateway;
  let far: Gateway;
  before(async () => {
    database = stack.use(await createTestDatabase());
    near = stack.use(await startGateway(database));
    far = stack.use(await startGateway(database));
  });
  after(() => stack.disposeAsync());

  const channel = (name: string) => `${near.socketUrl}/${encodeURIComponent(name)}/workers/connect`;
  const connect = (name: string) => Worker.open(channel(name));

  test('greets a worker, creates its pool and takes its heartbeats', async () => {
    const worker = await connect('a pool');
    const hello = helloPayload({ create_pool_if_not_found: true, default_base_job_template: TEMPLATE, worker_metadata: { integrations: [] } });
    const ready = await worker.greet(hello);
    const pool = await far.api.expect(200, 'GET', '/work_pools/a%20pool');
    const queue = await far.api.expect(200, 'GET', '/work_pools/a%20pool/queues/default');
    assert.deepEqual(Object.keys(ready), ['type', 'id', 'sent_at', 'payload']);
    assert.equal(ready.type, 'worker.ready.v1');
    assert.deepEqual(ready.payload, {
      consumer_id: hello.consumer_id,
      worker_id: null,
      selected_channel_version: 'work_pool_worker_channel.v1',
      effective_heartbeat_interval_seconds: 30,
      accepted_capabilities: CAPABILITIES,
      rejected_capabilities: [],
      effective_max_cleanup_concurrency: 0,
      resolved_work_queues: [{ id: queue.id, name: 'default' }],
      initial_snapshot: { snapshot_sequence: 1, reason: 'initial', work_pool: pool },
    });
    assert.partialDeepStrictEqual(pool, { type: 'process', status: 'READY', base_job_template: TEMPLATE });

    await database.sql`update worker set last_heartbeat_time = now() - interval '1 hour'`;
    worker.send('worker.heartbeat.v1', { consumer_id: hello.consumer_id, worker_name: 'w', heartbeat_interval_seconds: 15 });
    await until('the heartbeat is stored', async () => {
      const [stored] = await far.api.expect(200, 'POST', '/work_pools/a%20pool/workers/filter', {});
      return stored.status === 'ONLINE' && stored.heartbeat_interval_seconds === 15;
    });
    worker.close();
  });

  test('gives a pool without a template the one of the worker', async () => {
    await near.api.expect(201, 'POST', '/work_pools/', { name: 'bare', type: 'docker' });
    const worker = await connect('bare');
    const ready = await worker.greet(helloPayload({ default_base_job_template: TEMPLATE }));
    assert.partialDeepStrictEqual(ready.payload.initial_snapshot.work_pool, { type: 'docker', base_job_template: TEMPLATE });
    worker.close();
  });

  test('tells of changes through another gateway at once, and of others with the next heartbeat', async () => {
    await near.api.expect(201, 'POST', '/work_pools/', { name: 'told', type: 'process' });
    const worker = await connect('told');
    const hello = helloPayload();
    await worker.greet(hello);
    await far.api.expect(204, 'PATCH', '/work_pools/told', { concurrency_limit: 3 });
    await far.api.expect(204, 'PATCH', '/work_pools/told', { is_paused: true });
    const changed = await worker.receive();
    assert.equal(changed.type, 'work_pool.snapshot.v1');
    const known = await far.api.expect(200, 'GET', '/work_pools/told');
    let last = changed;
    // The two changes may come as one, or as two.
    if (changed.payload.work_pool.is_paused === false) last = await worker.receive();
    assert.deepEqual(last.payload, { snapshot_sequence: last === changed ? 2 : 3, reason: 'work_pool_updated', work_pool: known });

    await far.api.expect(204, 'PATCH', '/work_pools/told', { description: 'new' });
    await sleep(800);
    worker.send('worker.heartbeat.v1', { consumer_id: hello.consumer_id, worker_name: 'w', heartbeat_interval_seconds: 30 });
    const reconciled = await worker.receive();
    assert.partialDeepStrictEqual(reconciled.payload, { snapshot_sequence: last.payload.snapshot_sequence + 1, reason: 'heartbeat_reconciliation', work_pool: { description: 'new' } });

    await far.api.expect(204, 'DELETE', '/work_pools/told');
    assert.deepEqual(await worker.ended, { code: 1008, reason: 'authorization_failed' });
  });

  const refusals: [name: string, hello: object | string, code: number, reason: string][] = [
    ['a pool that does not exist', frame('worker.hello.v1', helloPayload()), 1008, 'authorization_failed'],
    ['an unknown queue', frame('worker.hello.v1', helloPayload({ create_pool_if_not_found: true, work_queue_names: ['x'] })), 1008, 'authorization_failed'],
    ['another version', frame('worker.hello.v1', helloPayload({ supported_channel_versions: ['v2'] })), 1008, 'unsupported_version'],
    ['a missing capability', frame('worker.hello.v1', helloPayload({ requested_capabilities: ['worker_heartbeat.v1'] })), 1002, 'protocol_error'],
    ['kinds without their capability', frame('worker.hello.v1', helloPayload({ handled_cleanup_kinds: ['pending_claim_teardown.v1'] })), 1002, 'protocol_error'],
    ['an unknown key', frame('worker.hello.v1', helloPayload({ more: 1 })), 1002, 'protocol_error'],
    ['a heartbeat first', frame('worker.heartbeat.v1', { consumer_id: randomUUID(), worker_name: 'w', heartbeat_interval_seconds: 1 }), 1002, 'protocol_error'],
    ['no JSON', 'hello', 1002, 'protocol_error'],
    ['a template with a default that does not fit', frame('worker.hello.v1', helloPayload({ create_pool_if_not_found: true, default_base_job_template: { job_configuration: { a: '{{ a }}' }, variables: { properties: { a: { type: 'integer', default: 'x' } } } } })), 1002, 'protocol_error'],
    ['an interval that cannot be stored', frame('worker.hello.v1', helloPayload({ create_pool_if_not_found: true, heartbeat_interval_seconds: 3_000_000_000 })), 1011, 'heartbeat_persistence_failed'],
  ];
  for (const [name, hello, code, reason] of refusals)
    test(`refuses ${name}, and nothing has changed`, async () => {
      const client = await SocketClient.connect(channel('refused'));
      client.send(hello);
      assert.deepEqual(await client.ended, { code, reason });
      await near.api.expect(404, 'GET', '/work_pools/refused');
    });

  test('refuses a reserved name, a second hello, the heartbeat of another worker, and who cannot authenticate', async () => {
    const reserved = await connect('prefect-x');
    reserved.send('worker.hello.v1', helloPayload({ create_pool_if_not_found: true }));
    assert.deepEqual(await reserved.ended, { code: 1008, reason: 'authorization_failed' });
    for (const [type, payload] of [['worker.hello.v1', helloPayload()], ['worker.heartbeat.v1', { consumer_id: randomUUID(), worker_name: 'w', heartbeat_interval_seconds: 1 }]] as const) {
      const worker = await connect('strict');
      await worker.greet(helloPayload({ create_pool_if_not_found: true }));
      worker.send(type, payload);
      assert.deepEqual(await worker.ended, { code: 1002, reason: 'protocol_error' });
    }
    await using closed = await startGateway(database, { PREFECT_SERVER_API_AUTH_STRING: 'a:b' });
    const stranger = await SocketClient.open(`${closed.socketUrl}/strict/workers/connect`);
    stranger.send({ type: 'auth', token: 'a:c' });
    assert.deepEqual(await stranger.ended, { code: 1008, reason: 'authentication_failed' });
    const legacy = await SocketClient.open(channel('strict'), { protocols: [] });
    assert.equal((await legacy.ended).code, 403);
  });

  /** A run in RUNNING on a queue of a pool, whose cancellation nobody confirmed in time. */
  async function cancelUnconfirmed(poolName: string, queueName = 'default'): Promise<string> {
    const flow = await near.api.expect([200, 201], 'POST', '/flows/', { name: 'f' });
    const deployment = await near.api.expect([200, 201], 'POST', '/deployments/', { name: `${poolName}-${queueName}`, flow_id: flow.id, work_pool_name: poolName, work_queue_name: queueName });
    const run = await near.api.expect(201, 'POST', `/deployments/${deployment.id}/create_flow_run`, {});
    await near.api.expect(204, 'PATCH', `/flow_runs/${run.id}`, { infrastructure_pid: 'host:1' });
    for (const type of ['PENDING', 'RUNNING', 'CANCELLING']) await near.api.expect([200, 201], 'POST', `/flow_runs/${run.id}/set_state`, { state: { type } });
    await database.sql`update flow_run set state_timestamp = now() - interval '1 hour' where id = ${run.id}::uuid`;
    return run.id;
  }

  const startLateRuns = () => startCopies(2, database.url, createLateRuns, { PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS: '0.05' });
  const startReconciler = () => startCopies(2, database.url, createLeaseCleanup, { PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_LOOP_SECONDS: '0.05' });

  async function createPool(name: string, type = 'process'): Promise<{ id: string }> {
    return await near.api.expect(201, 'POST', '/work_pools/', { name, type });
  }

  const messagesOf = (poolId: string) =>
    database.sql<{ id: string; target: { flow_run_id: string }; died: string | null; delivery_count: number }[]>`
      select id, target, died, delivery_count from praetor.cleanup_message where work_pool_id = ${poolId}::uuid`;

  test('delivers what is left of runs whose cancellation nobody confirmed: once, to one of two workers', async () => {
    await using _lateRuns = startLateRuns();
    await using _reconciler = startReconciler();
    const pool = await createPool('cleaned');
    const workers = [await connect('cleaned'), await Worker.open(`${far.socketUrl}/cleaned/workers/connect`)];
    for (const worker of workers) assert.partialDeepStrictEqual((await worker.greet(helloPayload(CLEANUP))).payload, { effective_max_cleanup_concurrency: 1, accepted_capabilities: CLEANUP.requested_capabilities });
    const runId = await cancelUnconfirmed('cleaned');
    const [worker, message] = await Promise.race(workers.map(async (candidate) => [candidate, await candidate.receive()] as const));
    const [stored] = await messagesOf(pool.id);
    const { default_queue_id: queueId } = await near.api.expect(200, 'GET', '/work_pools/cleaned');
    assert.equal(message.type, 'cleanup.message.v1');
    const { reservation_token, lease_expires_at, ...rest } = message.payload;
    assert.deepEqual(rest, {
      message_id: stored?.id,
      kind: 'cancelling_timeout_teardown.v1',
      delivery_count: 1,
      work_queue_id: queueId,
      target: { flow_run_id: runId, infrastructure_pid: 'host:1' },
      data: {},
    });
    assert.ok(reservation_token.length > 20 && Date.parse(lease_expires_at) > Date.now() + 20_000);
    const renewed = await worker.operate('renew', message);
    assert.ok(renewed.status === 'accepted' && Date.parse(renewed.lease_expires_at) >= Date.parse(lease_expires_at));
    assert.partialDeepStrictEqual(await worker.operate('ack', message, { reservation_token: 'other' }), { status: 'invalid_token', reason: 'reservation_token_mismatch' });
    assert.partialDeepStrictEqual(await worker.operate('ack', message), { status: 'accepted', reason: null, lease_expires_at: null });
    assert.partialDeepStrictEqual(await worker.operate('ack', message), { status: 'not_found', reason: 'message_not_found' });
    await sleep(700);
    // Nobody else was given it, and there is no second message for the same run.
    assert.equal(workers[0] === worker ? workers[1]?.received : workers[0]?.received, 1);
    assert.deepEqual(await messagesOf(pool.id), []);
    for (const each of workers) each.close();
  });

  test('redelivers what was released or fell silent, and gives up after three deliveries', async () => {
    await using _lateRuns = startLateRuns();
    await using _reconciler = startReconciler();
    const pool = await createPool('stubborn');
    const worker = await connect('stubborn');
    const hello = helloPayload(CLEANUP);
    await worker.greet(hello);
    await cancelUnconfirmed('stubborn');
    const first = await worker.receive();
    assert.partialDeepStrictEqual(await worker.operate('release', first), { status: 'accepted' });
    const second = await worker.receive();
    assert.equal(second.payload.delivery_count, 2);
    assert.partialDeepStrictEqual(await worker.operate('renew', first), { status: 'invalid_token' });

    // The worker goes, and comes back to another gateway; its reservation ends meanwhile.
    worker.close();
    await worker.ended;
    await database.sql`update praetor.cleanup_message set lease_expires_at = now() - interval '1 second' where work_pool_id = ${pool.id}::uuid`;
    await until('the reservation is taken back', async () => (await database.sql`select from praetor.cleanup_message where reservation_token is not null`).length === 0);
    const again = await Worker.open(`${far.socketUrl}/stubborn/workers/connect`);
    await again.greet(hello);
    const third = await again.receive();
    assert.equal(third.payload.delivery_count, 3);
    assert.partialDeepStrictEqual(await again.operate('release', third), { status: 'dead_lettered', reason: 'max_delivery_attempts_reached' });
    assert.partialDeepStrictEqual(await messagesOf(pool.id), [{ delivery_count: 3 }]);
    assert.notEqual((await messagesOf(pool.id))[0]?.died, null);
    assert.partialDeepStrictEqual(await again.operate('ack', third), { status: 'not_found' });
    again.close();
  });

  test('a worker has no more at a time than it asked for, and those of its own queues first', async () => {
    await using _lateRuns = startLateRuns();
    const pool = await createPool('busy');
    await near.api.expect(201, 'POST', '/work_pools/busy/queues', { name: 'own' });
    await cancelUnconfirmed('busy');
    const own = await cancelUnconfirmed('busy', 'own');
    await cancelUnconfirmed('busy');
    await until('all cancellations have run out', async () => (await messagesOf(pool.id)).length === 3);
    const worker = await connect('busy');
    await worker.greet(helloPayload({ ...CLEANUP, work_queue_names: ['own'], max_cleanup_concurrency: 2 }));
    const first = await worker.receive();
    assert.equal(first.payload.target.flow_run_id, own);
    const second = await worker.receive();
    await sleep(1200);
    assert.equal(worker.received, 3);
    await worker.operate('ack', first);
    const third = await worker.receive();
    assert.notEqual(third.payload.message_id, second.payload.message_id);
    // A worker that asked for none may not answer for others.
    const other = await connect('busy');
    await other.greet(helloPayload());
    assert.partialDeepStrictEqual(await other.operate('ack', third), { status: 'unauthorized', reason: 'cleanup_delivery_not_accepted' });
    for (const each of [worker, other]) each.close();
  });

  test('nothing is left to clean up where no worker started the run', async () => {
    await using _lateRuns = startLateRuns();
    const pool = await createPool('pushed', 'ecs:push');
    const id = await cancelUnconfirmed('pushed');
    await until('the run is cancelled', async () => (await near.api.expect(200, 'GET', `/flow_runs/${id}`)).state_type === 'CANCELLED');
    assert.deepEqual(await messagesOf(pool.id), []);
  });
});
