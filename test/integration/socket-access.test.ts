import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSockets } from '@praetor/api-gateway/sockets/sockets';
import { createBroadcaster } from '@praetor/broadcaster/service';
import { createBroker } from '@praetor/streams/create-broker';
import { createTestContext } from '@praetor/test/support/context';
import { createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';
import { startPipeline } from '@praetor/test/support/pipeline';
import { SocketClient } from '@praetor/test/support/socket-client';

/* Every socket of the API, whoever serves it: the same base path, the same authentication (facts/hidden-endpoints.md §4). */

describe('access to the sockets', { skip: (await isPostgresReachable()) ? false : 'needs Postgres' }, () => {
  test('each one asks for the whole secret, below the base path', async () => {
    await using database = await createTestDatabase();
    await using broker = createBroker({ redis: undefined, saveDeadLetter: async () => {}, onError: () => {} });
    const settings = { PREFECT_SERVER_API_AUTH_STRING: 'admin:secret', PREFECT_SERVER_API_BASE_PATH: '/pre.fect/api/' };
    const context = createTestContext(database, broker, settings);
    const paths = [...createSockets(context), ...createBroadcaster(createTestContext(database, broker, settings)).sockets].map(({ path }) => path.replaceAll(/\{\w+\}/g, 'x'));
    assert.ok(['/events/in', '/task_runs/subscriptions/scheduled', '/events/out', '/logs/out'].every((path) => paths.includes(path)), paths.join(' '));

    await using pipeline = await startPipeline(database, broker, settings);
    const origin = new URL(pipeline.url).origin;
    for (const path of paths) {
      const url = `${origin}/pre.fect/api${path}`;
      for (const first of [{ type: 'auth', token: null }, { type: 'auth', token: 'admin:' }, { type: 'auth', token: 'admin:secret ' }, { type: 'auth', token: ['admin:secret'] }, { type: 'hello' }]) {
        const client = await SocketClient.open(url);
        client.send(first);
        assert.deepEqual([(await client.ended).code, client.messages], [1008, []], `${path} ${JSON.stringify(first)}`);
      }
      assert.equal((await (await SocketClient.open(url, { protocols: [] })).ended).code, 403, path);
      const client = await SocketClient.connect(url, 'admin:secret');
      client.close();
      for (const other of ['/api', '/preXfect/api', '']) assert.equal((await (await SocketClient.open(`${origin}${other}${path}`)).ended).code, 403, other + path);
    }
  });
});
