import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { loadSettings } from '@praetor/runtime/settings';
import { SettingsError } from '@praetor/schema/setting';
import type { Settings } from '@praetor/schema/settings';
import { Cluster, type ClusterOptions, POOL_SIZES } from './cluster.ts';

/*
 * `pnpm cluster [--gateways N] [--workers N] [--port N] [--host ADDRESS]`: every service as processes of its own, on the
 * Postgres and Redis of the settings. Those apply to all of them; only where a member listens, behind the common port, is
 * its own.
 */

/** What is wrong with what the user said. */
class UsageError extends Error {}

function readArguments() {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ options: { gateways: text, workers: text, port: text, host: text } }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readCount(flag: string, value: string): number {
  if (!/^[1-9]\d{0,2}$/.test(value)) throw new UsageError(`--${flag}: must be a whole number from 1 to 999`);
  return Number(value);
}

function readOptions(): ClusterOptions {
  const { gateways = '2', workers = '2', ...address } = readArguments();
  const counts = { gateways: readCount('gateways', gateways), workers: readCount('workers', workers) };
  const argv = Object.entries(address).map(([flag, value]) => `--${flag}=${value}`);
  const load = (poolSize: number): Settings => loadSettings({ argv, fallbacks: { PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE: poolSize } });
  const { api, database, redis } = load(POOL_SIZES.gateway);
  if (database.connectionUrl === undefined || redis.url === undefined) {
    throw new UsageError('Set PREFECT_SERVER_DATABASE_CONNECTION_URL and PRAETOR_REDIS_URL to the Postgres and the Redis of the cluster.');
  }
  return {
    ...counts,
    databaseUrl: database.connectionUrl,
    redisUrl: redis.url,
    host: api.host,
    port: api.port,
    basePath: api.basePath,
    poolSizes: { gateway: database.poolSize, worker: load(POOL_SIZES.worker).database.poolSize },
    logs: 'inherit',
  };
}

async function main(): Promise<void> {
  const options = readOptions();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  await using cluster = await Cluster.start(options);
  console.log(`\nThe cluster serves ${cluster.apiUrl}\n\n  export PREFECT_API_URL=${cluster.apiUrl}\n`);
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof UsageError || error instanceof SettingsError ? 2 : 1;
}
