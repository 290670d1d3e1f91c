import { pause } from '@praetor/streams/backoff';
import type { CreateTick } from './tick.ts';
import type { Ticker } from './ticker.ts';

/** Ticks of one process by timers: for `pnpm start`, where no other process shares the work. */
export function createTimerTicker(createTick: CreateTick): Ticker {
  return {
    async every(name, intervalSeconds, work, signal) {
      const tick = createTick(name, intervalSeconds, work, signal);
      while (!signal.aborted) {
        const start = performance.now();
        await tick.run();
        await pause(Math.max(0, intervalSeconds * 1000 - (performance.now() - start)), signal);
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}
