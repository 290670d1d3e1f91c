import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '@praetor/database/sql';
import { findWaitingTaskKeys } from '@praetor/orchestration/background-tasks';

const INTERVAL_MS = 100;
const INTERVAL_AFTER_ERROR_MS = 1000;

interface Watcher {
  keys: readonly string[];
  wake: () => void;
}

/** Looks into the queue of background tasks for all workers of this process at once, and only while one of them waits. */
export class TaskQueueWatch {
  readonly #sql: Sql;
  readonly #onError: (error: unknown) => void;
  readonly #watchers = new Set<Watcher>();
  #isLooking = false;

  constructor(sql: Sql, onError: (error: unknown) => void) {
    this.#sql = sql;
    this.#onError = onError;
  }

  /** Resolves when a run of one of these tasks may be waiting, or the signal aborts. */
  async wait(keys: readonly string[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const watcher = { keys, wake };
    this.#watchers.add(watcher);
    signal.addEventListener('abort', wake);
    if (!this.#isLooking) void this.#look();
    await promise;
    signal.removeEventListener('abort', wake);
    this.#watchers.delete(watcher);
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    while (this.#watchers.size > 0) {
      const watchers = [...this.#watchers];
      try {
        const waiting = await findWaitingTaskKeys(this.#sql, [...new Set(watchers.flatMap((watcher) => watcher.keys))]);
        for (const watcher of watchers) if (watcher.keys.some((key) => waiting.has(key))) watcher.wake();
        await sleep(INTERVAL_MS);
      } catch (error) {
        this.#onError(error);
        await sleep(INTERVAL_AFTER_ERROR_MS);
      }
    }
    this.#isLooking = false;
  }
}
