import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { storeEvents } from '@praetor/event-persister/store-events';
import { acknowledgeTaskRun, enqueueTaskRun } from '@praetor/orchestration/background-tasks';
import type { Broker } from '@praetor/streams/broker';
import { createBroker } from '@praetor/streams/create-broker';
import { toJson } from '@praetor/schema/json';
import { addSeconds, now } from '@praetor/schema/timestamps';
import { type TestDatabase, createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';
import { makeEvent, makeEventText, makeTaskRunEvent } from '@praetor/test/support/events';
import { startPipeline } from '@praetor/test/support/pipeline';
import { until } from '@praetor/test/support/poll';
import { RedisServer, isRedisServerInstalled } from '@praetor/test/support/redis-server';
import { SocketClient } from '@praetor/test/support/socket-client';

/* Events from a client's socket to rows and to other clients' sockets, in both topologies. */

const skip = (await isPostgresReachable()) && (await isRedisServerInstalled()) ? false : 'needs Postgres and redis-server';

describe('the way of events', { skip }, () => {
  let database: TestDatabase;
  let redis: RedisServer;
  before(async () => {
    database = await createTestDatabase();
    redis = await RedisServer.start();
  });
  after(async () => {
    await database[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const LOGS = { PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED: 'true', PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED: 'true' };

  function openBroker(kind: 'redis' | 'memory'): Broker {
    return createBroker({
      ...(kind === 'redis' && { redis: { url: redis.url, keyPrefix: randomUUID() } }),
      saveDeadLetter: async (letter) => assert.fail(`dead letter: ${letter.error}`),
      onError: () => {},
    });
  }

  async function createFlowRun(): Promise<string> {
    const id = randomUUID();
    await database.sql`insert into flow (name) values ('f') on conflict do nothing`;
    await database.sql`insert into flow_run (id, name, flow_id) select ${id}::uuid, 'r', id from flow`;
    return id;
  }

  async function countTaskRuns(flowRunId: string, type: string): Promise<number> {
    const [row] = await database.sql<{ count: number }[]>`select count(*) from task_run where flow_run_id = ${flowRunId}::uuid and state_type = ${type}::state_type`;
    return row?.count ?? 0;
  }

  const isEvent = (id: string) => (message: unknown) => JSON.stringify(message).includes(`"id":"${id}"`);
  const eventsOf = (client: SocketClient) => client.messages.map((message) => Reflect.get(Object(Reflect.get(Object(message), 'event')), 'id'));
  const forResource = (id: string) => ({ occurred: { since: addSeconds(now(), -3600), until: addSeconds(now(), 86_400) }, resource: { id: [id] } });

  for (const kind of ['redis', 'memory'] as const) {
    test(`${kind}: what a client sends is recorded and stored, and its ping is answered when it is safe`, async () => {
      await using broker = openBroker(kind);
      await using pipeline = await startPipeline(database, broker);
      const flowRunId = await createFlowRun();
      const client = await SocketClient.connect(`${pipeline.url}/events/in`);
      const ids = Array.from({ length: 334 }, () => randomUUID());
      const events = (['PENDING', 'RUNNING', 'COMPLETED'] as const).flatMap((type, index) =>
        ids.map((taskRunId) => makeTaskRunEvent({ taskRunId, flowRunId, at: addSeconds(now(), index), type })),
      );
      for (const event of events) client.send(toJson(event));
      await client.ping();
      if (kind === 'memory') assert.equal(await countTaskRuns(flowRunId, 'COMPLETED'), 334, 'memory is safe only when it is in the database');
      await until('all are recorded', async () => (await countTaskRuns(flowRunId, 'COMPLETED')) === 334);
      const stored = () => database.sql<{ count: number }[]>`select count(*) from events where id = any(${events.map((event) => event.id)}::uuid[])`;
      await until('all are stored', async () => (await stored())[0]?.count === events.length);
      client.close();
    });

    test(`${kind}: an invalid event drops the connection; what came before it is kept`, async () => {
      await using broker = openBroker(kind);
      await using pipeline = await startPipeline(database, broker);
      for (const invalid of ['{"event":', '{"event":"x"}', toJson({ ...makeEvent(), resource: {} })]) {
        const client = await SocketClient.connect(`${pipeline.url}/events/in`);
        const event = makeEvent();
        client.send({ ...event, unknown: 'ignored' });
        client.send(invalid);
        assert.equal((await client.ended).code, 1006);
        await until('the first is stored', async () => (await database.sql`select 1 from events where id = ${event.id}::uuid`).length === 1);
      }
    });

    test(`${kind}: a subscriber gets the past and the present, each event once, as its filter says`, async () => {
      await using broker = openBroker(kind);
      await using pipeline = await startPipeline(database, broker);
      const resource = { 'prefect.resource.id': `thing.${randomUUID()}` };
      const past = Array.from({ length: 600 }, (_, index) => makeEventText({ resource, occurred: addSeconds(now(), index / 1000 - 60), payload: { index } }));
      await storeEvents(database.sql, past);
      await storeEvents(database.sql, [makeEventText({ resource, occurred: addSeconds(now(), -1000) })]);
      const sender = await SocketClient.connect(`${pipeline.url}/events/in`);
      const onWay = makeEvent({ resource, event: 'on.its.way' });
      sender.send(toJson(onWay));
      const client = await SocketClient.connect(`${pipeline.url}/events/out`);
      client.send({ type: 'filter', filter: forResource(resource['prefect.resource.id']) });
      await client.next(isEvent(onWay.id));
      const other = makeEvent();
      const [first, second] = [makeEvent({ resource }), makeEvent({ resource, event: 'last' })];
      for (const event of [other, first, first, second]) sender.send(toJson(event));
      await client.next(isEvent(second.id));
      assert.equal(client.messages.length, 603, 'past, on its way, first, last; the one before the last 15 minutes is too old');
      assert.equal(new Set(eventsOf(client)).size, 603);
      assert.deepEqual(eventsOf(client).slice(0, 600), past.map((text) => JSON.parse(text).id));
      assert.deepEqual(Object.keys(Object(Reflect.get(Object(client.messages.at(-1)), 'event'))), ['occurred', 'event', 'resource', 'related', 'payload', 'id', 'follows', 'received']);
    });

    test(`${kind}: without backfill only the present comes, and nothing after "until"`, async () => {
      await using broker = openBroker(kind);
      await using pipeline = await startPipeline(database, broker);
      const resource = { 'prefect.resource.id': `thing.${randomUUID()}` };
      await storeEvents(database.sql, [makeEventText({ resource })]);
      const [open, ended] = [await SocketClient.connect(`${pipeline.url}/events/out`), await SocketClient.connect(`${pipeline.url}/events/out`)];
      open.send({ type: 'filter', backfill: false, filter: forResource(resource['prefect.resource.id']) });
      ended.send({ type: 'filter', filter: { resource: { id: [resource['prefect.resource.id']] } } });
      await sleep(300);
      const sender = await SocketClient.connect(`${pipeline.url}/events/in`);
      const live = makeEvent({ resource });
      sender.send(toJson(live));
      await open.next(isEvent(live.id));
      await sleep(100);
      assert.equal(open.messages.length, 1);
      assert.equal(ended.messages.length, 1, 'the default "until" is the moment of the subscription');
    });

    test(`${kind}: logs come to those who subscribed to them`, async () => {
      await using broker = openBroker(kind);
      await using pipeline = await startPipeline(database, broker, LOGS);
      const flowRunId = randomUUID();
      const client = await SocketClient.connect(`${pipeline.url}/logs/out`);
      client.send({ type: 'filter', filter: { level: { ge_: 30 }, flow_run_id: { any_: [flowRunId] } } });
      await sleep(300);
      const log = (level: number, run: string) => toJson({ id: randomUUID(), created: now(), updated: now(), name: 'n', level, message: 'm', timestamp: now(), flow_run_id: run, task_run_id: null });
      await broker.publish('logs', [log(20, flowRunId), log(40, randomUUID()), log(40, flowRunId)]);
      await client.next();
      assert.equal(Reflect.get(Object(Reflect.get(Object(client.messages[0]), 'log')), 'level'), 40);
      assert.equal(client.messages.length, 1);
    });
  }

  test('subscribers that say something else are closed with 1002, or dropped where only the filter is wrong', async () => {
    await using broker = openBroker('memory');
    await using pipeline = await startPipeline(database, broker);
    for (const path of ['/events/out', '/logs/out'])
      for (const [message, code] of [
        [{ type: 'subscribe' }, 1002],
        [{ type: 'filter', filter: { unknown: 1 } }, 1006],
      ] as const) {
        const client = await SocketClient.connect(pipeline.url + path);
        client.send(message);
        assert.equal((await client.ended).code, code);
      }
  });

  test('while Redis is away a ping waits for its answer, and nothing is lost', async () => {
    await using broker = openBroker('redis');
    await using pipeline = await startPipeline(database, broker);
    const client = await SocketClient.connect(`${pipeline.url}/events/in`);
    await client.ping();
    await redis.kill();
    const events = Array.from({ length: 5000 }, () => makeEvent());
    for (const event of events) client.send(toJson(event));
    let isAnswered = false;
    const pong = client.ping().then(() => (isAnswered = true));
    await sleep(1000);
    assert.equal(isAnswered, false);
    await redis.restart();
    await pong;
    const stored = () => database.sql<{ count: number }[]>`select count(*) from events where id = any(${events.map((event) => event.id)}::uuid[])`;
    await until('all are stored', async () => (await stored())[0]?.count === events.length, 30);
  });

  async function enqueueBackgroundTask(key: string): Promise<string> {
    const id = randomUUID();
    await database.sql`insert into task_run (id, name, task_key, dynamic_key) values (${id}::uuid, 'bg', ${key}, ${id})`;
    await enqueueTaskRun(database.sql, id, key, false);
    return id;
  }

  test('background tasks go to one worker each, in the order of its keys; unacknowledged ones go to another', async () => {
    await using broker = openBroker('memory');
    await using pipeline = await startPipeline(database, broker);
    const url = `${pipeline.url}/task_runs/subscriptions/scheduled`;
    const [first, second] = [await enqueueBackgroundTask('low'), await enqueueBackgroundTask('high')];
    const worker = await SocketClient.connect(url);
    worker.send({ type: 'subscribe', keys: ['high', 'low'], client_id: 'a' });
    const run = Object(await worker.next(isEvent(second)));
    assert.deepEqual([run.task_key, run.state, run.total_run_time], ['high', null, 0]);
    worker.send({ type: 'ack' });
    await worker.next(isEvent(first));
    assert.deepEqual((await database.sql`select task_key from praetor.task_queue`).map((row) => row['task_key']), ['low'], 'what is acknowledged is out of the queue');
    worker.close();

    const others = await Promise.all(['b', 'c'].map(async (clientId) => {
      const other = await SocketClient.connect(url);
      other.send({ type: 'subscribe', keys: ['low'], client_id: clientId });
      return other;
    }));
    const receiver = await Promise.race(others.map(async (other) => (await other.next(isEvent(first)), other)));
    await sleep(300);
    assert.equal(others.reduce((sum, other) => sum + other.messages.length, 0), 1);
    receiver.send({ type: 'quit' });
    assert.equal((await receiver.ended).code, 1000);
    const last = others.find((other) => other !== receiver);
    await last?.next(isEvent(first));
    await acknowledgeTaskRun(database.sql, first);
  });

  for (const message of [{ type: 'other' }, { type: 'subscribe', client_id: 'a' }, { type: 'subscribe', keys: [], client_id: 'a' }, { type: 'subscribe', keys: ['k'] }])
    test(`a task worker that says ${JSON.stringify(message)} is closed with 4001`, async () => {
      await using broker = openBroker('memory');
      await using pipeline = await startPipeline(database, broker);
      const worker = await SocketClient.connect(`${pipeline.url}/task_runs/subscriptions/scheduled`);
      worker.send(message);
      assert.equal((await worker.ended).code, 4001);
    });
});
