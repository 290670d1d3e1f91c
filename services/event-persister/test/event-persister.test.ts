import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createEventPersister } from '@praetor/event-persister/service';
import { storeEvents } from '@praetor/event-persister/store-events';
import { relayOutbox } from '@praetor/event-persister/relay';
import { saveDeadLetter } from '@praetor/runtime/dead-letters';
import { parseJson, toJson } from '@praetor/schema/json';
import type { Broker, DeadLetter } from '@praetor/streams/broker';
import { createBroker } from '@praetor/streams/create-broker';
import { createTestContext, runServices } from '@praetor/test/support/context';
import { type TestDatabase, createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';
import { makeEventText } from '@praetor/test/support/events';
import { until } from '@praetor/test/support/poll';
import { RedisServer, isRedisServerInstalled } from '@praetor/test/support/redis-server';

const skip = (await isPostgresReachable()) ? false : 'needs Postgres';
const skipRedis = (await isRedisServerInstalled()) ? false : 'needs redis-server';

describe('the event persister', { skip }, () => {
  let database: TestDatabase;
  let redis: RedisServer | undefined;
  before(async () => {
    database = await createTestDatabase();
    if (!skipRedis) redis = await RedisServer.start();
  });
  after(async () => {
    await database[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  const letters: DeadLetter[] = [];
  function openBroker(kind: 'redis' | 'memory'): Broker {
    return createBroker({
      ...(kind === 'redis' && { redis: { url: redis?.url ?? '', keyPrefix: randomUUID() } }),
      saveDeadLetter: async (letter) => void letters.push(letter),
      onError: () => {},
    });
  }

  const countEvents = async () => (await database.sql<{ count: number }[]>`select count(*) from events`)[0]?.count ?? 0;

  /** As none comes from a gateway, which leaves out NUL characters. */
  const makeUnstorable = () => makeEventText({ payload: { text: 'no nul in jsonb' } }).replace('nul', String.raw`\u0000`);

  async function leaveInOutbox(text: string, ageSeconds: number): Promise<void> {
    const { id } = parseJson(text) as { id: string };
    await database.sql`insert into praetor.outbox (id, body, created) values (${id}::uuid, ${text}::json, now() - make_interval(secs => ${ageSeconds}))`;
  }

  test('an event becomes the rows that Prefect stores', async () => {
    const id = randomUUID();
    const text = makeEventText({
      id,
      occurred: '2026-11-21T08:00:00.123456Z',
      event: 'prefect.flow-run.Completed',
      resource: { 'prefect.resource.id': 'prefect.flow-run.1', 'prefect.resource.name': 'brisk-otter' },
      related: [
        { 'prefect.resource.id': 'prefect.flow.2', 'prefect.resource.role': 'flow', 'prefect.resource.name': 'f' },
        { 'prefect.resource.id': 'prefect.tag.x', 'prefect.resource.role': 'tag' },
      ],
      payload: { ratio: 1.5 },
    }).replace('1.5', '1.0');
    assert.equal(await storeEvents(database.sql, [text, text]), 1);
    assert.equal(await storeEvents(database.sql, [text]), 0);
    const [row] = await database.sql`select * from events where id = ${id}::uuid`;
    const { recorded, received, created, updated, ...rest } = row ?? {};
    assert.ok(recorded && received && created && updated);
    assert.equal(
      toJson(rest),
      toJson({
        occurred: '2026-11-21T08:00:00.123456Z',
        event: 'prefect.flow-run.Completed',
        resource_id: 'prefect.flow-run.1',
        resource: { 'prefect.resource.id': 'prefect.flow-run.1', 'prefect.resource.name': 'brisk-otter' },
        related_resource_ids: ['prefect.flow.2', 'prefect.tag.x'],
        related: [
          { 'prefect.resource.id': 'prefect.flow.2', 'prefect.resource.name': 'f', 'prefect.resource.role': 'flow' },
          { 'prefect.resource.id': 'prefect.tag.x', 'prefect.resource.role': 'tag' },
        ],
        payload: { ratio: JSON.rawJSON('1.0') },
        follows: null,
        id,
      }),
    );
    const resources = await database.sql`select resource_id, resource_role, resource, occurred from event_resources where event_id = ${id}::uuid order by resource_id`;
    assert.deepEqual(
      resources.map((resource) => [resource['resource_id'], resource['resource_role'], { ...(resource['resource'] as object) }]),
      [
        ['prefect.flow-run.1', '', { 'prefect.resource.name': 'brisk-otter' }],
        ['prefect.flow.2', 'flow', { 'prefect.resource.name': 'f' }],
        ['prefect.tag.x', 'tag', {}],
      ],
    );
    assert.equal(resources[0]?.['occurred'], '2026-11-21T08:00:00.123456Z');
  });

  test('storing an event ends its stay in the outbox', async () => {
    const [stored, other] = [makeEventText(), makeEventText()];
    await leaveInOutbox(stored, 0);
    await leaveInOutbox(other, 0);
    await storeEvents(database.sql, [stored]);
    const rows = await database.sql<{ text: string }[]>`select body::text as text from praetor.outbox`;
    assert.deepEqual(rows.map((row) => row.text), [other]);
    await database.sql`delete from praetor.outbox`;
  });

  for (const kind of ['redis', 'memory'] as const) {
    test(`${kind}: two persisters store every event once, duplicates and poison among them`, { skip: kind === 'redis' && skipRedis }, async () => {
      await using broker = openBroker(kind);
      await database.sql`truncate events, event_resources`;
      letters.length = 0;
      const events = Array.from({ length: 3000 }, () => makeEventText());
      const nul = makeUnstorable();
      const shuffled = [...events, ...events, nul, 'no JSON'].sort(() => Math.random() - 0.5);
      await using services = runServices(createEventPersister(createTestContext(database, broker)), createEventPersister(createTestContext(database, broker)));
      assert.ok(services);
      if (kind === 'memory') await withOtherGroups(broker, async () => broker.publish('events', shuffled));
      else await broker.publish('events', shuffled);
      await until('all are stored', async () => (await countEvents()) === 3000);
      await until('the poison is set apart', async () => letters.length === 2, 30);
      assert.deepEqual(letters.map((letter) => letter.data).toSorted(), ['no JSON', nul].toSorted());
      const [resources] = await database.sql<{ count: number }[]>`select count(*) from event_resources`;
      assert.equal(resources?.count, 3000);
    });
  }

  /** In memory a publication is complete when all groups have it; here the others take everything. */
  async function withOtherGroups(broker: Broker, work: () => Promise<void>): Promise<void> {
    const controller = new AbortController();
    const running = (['task-run-recorder', 'automations'] as const).map((group) =>
      broker.consume({ topic: 'events', group, batchSize: 500, maxAttempts: 1, handle: async () => {}, isOutage: () => false, signal: controller.signal }),
    );
    await work();
    controller.abort();
    await Promise.all(running);
  }

  test('the relay publishes what is left in the outbox: once, and again while it is not stored', async () => {
    const published: string[] = [];
    let isAway = false;
    const broker = {
      isReady: () => !isAway,
      publish: async (_topic: string, messages: readonly string[]) => void published.push(...messages),
    } as unknown as Broker;
    const relay = () => relayOutbox(database.sql, broker, { afterSeconds: 5, againAfterSeconds: 60 }, new AbortController().signal);
    const [young, ...old] = Array.from({ length: 1201 }, () => makeEventText());
    await leaveInOutbox(young ?? '', 0);
    await Promise.all(old.map((text) => leaveInOutbox(text, 10)));

    const counts = await Promise.all([relay(), relay()]);
    assert.equal((counts[0] ?? 0) + (counts[1] ?? 0), 1200);
    assert.deepEqual(published.toSorted(), old.toSorted());
    assert.equal(await relay(), 0);

    await database.sql`update praetor.outbox set published = now() - interval '61 s', created = created - interval '61 s' where published is not null`;
    isAway = true;
    assert.equal(await relay(), 0);
    isAway = false;
    // Nothing was taken while the stream was away, so nothing has to wait.
    assert.equal(await relay(), 1200);
    await database.sql`delete from praetor.outbox`;
  });

  test('an event that became a dead letter is not relayed for ever, and holds up no other', async () => {
    const [dead, other] = [makeUnstorable(), makeEventText()];
    for (const text of [dead, other]) await leaveInOutbox(text, 10);
    const letter = { topic: 'events', error: 'x', attempts: 5 } as const;
    await saveDeadLetter(database.sql, { ...letter, group: 'event-persister', data: dead });
    // What another group gave up can be stored all the same.
    await saveDeadLetter(database.sql, { ...letter, group: 'automations', data: other });
    await saveDeadLetter(database.sql, { ...letter, group: 'event-persister', data: 'no JSON at all \0' });
    const published: string[] = [];
    const broker = { isReady: () => true, publish: async (_topic: string, texts: readonly string[]) => void published.push(...texts) } as unknown as Broker;
    assert.equal(await relayOutbox(database.sql, broker, { afterSeconds: 5, againAfterSeconds: 60 }, new AbortController().signal), 1);
    assert.deepEqual(published, [other]);
    await database.sql`delete from praetor.outbox`;
  });
});
