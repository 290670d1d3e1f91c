import type { Sql } from '@praetor/database/sql';
import { findWaitingTaskKeys } from '@praetor/orchestration/background-tasks';
import { Lookout } from './lookout.ts';

const INTERVAL_MS = 100;
const INTERVAL_AFTER_ERROR_MS = 1000;

interface Watcher {
  keys: readonly string[];
  wake: () => void;
}

/** Looks into the queue of background tasks for all workers of this process at once, and only while one of them waits. */
export class TaskQueueWatch {
  readonly #sql: Sql;
  readonly #lookout: Lookout;
  readonly #watchers = new Set<Watcher>();

  constructor(sql: Sql, onError: (error: unknown) => void) {
    this.#sql = sql;
    this.#lookout = new Lookout({ isWanted: () => this.#watchers.size > 0, look: () => this.#look(), onError, intervalMs: INTERVAL_MS, intervalAfterErrorMs: INTERVAL_AFTER_ERROR_MS });
  }

  /** Resolves when a run of one of these tasks may be waiting, or the signal aborts. */
  async wait(keys: readonly string[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const watcher = { keys, wake };
    this.#watchers.add(watcher);
    signal.addEventListener('abort', wake);
    this.#lookout.begin();
    await promise;
    signal.removeEventListener('abort', wake);
    this.#watchers.delete(watcher);
  }

  async #look(): Promise<void> {
    const watchers = [...this.#watchers];
    const waiting = await findWaitingTaskKeys(this.#sql, [...new Set(watchers.flatMap((watcher) => watcher.keys))]);
    for (const watcher of watchers) if (watcher.keys.some((key) => waiting.has(key))) watcher.wake();
  }
}
