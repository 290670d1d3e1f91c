import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { Child } from './child.ts';
import { createTestDatabase, isPostgresReachable } from './database.ts';
import { findFreePort } from './ports.ts';

/** The shared Redis for tests; files that restart it use one of their own (redis-server.ts). */
const REDIS_URL = process.env['PRAETOR_TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379/0';

/** A running Praetor, whatever it consists of. */
export interface Server extends AsyncDisposable {
  /** For PREFECT_API_URL: `http://127.0.0.1:port/api`. */
  readonly apiUrl: string;
}

/** `pnpm start` on a port and a data folder of its own. */
async function startStandalone(env: NodeJS.ProcessEnv = {}): Promise<Server> {
  const home = await mkdtemp(path.join(tmpdir(), 'praetor-home-'));
  const port = await findFreePort();
  await using started = new AsyncDisposableStack();
  started.defer(() => rm(home, { recursive: true, force: true }));
  const logFile = path.join(home, 'server.log');
  const child = started.use(
    new Child({
      program: { script: 'start' },
      args: ['--port', String(port), '--home', home],
      env: { PREFECT_SERVER_DATABASE_CONNECTION_URL: undefined, PRAETOR_REDIS_URL: undefined, PREFECT_API_URL: undefined, ...env },
      logFile,
    }),
  );
  const apiUrl = `http://127.0.0.1:${port}/api`;
  await child.ready(`${apiUrl}/ready`);
  const owned = started.move();
  return { apiUrl, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Not where servers listen unless they are told; macOS has only the usual address. */
const CLUSTER_HOST = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1';

/** `pnpm cluster` on a database and Redis keys of its own: two gateways, one of each worker. */
async function startCluster(env: NodeJS.ProcessEnv = {}): Promise<Server> {
  await using started = new AsyncDisposableStack();
  const database = started.use(await createTestDatabase());
  const redisKeyPrefix = `test-${randomBytes(6).toString('hex')}`;
  started.defer(() => deleteKeys(redisKeyPrefix));
  const folder = await mkdtemp(path.join(tmpdir(), 'praetor-cluster-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const port = await findFreePort();
  const child = started.use(
    new Child({
      program: { script: 'cluster' },
      args: ['--gateways', '2', '--workers', '1', '--port', String(port)],
      env: {
        PREFECT_SERVER_DATABASE_CONNECTION_URL: database.url,
        PRAETOR_REDIS_URL: REDIS_URL,
        PRAETOR_REDIS_KEY_PREFIX: redisKeyPrefix,
        PREFECT_SERVER_API_HOST: CLUSTER_HOST,
        ...env,
      },
      logFile: path.join(folder, 'cluster.log'),
    }),
  );
  const apiUrl = `http://${CLUSTER_HOST}:${port}/api`;
  await child.says(`The cluster serves ${apiUrl}\n`);
  const owned = started.move();
  return { apiUrl, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function deleteKeys(prefix: string): Promise<void> {
  const redis = new Redis(REDIS_URL);
  for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1000 })) if (keys.length > 0) await redis.unlink(keys);
  redis.disconnect();
}

async function isRedisReachable(): Promise<boolean> {
  const redis = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return true;
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

/** One way of running Praetor, for tests that must hold in all of them. `skip` is for node:test. */
export interface Topology {
  name: string;
  skip: string | false;
  start(env?: NodeJS.ProcessEnv): Promise<Server>;
}

/** Both ways: `pnpm start`, and the scaled-out services, where a Postgres and a Redis can be reached. */
export async function findTopologies(): Promise<Topology[]> {
  const hasStores = (await isPostgresReachable()) && (await isRedisReachable());
  return [
    { name: 'standalone', skip: false, start: startStandalone },
    { name: 'cluster', skip: hasStores ? false : 'needs Postgres and Redis', start: startCluster },
  ];
}
