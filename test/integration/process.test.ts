import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, mkdtempDisposable, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '@praetor/test/support/api';
import { Child } from '@praetor/test/support/child';
import { type TestDatabase, createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';
import { until } from '@praetor/test/support/poll';
import { findFreePort } from '@praetor/test/support/ports';
import { RedisServer, isRedisServerInstalled } from '@praetor/test/support/redis-server';

const skip = (await isPostgresReachable()) && (await isRedisServerInstalled()) ? false : 'needs Postgres and redis-server';

describe('a service as a process of its own', { skip }, () => {
  let folder: string;
  let redis: RedisServer;
  let database: TestDatabase;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'praetor-process-'));
    redis = await RedisServer.start();
    database = await createTestDatabase({ migrated: false });
  });
  after(async () => {
    await redis?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const stores = () => ({ PREFECT_SERVER_DATABASE_CONNECTION_URL: database.url.replace('postgresql:', 'postgresql+asyncpg:'), PRAETOR_REDIS_URL: redis.url });

  async function startService(service: string, env: NodeJS.ProcessEnv = {}) {
    const port = await findFreePort();
    const child = new Child({
      program: { service },
      logFile: path.join(folder, `${service}.log`),
      env: {
        ...stores(),
        PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS: '0.5',
        PRAETOR_METRICS_HOST: '127.0.0.1',
        PRAETOR_METRICS_PORT: String(port),
        ...env,
      },
    });
    return { child, url: `http://127.0.0.1:${port}` };
  }

  const readDetails = async (url: string) => {
    const response = await fetch(url);
    return { status: response.status, details: ((await response.json()) as { details: Record<string, unknown> }).details };
  };

  /** Starts a service that must refuse; gives what it says to people, beside its log. */
  async function expectRefusal(service: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { child } = await startService(service, env);
    await child.exited;
    assert.equal(child.exitCode, 1);
    const lines = (await readFile(path.join(folder, `${service}.log`), 'utf8')).trimEnd().split('\n');
    const said = lines.filter((line) => !line.startsWith('{'));
    assert.equal(said.length, 1, lines.join('\n'));
    return said[0] ?? '';
  }
  const WITHOUT_MIGRATING = { PREFECT_SERVER_DATABASE_MIGRATE_ON_START: 'false' };

  test('says what to do where nobody has migrated and it may not, until `pnpm migrate` has', async () => {
    assert.equal(await expectRefusal('scheduler', WITHOUT_MIGRATING), 'The database is not up to date: run `pnpm migrate`.');
    const migrating = new Child({ program: { script: 'migrate' }, env: stores(), logFile: path.join(folder, 'migrate.log') });
    await migrating.exited;
    assert.equal(migrating.exitCode, 0);
  });

  test('tells the truth about itself while Redis is away, goes on, and ends well', async () => {
    const { child, url } = await startService('lease-cleanup', WITHOUT_MIGRATING);
    await using _child = child;
    await child.ready(`${url}/ready`);
    assert.deepEqual(await readDetails(`${url}/ready`), { status: 200, details: { running: true, database: true, broker: true } });

    const countTicks = async () => Number(/praetor_tick_duration_seconds_count\{.*\} (\d+)/.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
    await redis.kill();
    await until('it is not ready', async () => (await readDetails(`${url}/ready`)).status === 503);
    assert.deepEqual((await readDetails(`${url}/ready`)).details, { running: true, database: true, broker: false });
    const ticks = await countTicks();
    await until('its loop goes on without Redis', async () => (await countTicks()) > ticks + 1, 60);
    assert.equal((await readDetails(`${url}/health`)).status, 200);

    await redis.restart();
    await child.ready(`${url}/ready`);
    await child.stop();
    assert.equal(child.exitCode, 0);
  });

  test('is ready while its statements are slow', async () => {
    const port = await findFreePort();
    const { child, url } = await startService('api-gateway', { PREFECT_SERVER_API_PORT: String(port), PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE: '2' });
    await using _child = child;
    await child.ready(`${url}/ready`);
    const api = new Api(`http://127.0.0.1:${port}/api`);
    const release = Promise.withResolvers<void>();
    const locking = Promise.withResolvers<void>();
    const locked = database.sql.begin(async (transaction) => {
      await transaction`lock table flow in access exclusive mode`;
      locking.resolve();
      await release.promise;
    });
    await locking.promise;
    const requests = Array.from({ length: 4 }, () => api.get(`/flows/${randomUUID()}`));
    await sleep(500);
    const answer = await readDetails(`${url}/ready`);
    release.resolve();
    await locked;
    assert.equal(answer.status, 200);
    assert.deepEqual((await Promise.all(requests)).map(({ status }) => status), [404, 404, 404, 404]);
    await child.stop();
  });

  test('waits for a database that is not up yet, alive and not ready', async () => {
    const nowhere = `postgresql://postgres@127.0.0.1:${await findFreePort()}/none`;
    const { child, url } = await startService('foreman', { PREFECT_SERVER_DATABASE_CONNECTION_URL: nowhere });
    await using _child = child;
    await child.ready(`${url}/health`);
    assert.deepEqual(await readDetails(`${url}/ready`), { status: 503, details: { running: false, database: false } });
    await child.stop();
    assert.equal(child.exitCode, 0);
  });

  test('refuses a database that a newer one has changed in a way that it cannot live with', async () => {
    await database.sql`insert into praetor.migration (name, breaking) values ('9999_from_the_future', true)`;
    const refusals = await Promise.all([expectRefusal('broadcaster'), expectRefusal('retention', WITHOUT_MIGRATING)]);
    const wanted = 'The database is newer than this server: it has had 9999_from_the_future. Start the newer version of Praetor.';
    assert.deepEqual(refusals, [wanted, wanted]);
  });
});

test('`pnpm cluster` refuses numbers that are none in one line', async () => {
  await using folder = await mkdtempDisposable(path.join(tmpdir(), 'praetor-cluster-'));
  const logFile = path.join(folder.path, 'cluster.log');
  const command = new Child({ program: { script: 'cluster' }, args: ['--workers', 'abc'], logFile });
  await command.exited;
  assert.deepEqual([command.exitCode, await readFile(logFile, 'utf8')], [2, '--workers: must be a whole number from 1 to 999\n']);
});
