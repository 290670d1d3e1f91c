import { once } from 'node:events';
import { Redis } from 'ioredis';
import { backoff } from './backoff.ts';

const SILENCE_MS = 10_000;

/**
 * Opens a connection that never gives up. Commands do: each fails with its connection, or at once where there is none, so
 * that nobody waits for what may never come (disconnecting an ioredis client between two attempts leaves queued commands
 * pending for ever). Whoever needs one again tries again.
 */
export function connectRedis(url: string, onError: (error: unknown) => void, onReconnect: () => void): Redis {
  const redis = new Redis(url, {
    protocol: 2,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => backoff(attempt, 50, 2000),
    // A failover leaves us at what is now a replica.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    // Blocking reads answer every second: a silent connection is a dead one.
    socketTimeout: SILENCE_MS,
  });
  redis.on('error', onError);
  redis.once('ready', () => redis.on('ready', onReconnect));
  return redis;
}

/** Waits for a connection; false where there is none after `milliseconds`, the attempt at hand fails, or the signal aborts. */
export async function waitUntilReady(redis: Redis, milliseconds: number, signal?: AbortSignal): Promise<boolean> {
  if (redis.status === 'ready') return true;
  const timeout = AbortSignal.timeout(milliseconds);
  return await once(redis, 'ready', { signal: signal ? AbortSignal.any([timeout, signal]) : timeout }).then(
    () => true,
    () => false,
  );
}
