import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Api } from '@praetor/test/support/api';
import { Child } from '@praetor/test/support/child';
import { until } from '@praetor/test/support/poll';
import { findFreePort } from '@praetor/test/support/ports';

describe('pnpm start', () => {
  let folder: string;
  let port: number;
  let api: Api;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'praetor-standalone-'));
    port = await findFreePort();
    api = new Api(`http://127.0.0.1:${port}/api`);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const home = () => path.join(folder, 'home');
  const WITHOUT_STORES = { PREFECT_SERVER_DATABASE_CONNECTION_URL: undefined, PRAETOR_REDIS_URL: undefined };

  function spawnServer(logName: string, env: NodeJS.ProcessEnv = {}): Child {
    const address = { PREFECT_SERVER_API_PORT: String(port), PRAETOR_HOME: home() };
    return new Child({ program: { script: 'start' }, env: { ...WITHOUT_STORES, ...address, ...env }, logFile: path.join(folder, logName) });
  }

  async function startServer(logName: string): Promise<Child> {
    const server = spawnServer(logName);
    await server.ready(`${api.url}/ready`);
    return server;
  }

  const readLog = (logName: string) => readFile(path.join(folder, logName), 'utf8');

  /** Starts a server that must refuse; gives its one line. */
  async function expectRefusal(logName: string, env: NodeJS.ProcessEnv): Promise<string> {
    const server = spawnServer(logName, env);
    await server.exited;
    assert.equal(server.exitCode, 1);
    const lines = (await readLog(logName)).trimEnd().split('\n');
    assert.equal(lines.length, 1, lines.join('\n'));
    return lines[0] ?? '';
  }

  test('says where it is and what to export, and refuses a second one on its port or data', async () => {
    await using _server = await startServer('first.log');
    const log = await until('the greeting', async () => (await readLog('first.log')).includes('export') && (await readLog('first.log')));
    assert.ok(log.includes(`http://127.0.0.1:${port}\n`));
    assert.ok(log.includes(home()));
    assert.ok(log.includes(`export PREFECT_API_URL=${api.url}\n`));

    assert.match(await expectRefusal('port.log', { PRAETOR_HOME: path.join(folder, 'other') }), new RegExp(`Port ${port} .* in use`));
    assert.match(await expectRefusal('home.log', { PREFECT_SERVER_API_PORT: String(await findFreePort()) }), /home is in use by process \d+/);
    assert.match(await expectRefusal('setting.log', { PREFECT_SERVER_API_PORT: 'http' }), /^PREFECT_SERVER_API_PORT: /);
  });

  test('keeps its data over a restart and over kill -9', async () => {
    const name = (n: number) => `kept-${n}`;
    for (const [n, signal] of (['SIGTERM', 'SIGKILL', 'SIGTERM'] as const).entries()) {
      const server = await startServer('restarts.log');
      for (let earlier = 0; earlier < n; earlier++) await api.expect(200, 'GET', `/variables/name/${name(earlier)}`);
      await api.expect(201, 'POST', '/variables/', { name: name(n), value: n });
      await server.stop(signal);
      assert.equal(server.exitCode, signal === 'SIGTERM' ? 0 : null);
    }
  });

  test('finishes the requests in flight when it is told to stop', async () => {
    const server = await startServer('drain.log');
    const body = JSON.stringify({ name: 'in-flight', value: 1 });
    const inFlight = request({ port, method: 'POST', path: '/api/variables/', headers: { 'content-type': 'application/json', 'content-length': body.length } });
    inFlight.write(body.slice(0, 5));
    await once(inFlight, 'socket');
    await until('the request has begun', async () => inFlight.socket?.connecting === false);
    const stopped = server.stop();
    await until('nobody else is let in', async () => await api.get('/health').then(() => false, () => true));
    inFlight.end(body.slice(5));
    const [response] = await once(inFlight, 'response');
    assert.equal(response.statusCode, 201);
    response.resume();
    await stopped;
    assert.equal(server.exitCode, 0);
  });
});
