import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
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
    database = await createTestDatabase();
  });
  after(async () => {
    await redis?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function startService(service: string, env: NodeJS.ProcessEnv = {}) {
    const port = await findFreePort();
    const child = new Child({
      service,
      logFile: path.join(folder, `${service}.log`),
      env: {
        PREFECT_SERVER_DATABASE_CONNECTION_URL: database.url.replace('postgresql:', 'postgresql+asyncpg:'),
        PRAETOR_REDIS_URL: redis.url,
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

  test('tells the truth about itself while Redis is away, goes on, and ends well', async () => {
    const { child, url } = await startService('lease-cleanup');
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
});
