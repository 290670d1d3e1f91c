import type { TickWork } from './tick.ts';

/** Calls work at an interval, once per interval over all replicas of a service (one process: plain timers). */
export interface Ticker extends AsyncDisposable {
  /**
   * Runs `work` every `intervalSeconds` until the signal aborts, the first time at once; resolves when the last run has
   * ended. Runs never overlap within a process; an error is logged, counted and does not end the loop. Work must be safe
   * to run twice: a tick may be repeated or taken over by another replica.
   */
  every(name: string, intervalSeconds: number, work: TickWork, signal: AbortSignal): Promise<void>;
}
