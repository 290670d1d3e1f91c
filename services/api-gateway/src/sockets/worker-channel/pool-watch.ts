import type { Database } from '@praetor/database/connect';
import type { Timestamp } from '@praetor/schema/timestamps';
import type { WorkPool } from '@praetor/schema/work-pool';
import { findWorkPools } from '../../work-pools/queries.ts';
import { Lookout } from '../lookout.ts';

const INTERVAL_MS = 500;
const INTERVAL_AFTER_ERROR_MS = 2000;

/** Somebody who wants to know what happens to a pool. */
export interface PoolListener {
  readonly workPoolId: string;
  /** When the pool was last changed, as far as the listener knows. */
  readonly seen: Timestamp;
  /** The pool was changed, perhaps through another gateway; `seen` must tell so from now on. */
  poolChanged(pool: WorkPool): void;
  poolDeleted(): void;
  /** Clean-up work waits in the pool. */
  cleanupWaits(): void;
}

interface PoolState {
  id: string;
  updated: Timestamp;
  cleanup_waits: boolean;
}

/** Looks at the pools of all workers of this process at once, and only while there are any. */
export class PoolWatch {
  readonly #database: Database;
  readonly #lookout: Lookout;
  readonly #listeners = new Set<PoolListener>();

  constructor(database: Database, onError: (error: unknown) => void) {
    this.#database = database;
    this.#lookout = new Lookout({ isWanted: () => this.#listeners.size > 0, look: () => this.#look(), onError, intervalMs: INTERVAL_MS, intervalAfterErrorMs: INTERVAL_AFTER_ERROR_MS });
  }

  /** Tells the listener what happens until it is disposed of. */
  watch(listener: PoolListener): Disposable {
    this.#listeners.add(listener);
    this.#lookout.begin();
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async #look(): Promise<void> {
    const listeners = [...this.#listeners];
    const states = await this.#readStates([...new Set(listeners.map((listener) => listener.workPoolId))]);
    const stale = listeners.filter(({ workPoolId, seen }) => states.has(workPoolId) && states.get(workPoolId)?.updated !== seen);
    const changed = await this.#readPools([...new Set(stale.map((listener) => listener.workPoolId))]);
    for (const listener of listeners) {
      const state = states.get(listener.workPoolId);
      const pool = changed.get(listener.workPoolId);
      if (state === undefined) listener.poolDeleted();
      if (pool !== undefined && pool.updated !== listener.seen) listener.poolChanged(pool);
      if (state?.cleanup_waits === true) listener.cleanupWaits();
    }
  }

  async #readStates(ids: readonly string[]): Promise<Map<string, PoolState>> {
    const states = await this.#database.sql<PoolState[]>`
      select id, updated, exists (
        select from praetor.cleanup_message where work_pool_id = work_pool.id and died is null and (lease_expires_at is null or lease_expires_at <= now())
      ) as cleanup_waits
      from work_pool where id = any(${ids}::uuid[])`;
    return new Map(states.map((state) => [state.id, state]));
  }

  async #readPools(ids: readonly string[]): Promise<Map<string, WorkPool>> {
    const pools = ids.length === 0 ? [] : await findWorkPools(this.#database.kysely, ids);
    return new Map(pools.map((pool) => [pool.id, pool]));
  }
}
