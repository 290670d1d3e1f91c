import type { Sql } from '@praetor/database/sql';
import { type Automation, automation } from '@praetor/schema/automation';
import type { Timestamp } from '@praetor/schema/timestamps';
import { type PlacedTrigger, TriggerIndex, placeTriggers } from '@praetor/triggers/trigger-index';

/** An event trigger of a stored automation. */
export type AutomationTrigger = PlacedTrigger<Automation>;

interface Known {
  updated: Timestamp;
  /** Empty where the automation is disabled or cannot be read. */
  triggers: readonly AutomationTrigger[];
}

/**
 * SQL: a text that differs whenever some automation was created, changed or deleted. Whoever reads it with the events at hand
 * sees every automation that was committed before them.
 */
export const versionOf = (sql: Sql) => sql`(select concat_ws(' ', count(*), sum(extract(epoch from updated)), max(updated)) from automation)`;

/** The enabled automations as of some version. Automations that did not change are not read again. */
export class AutomationSet {
  readonly #sql: Sql;
  readonly #onFault: (id: string, error: unknown) => void;
  readonly #known = new Map<string, Known>();
  #version: string | undefined;
  #loading: Promise<unknown> = Promise.resolve();
  #index = new TriggerIndex<Automation>([]);

  /** `onFault` hears of automations that cannot be read; they do nothing. */
  constructor(sql: Sql, onFault: (id: string, error: unknown) => void) {
    this.#sql = sql;
    this.#onFault = onFault;
  }

  /** The automations as they are now, or at least as they were at `version`. */
  at(version?: string): Promise<TriggerIndex<Automation>> {
    const loaded = this.#loading.then(() => this.#load(version));
    this.#loading = loaded.catch(() => {});
    return loaded;
  }

  /** Whether not a single one is stored, not even a disabled one. Those that are known are taken to be there: `at` finds out. */
  async isEmpty(): Promise<boolean> {
    if (this.#known.size > 0) return false;
    const rows = await this.#sql`select from automation limit 1`;
    return rows.length === 0;
  }

  async #load(version?: string): Promise<TriggerIndex<Automation>> {
    const wanted = version ?? (await this.#readVersion());
    if (wanted === this.#version) return this.#index;
    await this.#reload();
    // It was read before the rows, so what changes in between is read again.
    this.#version = wanted;
    return this.#index;
  }

  async #readVersion(): Promise<string> {
    const [row] = await this.#sql<{ version: string }[]>`select ${versionOf(this.#sql)} as version`;
    return row?.version ?? '';
  }

  async #reload(): Promise<void> {
    const rows = await this.#sql<{ id: string; updated: Timestamp }[]>`select id, updated from automation order by created, id`;
    const changed = rows.filter(({ id, updated }) => this.#known.get(id)?.updated !== updated).map(({ id }) => id);
    if (changed.length > 0) for (const row of await this.#sql<{ id: string; updated: Timestamp }[]>`select * from automation where id = any(${changed})`) this.#learn(row);
    const ids = new Set(rows.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    this.#index = new TriggerIndex(rows.flatMap(({ id }) => this.#known.get(id)?.triggers ?? []));
  }

  #learn(row: { id: string; updated: Timestamp }): void {
    const parsed = automation.safeParse(row);
    if (parsed.error) this.#onFault(row.id, parsed.error);
    const triggers = parsed.data?.enabled === true ? placeTriggers(parsed.data) : [];
    this.#known.set(row.id, { updated: row.updated, triggers });
  }
}
