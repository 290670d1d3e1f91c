import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { backoff, pause } from '@praetor/streams/backoff';
import type { Logger } from './logger.ts';
import type { CreateTick } from './tick.ts';
import type { Ticker } from './ticker.ts';

export interface RedisTickerOptions {
  url: string;
  keyPrefix: string;
  createTick: CreateTick;
  logger: Logger;
}

/** Redis answers in this time or counts as away. */
const ANSWER_TIMEOUT_MS = 1000;
/** Closing waits this long for a Redis that may be away. */
const CLOSE_TIMEOUT_MS = 2000;
const MISSED_INTERVALS = 2;

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const timeout = sleep(milliseconds, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw new Error('Redis did not answer in time');
  });
  // Whichever loses the race may still reject; nobody waits for it then.
  timeout.catch(() => {});
  work.catch(() => {});
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timer.abort();
  }
}

/** Reconnects until the signal aborts. Tells of each outage once. */
function connect(url: string, logger: Logger, signal: AbortSignal): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: (attempt) => (signal.aborted ? null : backoff(attempt, 100, 3000)) });
  let isAway = false;
  redis.on('error', (error) => {
    if (!isAway) logger.warn({ error }, 'Redis is away: ticks run in every replica until it is back');
    isAway = true;
  });
  redis.on('ready', () => {
    if (isAway) logger.info('Redis is back');
    isAway = false;
  });
  return redis;
}

/**
 * Ticks by BullMQ job schedulers: each interval one replica of all gets the job. A database loop must not stop because
 * Redis did, so every replica watches the scheduler: when nobody has taken a tick for two intervals (Redis away, its data
 * lost, workers stuck) it repairs the scheduler if it can and runs the work itself, which is safe to run twice.
 */
export function createRedisTicker({ url, keyPrefix, createTick, logger }: RedisTickerOptions): Ticker {
  return {
    async every(name, intervalSeconds, work, signal) {
      const every = intervalSeconds * 1000;
      const tick = createTick(name, intervalSeconds, work, signal);
      const connection = connect(url, logger, signal);
      const shared = { connection, prefix: `${keyPrefix}:ticks` };
      const queue = new Queue(name, { ...shared, streams: { events: { maxLen: 10 } } });
      let taken = -Infinity;
      const take = async () => {
        taken = Date.now();
        await tick.run();
      };
      const worker = new Worker(name, take, { ...shared, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } });
      // Both repeat what the connection says; anything else shows as a missed tick.
      queue.on('error', (error) => logger.debug({ error, tick: name }, 'tick queue'));
      worker.on('error', (error) => logger.debug({ error, tick: name }, 'tick worker'));

      let next = Date.now() + every;
      const isMissed = () => Date.now() > next + MISSED_INTERVALS * every;

      async function watch(): Promise<void> {
        try {
          const scheduler = await within(ANSWER_TIMEOUT_MS, queue.getJobScheduler(name));
          if (scheduler?.every === every && scheduler.next) next = scheduler.next;
          if (scheduler?.every !== every || isMissed()) await within(ANSWER_TIMEOUT_MS, queue.upsertJobScheduler(name, { every }, { name }));
        } catch (error) {
          logger.debug({ error, tick: name }, 'the tick scheduler cannot be reached');
        }
      }

      await tick.run();
      await watch();
      while (!signal.aborted) {
        await pause(every, signal);
        if (signal.aborted) break;
        // Who gets the ticks need not ask whether there are any.
        if (Date.now() - taken <= every) continue;
        await watch();
        if (isMissed()) await tick.run();
        else tick.noteWatching();
      }
      await tick.run();
      const close = async () => {
        // Forced: no run is going on any more, and an orderly close waits for a Redis that may be away.
        await worker.close(true);
        await queue.close();
      };
      await within(CLOSE_TIMEOUT_MS, close()).catch((error: unknown) => logger.debug({ error, tick: name }, 'closed without Redis'));
      connection.disconnect();
    },
    async [Symbol.asyncDispose]() {},
  };
}
