import { randomUUID } from 'node:crypto';
import type { Sql } from '@praetor/database/sql';
import { type ConnectedWorker, forgetWorker, observeWorkers } from './queries.ts';

const INTERVAL_SECONDS = 10;

/** Lets all gateways know the task workers that are connected to this one, as long as they are. */
export class TaskWorkerRegister {
  readonly #sql: Sql;
  readonly #onError: (error: unknown) => void;
  readonly #intervalSeconds: number;
  readonly #workers = new Map<string, ConnectedWorker>();
  #timer: NodeJS.Timeout | undefined;

  constructor(sql: Sql, onError: (error: unknown) => void, intervalSeconds = INTERVAL_SECONDS) {
    this.#sql = sql;
    this.#onError = onError;
    this.#intervalSeconds = intervalSeconds;
  }

  /** Registers a worker until it is disposed of. A database that cannot be reached keeps nobody from working. */
  async join(identifier: string, taskKeys: readonly string[]): Promise<AsyncDisposable> {
    const connection_id = randomUUID();
    const worker = { connection_id, identifier, task_keys: taskKeys };
    this.#workers.set(connection_id, worker);
    this.#timer ??= setInterval(() => void this.#try(observeWorkers(this.#sql, [...this.#workers.values()])), this.#intervalSeconds * 1000);
    await this.#try(observeWorkers(this.#sql, [worker]));
    return { [Symbol.asyncDispose]: () => this.#leave(connection_id) };
  }

  async #leave(connectionId: string): Promise<void> {
    this.#workers.delete(connectionId);
    if (this.#workers.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    await this.#try(forgetWorker(this.#sql, connectionId));
  }

  async #try(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#onError(error);
    }
  }
}
