import { type EntryColumns, entries } from '@praetor/database/batches';
import type { Sql } from '@praetor/database/connect';
import type { State } from '@praetor/schema/state';
import { v7 as uuidv7 } from 'uuid';
import { type OutboxEvent, toOutboxEvent } from './lifecycle-events.ts';
import { applyEffects } from './set-state.ts';
import type { OrchestrationSettings } from './settings.ts';
import { type AnyTransition, type RunKind, STATE_COLUMNS, stateInserts } from './store.ts';
import type { RunFields } from './transition.ts';

/* What the creation of flow runs and of task runs have in common. */

export interface CreatedRun {
  id: string;
  /** False where the run was there already and nothing was done to it: HTTP 200 instead of 201. */
  created: boolean;
  /** Events written to the outbox with the run, to be published now that it is committed. */
  events: OutboxEvent[];
}

export const surroundings = (settings: OrchestrationSettings) => ({ settings, apiVersion: null, clientVersion: null, newId: uuidv7, random: Math.random });

export const NO_HISTORY: Omit<RunFields, 'id' | 'name' | 'tags'> = {
  state_type: null,
  state_name: null,
  state_timestamp: null,
  run_count: 0,
  start_time: null,
  end_time: null,
  expected_start_time: null,
  next_scheduled_start_time: null,
  total_run_time: 0,
};

/** The first state of a run: no rule refuses it. */
export function firstState({ proposed }: AnyTransition): State {
  if (!proposed) throw new Error('a new run was refused its first state');
  return proposed;
}

/** Inserts a run with its first state and event; false where a run with the same natural key is there already. */
type Insert = (sql: Sql, event: OutboxEvent | undefined) => Promise<boolean>;

export async function store(sql: Sql, transition: AnyTransition, insert: Insert): Promise<CreatedRun | undefined> {
  const events = transition.effects.flatMap((effect) => (effect.type === 'emit' ? [toOutboxEvent(effect.event)] : []));
  if (!(await insert(sql, events[0]))) return undefined;
  await applyEffects(sql, transition);
  return { id: transition.run.id, created: true, events };
}

/** Inserts runs, each with its first state; false for those whose natural key another run has. */
export async function insertRuns<Columns extends EntryColumns>(
  sql: Sql,
  kind: RunKind,
  columns: Columns,
  conflict: string,
  runs: readonly Readonly<Record<keyof Columns | keyof typeof STATE_COLUMNS, unknown>>[],
): Promise<boolean[]> {
  const names = sql.unsafe(Object.keys(columns).join(', '));
  const inserted = await sql<{ id: string }[]>`
    with entry as materialized ${entries(sql, { ...columns, ...STATE_COLUMNS }, runs)}, run as (
      insert into ${sql.unsafe(kind)} (${names}) select ${names} from entry on conflict (${sql.unsafe(conflict)}) do nothing returning id, state_id
    ), ${stateInserts(sql, kind)}
    select id from run`;
  const ids = new Set<unknown>(inserted.map((row) => row.id));
  return runs.map((run) => ids.has(run.id));
}
