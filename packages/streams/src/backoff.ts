import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds to wait before attempt `attempt` (from 0): doubling up to `longest`, half of it random so that replicas spread. */
export function backoff(attempt: number, first = 100, longest = 5000): number {
  const delay = Math.min(first * 2 ** Math.min(attempt, 20), longest);
  return delay / 2 + Math.random() * (delay / 2);
}

/** Waits, but not longer than until the signal aborts. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
