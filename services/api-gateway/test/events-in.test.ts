import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEventsIn } from '@praetor/api-gateway/sockets/events-in';
import { type SocketRoute, attachSockets, socketOptions } from '@praetor/runtime/sockets';
import { createBroker } from '@praetor/streams/create-broker';
import { createTestContext } from '@praetor/test/support/context';
import { openDatabase } from '@praetor/test/support/database';
import { makeEvent } from '@praetor/test/support/events';
import { until } from '@praetor/test/support/poll';
import { RedisServer, isRedisServerInstalled } from '@praetor/test/support/redis-server';
import { SocketClient } from '@praetor/test/support/socket-client';

/* Clients that send events while Redis is away. */

const PATIENCE_SECONDS = 1;
/** In this time a gateway that takes all it gets has read what `sendMany` sends. */
const READ_MS = 4000;

/** Few events, but more characters than a connection and its buffers hold. */
function sendMany(client: SocketClient): void {
  for (let count = 0; count < 40; count++) client.send(makeEvent({ event: 'lost', payload: { text: 'x'.repeat(1_000_000) } }));
}

/** The route on a port of its own, and a Redis that the test may kill. */
async function serve() {
  await using opened = new AsyncDisposableStack();
  const redis = opened.use(await RedisServer.start());
  const broker = opened.use(createBroker({ redis: { url: redis.url, keyPrefix: 'in' }, saveDeadLetter: async (letter) => assert.fail(letter.error), onError: () => {} }));
  await until('Redis answers', async () => broker.isReady());
  // Nobody asks it anything.
  const database = opened.use(openDatabase('postgresql://nowhere'));
  const context = createTestContext(database, broker, { PREFECT_SERVER_API_WEBSOCKET_PING_INTERVAL: '0.2' });
  const route = createEventsIn(context, PATIENCE_SECONDS);
  let open = 0;
  const counted: SocketRoute = {
    ...route,
    async handle(...connection) {
      open++;
      await route.handle(...connection).finally(() => open--);
    },
  };
  const server = createServer();
  opened.defer(() => void server.close());
  opened.use(attachSockets(server, [counted], socketOptions(context)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const owned = opened.move();
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/api/events/in`,
    redis,
    broker,
    countOpen: () => open,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

describe('events while Redis is away', { skip: (await isRedisServerInstalled()) ? false : 'needs redis-server' }, () => {
  test('of clients that were cut off are given up, of those that left or stay they are not', async () => {
    await using server = await serve();
    const [lost, lostWhileMadeToWait, left, stays] = await Promise.all(Array.from({ length: 4 }, () => SocketClient.connect(server.url)));
    assert.ok(lost && lostWhileMadeToWait && left && stays);
    await server.redis.kill();
    await until('that is known', async () => !server.broker.isReady());

    for (const client of [lost, left, stays]) client.send(makeEvent({ event: client === lost ? 'lost' : 'kept' }));
    sendMany(lostWhileMadeToWait);
    const pong = stays.ping();
    await sleep(READ_MS);
    assert.ok(lostWhileMadeToWait.socket.bufferedAmount > 0, 'it is made to wait');
    lost.socket.terminate();
    lostWhileMadeToWait.socket.terminate();
    left.close();
    await until('both are given up', async () => server.countOpen() === 2, 20);
    await sleep(2 * PATIENCE_SECONDS * 1000);
    assert.equal(server.countOpen(), 2);

    const received: string[] = [];
    const stop = new AbortController();
    const consuming = server.broker.consume({
      topic: 'events',
      group: 'event-persister',
      batchSize: 100,
      maxAttempts: 1,
      handle: async (messages) => void received.push(...messages.map(({ data }) => String(Reflect.get(Object(JSON.parse(data)), 'event')))),
      isOutage: () => false,
      signal: stop.signal,
    });
    await server.redis.restart();
    await pong;
    await until('both have arrived', async () => received.length >= 2);
    await until('who left is done', async () => server.countOpen() === 1);
    stop.abort();
    await consuming;
    assert.deepEqual(received, ['kept', 'kept']);
    stays.close();
  });

  test('are taken in only as far as they are not too large together', async () => {
    await using server = await serve();
    const client = await SocketClient.connect(server.url);
    await server.redis.kill();
    sendMany(client);
    await sleep(READ_MS);
    assert.ok(client.socket.bufferedAmount > 0, 'it is made to wait');
    client.socket.terminate();
  });
});
