import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { loadSettings } from '@praetor/runtime/settings';
import { Cluster } from './cluster.ts';

/* `pnpm cluster [--gateways N] [--workers N] [--port N]`: every service as processes of its own, on the Postgres and Redis of the settings. */

const count = { type: 'string' } as const;
const { values } = parseArgs({ options: { gateways: count, workers: count, port: count } });
const settings = loadSettings({ argv: values.port === undefined ? [] : ['--port', values.port] });
const { connectionUrl } = settings.database;
if (connectionUrl === undefined || settings.redis.url === undefined) {
  console.error('Set PREFECT_SERVER_DATABASE_CONNECTION_URL and PRAETOR_REDIS_URL to the Postgres and the Redis of the cluster.');
  process.exit(1);
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

await using cluster = await Cluster.start({
  databaseUrl: connectionUrl,
  redisUrl: settings.redis.url,
  gateways: Number(values.gateways ?? 2),
  workers: Number(values.workers ?? 2),
  port: settings.api.port,
  logs: 'inherit',
});
console.log(`\nThe cluster serves ${cluster.apiUrl}\n\n  export PREFECT_API_URL=${cluster.apiUrl}\n`);
if (!stop.signal.aborted) await once(stop.signal, 'abort');
