import { setTimeout as sleep } from 'node:timers/promises';
import type { CreateTick } from './tick.ts';
import type { Ticker } from './ticker.ts';

/** Waits, or returns early when the signal aborts. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch {
    // Aborted: the caller looks at the signal.
  }
}

/** Ticks of one process by timers: for `pnpm start`, where no other process shares the work. */
export function createTimerTicker(createTick: CreateTick): Ticker {
  return {
    async every(name, intervalSeconds, work, signal) {
      const tick = createTick(name, intervalSeconds, work, signal);
      while (!signal.aborted) {
        const start = performance.now();
        await tick();
        await pause(Math.max(0, intervalSeconds * 1000 - (performance.now() - start)), signal);
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}
