import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApiGateway } from '@praetor/api-gateway/service';
import { createAutomations } from '@praetor/automations/service';
import { createEventPersister } from '@praetor/event-persister/service';
import type { Event } from '@praetor/schema/event';
import type { SettingValues } from '@praetor/schema/setting';
import type { Broker } from '@praetor/streams/broker';
import { createBroker } from '@praetor/streams/create-broker';
import { createTaskRunRecorder } from '@praetor/task-run-recorder/service';
import { Api } from '@praetor/test/support/api';
import { createTestContext, runServices } from '@praetor/test/support/context';
import { type TestDatabase, createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';
import { makeEvent, makeEventText } from '@praetor/test/support/events';
import { until } from '@praetor/test/support/poll';
import { findFreePort } from '@praetor/test/support/ports';
import { RedisServer, isRedisServerInstalled } from '@praetor/test/support/redis-server';
import { SocketClient } from '@praetor/test/support/socket-client';

/* What happens at the front while nobody reads the stream of events, and it is full. */

const skip = (await isPostgresReachable()) && (await isRedisServerInstalled()) ? false : 'needs Postgres and redis-server';
const LIMIT = 100;
/** More than the buffers of a connection hold. */
const EVENTS = 4000;
const EVENT_BYTES = 5000;

describe('a full stream', { skip }, () => {
  const stack = new AsyncDisposableStack();
  let database: TestDatabase;
  let broker: Broker;
  let api: Api;
  let url: string;
  const context = (settings: SettingValues = {}) => createTestContext(database, broker, { PRAETOR_STREAMS_MAX_LENGTH: String(LIMIT), ...settings });

  before(async () => {
    database = stack.use(await createTestDatabase());
    const redis = stack.use(await RedisServer.start());
    broker = stack.use(
      createBroker({ redis: { url: redis.url, keyPrefix: 'full', maximumLength: LIMIT }, saveDeadLetter: async (letter) => assert.fail(letter.error), onError: () => {} }),
    );
    await broker.publish('events', Array.from({ length: LIMIT }, () => makeEventText({ event: 'before' })));
    const port = await findFreePort();
    stack.use(runServices(createApiGateway(context({ PREFECT_SERVER_API_PORT: String(port) }))));
    [api, url] = [new Api(`http://127.0.0.1:${port}/api`), `ws://127.0.0.1:${port}/api/events/in`];
    await until('the API answers', () => api.get('/health').then(() => true, () => false));
  });
  after(() => stack.disposeAsync());

  async function waiting(): Promise<number> {
    const groups = await broker.lag();
    return Math.max(...groups.map(({ lag, pending }) => lag + pending));
  }

  const countStored = async (event: string) => (await database.sql<{ count: number }[]>`select count(*)::integer as count from events where event = ${event}`)[0]?.count;

  test('refuses by HTTP, slows sockets down, and loses nothing that was acknowledged', async () => {
    const refused = await api.post('/events', [makeEvent({ event: 'refused' })]);
    assert.equal(refused.status, 503);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);

    const client = await SocketClient.connect(url);
    const events = Array.from({ length: EVENTS }, (): Event => makeEvent({ event: 'sent', payload: { text: 'x'.repeat(EVENT_BYTES) } }));
    for (const event of events) client.send(event);
    let isAnswered = false;
    const pong = client.ping().then(() => (isAnswered = true));
    await sleep(1500);
    assert.equal(isAnswered, false);
    assert.ok(client.socket.bufferedAmount > 0, 'the gateway reads no more than it can take');
    assert.equal(await waiting(), LIMIT);
    assert.deepEqual(await database.sql`select from praetor.intake`, [], 'who is not heard now need not be silent');

    await using _readers = runServices(...[createEventPersister, createTaskRunRecorder, createAutomations].map((create) => create(context())));
    await pong;
    await until('everything is stored', async () => (await countStored('sent')) === EVENTS, 60);
    assert.equal(await countStored('before'), LIMIT);
    assert.equal(await countStored('refused'), 0);
    const taken = makeEvent({ event: 'taken' });
    await until('HTTP is taken again', async () => (await api.post('/events', [taken])).status === 204);
    await until('what came by HTTP is stored', async () => (await countStored('taken')) === 1);
    await until('the gateway tells that it listens', async () => (await database.sql`select from praetor.intake`).length === 1, 30);
    client.close();
  });
});
