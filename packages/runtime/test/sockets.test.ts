import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { type SocketOptions, type SocketRoute, attachSockets } from '@praetor/runtime/sockets';
import { until } from '@praetor/test/support/poll';
import { SocketClient } from '@praetor/test/support/socket-client';

const echo: SocketRoute = {
  path: '/pools/{name}/echo',
  async handle(connection, params) {
    await connection.send(JSON.stringify({ params }));
    for (let text = await connection.receive(); text !== undefined; text = await connection.receive()) {
      if (text === '"fail"') throw new Error('as told');
      await connection.send(text);
    }
  },
};

async function serve(options: Partial<SocketOptions> = {}, routes: SocketRoute[] = [echo]) {
  const server = createServer((_request, response) => response.end('http')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = attachSockets(server, routes, {
    basePath: '/api',
    authString: undefined,
    pingIntervalSeconds: 20,
    pingTimeoutSeconds: 20,
    logger: pino({ level: 'silent' }),
    ...options,
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/api/pools/p%201/echo`,
    base: `ws://127.0.0.1:${port}`,
    close: () => sockets[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      await sockets[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
    },
  };
}

const equals = (expected: unknown) => (message: unknown) => JSON.stringify(message) === JSON.stringify(expected);

test('a client pings, authenticates and talks', async () => {
  await using server = await serve();
  const client = await SocketClient.open(server.url);
  assert.equal(client.socket.protocol, 'prefect');
  await client.ping();
  client.send({ type: 'auth', token: null });
  await client.next(equals({ type: 'auth_success' }));
  client.send({ hello: 1 });
  await client.next(equals({ hello: 1 }));
  assert.deepEqual(client.messages[1], { params: { name: 'p%201' } });
  client.close();
  assert.equal((await client.ended).code, 1005);
});

for (const [name, first, code] of [
  ['a message of another type', { type: 'hello' }, 1008],
  ['no token', { type: 'auth', token: null }, 1008],
  ['a wrong token', { type: 'auth', token: 'user:other' }, 1008],
  ['no JSON', 'auth', 1006],
] as const)
  test(`authentication with ${name} ends with ${code}`, async () => {
    await using server = await serve({ authString: 'user:secret' });
    const client = await SocketClient.open(server.url);
    client.send(first);
    assert.equal((await client.ended).code, code);
    assert.deepEqual(client.messages, []);
  });

test('the right token is let in; without the sub-protocol nobody is where a token is needed, and everybody where not', async () => {
  await using closed = await serve({ authString: 'user:secret' });
  assert.ok(await SocketClient.connect(closed.url, 'user:secret'));
  const refused = await SocketClient.open(closed.url, { protocols: [] });
  assert.equal((await refused.ended).code, 403);
  await using open = await serve();
  const legacy = await SocketClient.open(open.url, { protocols: [] });
  await legacy.next(equals({ params: { name: 'p%201' } }));
  assert.equal(legacy.socket.protocol, '');
});

test('unknown paths are refused with 403; a failing handler drops its connection with 1006', async () => {
  await using server = await serve();
  for (const path of ['/api/nowhere', '/api/pools/a/b/echo', '/']) {
    const refused = await SocketClient.open(server.base + path);
    assert.equal((await refused.ended).code, 403, path);
  }
  const client = await SocketClient.connect(server.url);
  client.send('"fail"');
  assert.equal((await client.ended).code, 1006);
});

test('a peer that shows no life is ended, one that answers pings is not', async () => {
  await using server = await serve({ pingIntervalSeconds: 0.1, pingTimeoutSeconds: 0.2 });
  const mute = await SocketClient.open(server.url, { autoPong: false });
  const living = await SocketClient.open(server.url);
  assert.equal((await mute.ended).code, 1006);
  await sleep(500);
  assert.equal(living.socket.readyState, living.socket.OPEN);
});

test('a peer that sends faster than it is served has to wait, and loses nothing', async () => {
  const start = Promise.withResolvers<void>();
  const received: string[] = [];
  const slow: SocketRoute = {
    path: '/slow',
    async handle(connection) {
      await start.promise;
      for (let text = await connection.receive(); text !== undefined; text = await connection.receive()) received.push(text);
    },
  };
  await using server = await serve({}, [slow]);
  const client = await SocketClient.connect(`${server.base}/api/slow`);
  const large = 'x'.repeat(100_000);
  for (let index = 0; index < 300; index++) client.send(`"${index}${large}"`);
  await sleep(300);
  assert.ok(client.socket.bufferedAmount > 0, 'the server stopped reading');
  start.resolve();
  await until('everything has arrived', async () => received.length === 300);
  assert.ok(received.every((text, index) => text.startsWith(`"${index}x`)));
});

test('large frames that nobody takes make a peer wait before they are many', async () => {
  const end = Promise.withResolvers<void>();
  await using server = await serve({}, [{ path: '/stuck', handle: () => end.promise }]);
  using _end = { [Symbol.dispose]: end.resolve };
  const client = await SocketClient.connect(`${server.base}/api/stuck`);
  for (let index = 0; index < 50; index++) client.send(`"${'x'.repeat(1_000_000)}"`);
  await sleep(500);
  assert.ok(client.socket.bufferedAmount > 25_000_000, `${client.socket.bufferedAmount} wait with the client`);
});

test('a peer that is refused and goes on sending is not listened to, and ends with its close code', async () => {
  await using server = await serve({ authString: 'user:secret' });
  const client = await SocketClient.open(server.url);
  client.send({ type: 'auth', token: 'wrong' });
  for (let index = 0; index < 200; index++) client.send('x'.repeat(100_000));
  const end = await Promise.race([client.ended, sleep(5000, undefined, { ref: false })]);
  assert.equal(end?.code, 1008);
});

test('a server that stops lets handlers finish and closes with 1012', async () => {
  let isFinished = false;
  const worker: SocketRoute = {
    path: '/work',
    async handle(connection) {
      await connection.receive();
      await sleep(100);
      await connection.send('"done"');
      isFinished = true;
    },
  };
  await using server = await serve({}, [worker]);
  const client = await SocketClient.connect(`${server.base}/api/work`);
  await server.close();
  assert.ok(isFinished);
  assert.deepEqual(client.messages, ['done']);
  assert.equal((await client.ended).code, 1012);
});

test('a server that stops does not wait for a peer that reads nothing', async () => {
  const outcomes: boolean[] = [];
  let listeners = 0;
  const flood: SocketRoute = {
    path: '/flood',
    async handle(connection) {
      const before = getEventListeners(connection.signal, 'abort').length;
      for (let count = 0; count < 100; count++) await connection.send('"a little"');
      listeners = getEventListeners(connection.signal, 'abort').length - before;
      while (!connection.signal.aborted) outcomes.push(await connection.send(`"${'x'.repeat(1_000_000)}"`));
    },
  };
  await using server = await serve({}, [flood]);
  const client = await SocketClient.connect(`${server.base}/api/flood`);
  client.socket.pause();
  await until('the connection is full', async () => {
    const sent = outcomes.length;
    await sleep(300);
    return outcomes.length > 0 && outcomes.length === sent;
  });
  const isClosed = await Promise.race([server.close().then(() => true), sleep(5000, false, { ref: false })]);
  client.socket.terminate();
  assert.ok(isClosed);
  assert.deepEqual([outcomes[0], outcomes.at(-1), listeners], [true, false, 0]);
});
