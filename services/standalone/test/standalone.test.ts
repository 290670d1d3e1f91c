import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Api } from '@praetor/test/support/api';
import { Child } from '@praetor/test/support/child';
import { makeEvent } from '@praetor/test/support/events';
import { NOBODY, skipWithoutOrdinaryUser } from '@praetor/test/support/ordinary-user';
import { until } from '@praetor/test/support/poll';
import { findFreePort } from '@praetor/test/support/ports';

const skipOrdinary = await skipWithoutOrdinaryUser();

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

  function spawnServer(logName: string, env: NodeJS.ProcessEnv = {}, user?: typeof NOBODY): Child {
    const address = { PREFECT_SERVER_API_PORT: String(port), PRAETOR_HOME: home() };
    return new Child({ program: { script: 'start' }, env: { ...WITHOUT_STORES, ...address, ...env }, logFile: path.join(folder, logName), user });
  }

  async function startServer(logName: string, env?: NodeJS.ProcessEnv, user?: typeof NOBODY): Promise<Child> {
    const server = spawnServer(logName, env, user);
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
    await using server = await startServer('first.log');
    await server.says(`Praetor serves http://127.0.0.1:${port}\nData: ${home()} (postgres)\n\n  export PREFECT_API_URL=${api.url}\n`);

    assert.match(await expectRefusal('port.log', { PRAETOR_HOME: path.join(folder, 'other') }), new RegExp(`Port ${port} .* in use`));
    assert.match(await expectRefusal('home.log', { PREFECT_SERVER_API_PORT: String(await findFreePort()) }), /home is in use by process \d+/);
    assert.match(await expectRefusal('setting.log', { PREFECT_SERVER_API_PORT: 'http' }), /^PREFECT_SERVER_API_PORT: /);
  });

  test('keeps its data over a restart and over kill -9 of itself, of its Postgres, and of both', async () => {
    let kept = 0;
    /** Everything that was answered is there, and more can be added. */
    async function keep(): Promise<void> {
      for (let n = 0; n < kept; n++) await api.expect(200, 'GET', `/variables/name/kept-${n}`);
      await api.expect(201, 'POST', '/variables/', { name: `kept-${kept}`, value: kept });
      kept++;
    }
    const postgresPid = async () => Number.parseInt(await readFile(path.join(home(), 'postgres', 'postmaster.pid'), 'utf8'));

    const first = await startServer('restarts.log');
    await keep();
    const killed = await postgresPid();
    process.kill(killed, 'SIGKILL');
    await until('another Postgres takes its place', async () => await postgresPid().then((pid) => pid !== killed, () => false));
    await until('the server goes on', async () => (await api.get('/variables/name/kept-0')).status === 200);
    await keep();
    await first.stop();
    assert.equal(first.exitCode, 0);

    const second = await startServer('restarts.log');
    await keep();
    await second.stop('SIGKILL');

    const third = await startServer('restarts.log');
    await keep();
    process.kill(await postgresPid(), 'SIGKILL');
    await third.stop('SIGKILL');

    await using _fourth = await startServer('restarts.log');
    await keep();
  });

  test('runs for an ordinary user', { skip: skipOrdinary }, async () => {
    const own = path.join(folder, 'own');
    await mkdir(own);
    await chown(own, NOBODY.uid, NOBODY.gid);
    // So that he may enter it; what is in it is his own.
    await chmod(folder, 0o711);
    const server = await startServer('ordinary.log', { PRAETOR_HOME: own, HOME: '/nonexistent' }, NOBODY);
    await server.says(`Data: ${own} (postgres)\n`);
    await api.expect(201, 'POST', '/variables/', { name: 'ordinary', value: 1 });
    assert.equal((await stat(path.join(own, 'postgres'))).uid, NOBODY.uid);
    await server.stop();
    assert.equal(server.exitCode, 0);
  });

  test('runs flows on PGlite, says so, and keeps its data over a restart', async () => {
    const pglite = { PRAETOR_EMBEDDED_DATABASE: 'pglite', PRAETOR_HOME: path.join(folder, 'pglite') };
    const event = makeEvent({ event: 'pglite.happened' });
    const readEvents = async () => (await api.expect(200, 'POST', '/events/filter', { filter: { event: { name: [event.event] } } })).events;
    let id: string;
    {
      await using server = await startServer('pglite.log', pglite);
      await server.says(`Data: ${pglite.PRAETOR_HOME} (pglite)\n`);
      const { id: flow_id } = await api.expect(201, 'POST', '/flows/', { name: 'on-pglite' });
      ({ id } = await api.expect(201, 'POST', '/flow_runs/', { flow_id, state: { type: 'PENDING' } }));
      for (const type of ['RUNNING', 'COMPLETED']) assert.equal((await api.expect(201, 'POST', `/flow_runs/${id}/set_state`, { state: { type } })).status, 'ACCEPT');
      await api.expect(204, 'POST', '/events', [event]);
      await until('the event is stored', async () => (await readEvents()).length === 1);
    }
    await using _again = await startServer('pglite.log', pglite);
    const states = await api.expect(200, 'GET', `/flow_run_states/?flow_run_id=${id}`);
    assert.deepEqual(states.map(({ type }: { type: string }) => type), ['PENDING', 'RUNNING', 'COMPLETED']);
    assert.deepEqual((await readEvents()).map((stored: { id: string }) => stored.id), [event.id]);
    const { events } = await api.expect(200, 'POST', '/events/filter', { filter: { resource: { id: [`prefect.flow-run.${id}`] } } });
    assert.deepEqual(events.map((stored: { event: string }) => stored.event).sort(), ['prefect.flow-run.Completed', 'prefect.flow-run.Pending', 'prefect.flow-run.Running']);
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
