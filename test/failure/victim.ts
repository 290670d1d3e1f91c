import { Cluster } from '@praetor/test/support/cluster';
import { type TestDatabase, createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';
import { RedisServer, isRedisServerInstalled } from '@praetor/test/support/redis-server';

/** What the failure tests need, or false where it is there. */
export const skip = (await isPostgresReachable()) && (await isRedisServerInstalled()) ? false : 'needs Postgres and redis-server';

/** A cluster that may be treated badly, with a database and a Redis that nobody shares. */
export interface Victim extends AsyncDisposable {
  database: TestDatabase;
  redis: RedisServer;
  cluster: Cluster;
}

/** Starts so many gateways, and so many of every worker service. */
export async function startVictim(size: { gateways: number; workers: number; env?: NodeJS.ProcessEnv }): Promise<Victim> {
  await using started = new AsyncDisposableStack();
  const database = started.use(await createTestDatabase());
  const redis = started.use(await RedisServer.start());
  const cluster = started.use(await Cluster.start({ databaseUrl: database.url, redisUrl: redis.url, ...size }));
  const owned = started.move();
  return { database, redis, cluster, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
