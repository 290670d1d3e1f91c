import { type EntryColumns, entries, inBatches } from '@praetor/database/batches';
import type { Sql } from '@praetor/database/connect';
import { type Json, isJsonObject, toJson } from '@praetor/schema/json';
import { type State, compactStateDetails } from '@praetor/schema/state';
import { v7 as uuidv7 } from 'uuid';
import type { OutboxEvent } from './lifecycle-events.ts';
import type { FlowTransition, TaskTransition } from './transition.ts';

/** The two kinds of run, by the names of their tables. */
export type RunKind = 'flow_run' | 'task_run';

/** The columns of an artifact that holds the data of a state; its id is null where there is nothing to hold. */
interface ResultArtifact {
  artifact_id: string | null;
  artifact_key: string | null;
  artifact_type: string | null;
  artifact_description: string | null;
  artifact_data: Json;
}

const NO_ARTIFACT: ResultArtifact = { artifact_id: null, artifact_key: null, artifact_type: null, artifact_description: null, artifact_data: null };

/** Data of a state lives in an artifact, unless the client says that it was not persisted (facts/orchestration.md §3, 6). */
function resultArtifact({ data }: State): ResultArtifact {
  if (data === null || isUnpersisted(data)) return NO_ARTIFACT;
  if (!isJsonObject(data)) return { ...NO_ARTIFACT, artifact_id: uuidv7(), artifact_data: data };
  const { artifact_key: key, artifact_type: type, artifact_description: description, ...rest } = data;
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);
  return { artifact_id: uuidv7(), artifact_key: text(key), artifact_type: text(type), artifact_description: text(description), artifact_data: rest };
}

const isUnpersisted = (data: Json): boolean => isJsonObject(data) && data['type'] === 'unpersisted';

/** A state that was stored as it is answered: what its data says of the artifact is in the artifact now. */
export function answeredState(state: State): State {
  return state.data === null || isUnpersisted(state.data) ? state : { ...state, data: resultArtifact(state).artifact_data };
}

/** What each new state changes on its run. */
export const RUN_COLUMNS = {
  state_id: 'uuid',
  state_type: 'state_type',
  state_name: 'text',
  state_timestamp: 'timestamptz',
  run_count: 'integer',
  start_time: 'timestamptz',
  end_time: 'timestamptz',
  expected_start_time: 'timestamptz',
  next_scheduled_start_time: 'timestamptz',
  total_run_time: 'interval',
} as const;

/** What is written beside the run: the rest of the state, its artifact and its event. */
export const STATE_COLUMNS = {
  id: 'uuid',
  flow_run_id: 'uuid',
  message: 'text',
  state_details: 'jsonb',
  artifact_id: 'uuid',
  artifact_key: 'text',
  artifact_type: 'text',
  artifact_description: 'text',
  artifact_data: 'json',
  event_id: 'uuid',
  event_body: 'text',
} as const;

export type AnyTransition = FlowTransition | TaskTransition;

const isFlow = (transition: AnyTransition): transition is FlowTransition => 'flow_id' in transition.run;

/** The entry of a run's new state in a batch of them. */
export function toEntry(transition: AnyTransition, { id: state_id, message, state_details, ...state }: State, event: OutboxEvent | undefined) {
  const { run } = transition;
  return {
    id: run.id,
    state_id,
    state_type: run.state_type,
    state_name: run.state_name,
    state_timestamp: run.state_timestamp,
    run_count: run.run_count,
    start_time: run.start_time,
    end_time: run.end_time,
    expected_start_time: run.expected_start_time,
    next_scheduled_start_time: run.next_scheduled_start_time,
    total_run_time: `${run.total_run_time.toFixed(6)} seconds`,
    flow_run_id: isFlow(transition) ? run.id : transition.run.flow_run_id,
    message,
    state_details: compactStateDetails(state_details),
    ...resultArtifact({ id: state_id, message, state_details, ...state }),
    event_id: event?.id ?? null,
    event_body: event?.body ?? null,
  };
}

/**
 * SQL: what follows once the CTE `run` has changed or inserted the runs (id, state_id) of the entries in the CTE `entry`: the
 * artifacts, states and events. Nothing is written for an entry that is not in `run`, because somebody else was faster.
 */
export const stateInserts = (sql: Sql, kind: RunKind) => sql.unsafe(`
  stored as (select entry.* from entry join run on run.state_id = entry.state_id),
  artifact as (
    insert into artifact (id, key, type, description, data, flow_run_id, task_run_id)
    select artifact_id, artifact_key, artifact_type, artifact_description, artifact_data, flow_run_id, ${kind === 'task_run' ? 'id' : 'null'}
    from stored where artifact_id is not null
  ), state as (
    insert into ${kind}_state (id, ${kind}_id, type, timestamp, name, message, state_details, result_artifact_id)
    select state_id, id, state_type, state_timestamp, state_name, message, state_details, artifact_id from stored
  ), event as (
    insert into praetor.outbox (id, body) select event_id, event_body::json from stored where event_id is not null
  )`);

function changedPolicy({ run, stored }: FlowTransition): FlowTransition['run']['empirical_policy'] | null {
  return run.empirical_policy === stored.empirical_policy ? null : run.empirical_policy;
}

interface Swap extends ReturnType<typeof toEntry> {
  /** The state in which the run was read. */
  expected_state_id: string | null;
  /** Of a flow run: null leaves the column to whoever may be patching it. */
  empirical_policy: unknown;
  /** Of a task run. */
  flow_run_run_count: number | null;
}

const SWAP_COLUMNS = { ...RUN_COLUMNS, ...STATE_COLUMNS, expected_state_id: 'uuid', empirical_policy: 'jsonb', flow_run_run_count: 'integer' } as const satisfies EntryColumns;

const assignments = Object.keys(RUN_COLUMNS).map((column) => `${column} = entry.${column}`).join(', ');
const ownAssignments = {
  flow_run: 'empirical_policy = coalesce(entry.empirical_policy, stale.empirical_policy)',
  task_run: 'flow_run_run_count = entry.flow_run_run_count',
};

/** Writes new states of runs that are still in the state that was read (compare and swap, one statement); false for the others. */
async function swapStates(sql: Sql, kind: RunKind, swaps: readonly Swap[]): Promise<boolean[]> {
  const swapped = await sql<{ state_id: string }[]>`
    with entry as materialized ${entries(sql, SWAP_COLUMNS, swaps)}, run as (
      update ${sql.unsafe(kind)} stale set ${sql.unsafe(assignments)}, ${sql.unsafe(ownAssignments[kind])}, updated = now()
      from entry where stale.id = entry.id and stale.state_id is not distinct from entry.expected_state_id
      returning stale.state_id
    ), ${stateInserts(sql, kind)}
    select state_id from run`;
  const ids = new Set(swapped.map((row) => row.state_id));
  return swaps.map((swap) => ids.has(swap.state_id));
}

const swapState = {
  flow_run: inBatches((sql: Sql, swaps: readonly Swap[]) => swapStates(sql, 'flow_run', swaps)),
  task_run: inBatches((sql: Sql, swaps: readonly Swap[]) => swapStates(sql, 'task_run', swaps)),
};

/** Writes what the rules have noted on a flow run that keeps its state. */
async function storePolicy(sql: Sql, { run, initial }: FlowTransition): Promise<boolean> {
  const swapped = await sql`
    update flow_run set empirical_policy = ${toJson(run.empirical_policy)}::jsonb, updated = now()
    where id = ${run.id}::uuid and state_id is not distinct from ${initial?.id ?? null}::uuid returning id`;
  return swapped.length > 0;
}

/** Writes the outcome of a transition; false where the run has changed since it was read, and nothing was written. */
export async function storeTransition(sql: Sql, transition: AnyTransition, event: OutboxEvent | undefined): Promise<boolean> {
  const { proposed, initial } = transition;
  const policy = isFlow(transition) ? changedPolicy(transition) : null;
  if (!proposed) return policy === null || (isFlow(transition) && (await storePolicy(sql, transition)));
  return await swapState[isFlow(transition) ? 'flow_run' : 'task_run'](sql, {
    ...toEntry(transition, proposed, event),
    expected_state_id: initial?.id ?? null,
    empirical_policy: policy,
    flow_run_run_count: isFlow(transition) ? null : transition.run.flow_run_run_count,
  });
}
