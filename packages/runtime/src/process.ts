import { Registry } from 'prom-client';
import { type Database, connect } from '@praetor/database/connect';
import { classifyDatabaseError } from '@praetor/database/errors';
import { assertMigrated, migrate } from '@praetor/database/migrate';
import { backoff, pause } from '@praetor/streams/backoff';
import { createBroker } from '@praetor/streams/create-broker';
import { registerBrokerMetrics } from './broker-metrics.ts';
import { saveDeadLetter } from './dead-letters.ts';
import { createHealth } from './health.ts';
import { serveInstruments } from './instruments.ts';
import { type Process, StartupError, runMain, runServices } from './lifecycle.ts';
import { limitRate } from './logger.ts';
import { collectProcessMetrics } from './process-metrics.ts';
import type { RedisTickerOptions } from './redis-ticker.ts';
import type { CreateService, ServiceContext } from './service.ts';
import { createTicks } from './tick.ts';
import type { Ticker } from './ticker.ts';
import { createTimerTicker } from './timer-ticker.ts';

/** Where a service of its own serves its instruments unless PRAETOR_METRICS_PORT says otherwise. */
const DEFAULT_METRICS_PORT = 4201;
const OUTAGE_LOG_SECONDS = 10;

export interface ContextOptions extends Process {
  /** The service's name in logs, metrics and pg_stat_activity. */
  name: string;
  databaseUrl: string;
  /** Port of /health, /ready and /metrics; undefined for none. */
  metricsPort: number | undefined;
}

/** Waits for a database that is not up yet, as long as it takes: services may start in any order. */
async function prepareDatabase(database: Database, { settings, logger, signal }: Process): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++)
    try {
      return await (settings.database.migrateOnStart ? migrate(database, logger) : assertMigrated(database));
    } catch (error) {
      if (classifyDatabaseError(error) !== 'unavailable') throw error;
      logger.warn({ error }, 'waiting for the database');
      await pause(backoff(attempt), signal);
    }
}

/** BullMQ is loaded where it is used: a laptop does without it and its memory. */
async function openRedisTicker(options: RedisTickerOptions): Promise<Ticker> {
  const { createRedisTicker } = await import('./redis-ticker.ts');
  return createRedisTicker(options);
}

/**
 * Opens what services need: instruments first, so that a process which waits for its database can say so, then database,
 * broker and ticks. Disposing closes it all in reverse. Not ready from the moment the signal aborts.
 */
export async function openContext({ name, databaseUrl, metricsPort, ...frame }: ContextOptions): Promise<ServiceContext & AsyncDisposable> {
  const { settings, logger, signal } = frame;
  await using opened = new AsyncDisposableStack();
  const registry = new Registry();
  registry.setDefaultLabels({ service: name });
  collectProcessMetrics(registry);
  const health = createHealth();
  let isOpen = false;
  health.addReadiness('running', () => isOpen && !signal.aborted);
  if (metricsPort !== undefined) {
    const { port } = opened.use(await serveInstruments({ host: settings.instruments.host, port: metricsPort, health, registry }));
    logger.info({ port }, 'serving /health, /ready and /metrics');
  }

  const database = opened.use(
    connect(databaseUrl, { poolSize: settings.database.poolSize, statementTimeoutSeconds: settings.database.timeoutSeconds, applicationName: `praetor-${name}` }),
  );
  health.addReadiness('database', () => database.isReachable());
  await prepareDatabase(database, frame);

  const redis = settings.redis.url === undefined ? undefined : { url: settings.redis.url, keyPrefix: settings.redis.keyPrefix, maximumLength: settings.streams.maxLength };
  const broker = opened.use(
    createBroker({
      ...(redis && { redis }),
      saveDeadLetter: (letter) => saveDeadLetter(database.sql, letter),
      onError: limitRate(OUTAGE_LOG_SECONDS, (error) => logger.warn({ error }, 'the streams have trouble')),
    }),
  );
  health.addReadiness('broker', () => broker.isReady());
  registerBrokerMetrics(registry, broker);

  const createTick = createTicks({ logger, registry, health });
  const ticker = opened.use(redis ? await openRedisTicker({ ...redis, createTick, logger }) : createTimerTicker(createTick));
  isOpen = true;
  const owned = opened.move();
  return { settings, logger, database, broker, ticker, registry, health, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The whole of a service's own process, from settings to exit code. */
export async function runProcess(name: string, createService: CreateService): Promise<void> {
  await runMain(name, async (frame) => {
    const { database, redis, instruments } = frame.settings;
    if (database.connectionUrl === undefined) throw new StartupError('PREFECT_SERVER_DATABASE_CONNECTION_URL: a service of its own needs a Postgres database');
    if (redis.url === undefined) throw new StartupError('PRAETOR_REDIS_URL: a service of its own needs a Redis');
    await using context = await openContext({ ...frame, name, databaseUrl: database.connectionUrl, metricsPort: instruments.port ?? DEFAULT_METRICS_PORT });
    await runServices([[createService(context)]], frame.signal);
  });
}
