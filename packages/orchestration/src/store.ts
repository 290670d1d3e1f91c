import type { Sql } from '@praetor/database/connect';
import { isRawJson, toJson } from '@praetor/schema/json';
import type { State } from '@praetor/schema/state';
import { v7 as uuidv7 } from 'uuid';
import type { OutboxEvent } from './lifecycle-events.ts';
import type { FlowTransition, TaskTransition } from './transition.ts';

/** The two kinds of run, by the names of their tables. */
export type RunKind = 'flow_run' | 'task_run';

/** The columns of an artifact that holds the data of a state; its id is null where there is nothing to hold. */
export interface ResultArtifact {
  id: string | null;
  key: string | null;
  type: string | null;
  description: string | null;
  data: string | null;
}

const NO_ARTIFACT: ResultArtifact = { id: null, key: null, type: null, description: null, data: null };

/** Data of a state lives in an artifact, unless the client says that it was not persisted (facts/orchestration.md §3, 6). */
function resultArtifact({ data }: State): ResultArtifact {
  if (data === null) return NO_ARTIFACT;
  if (typeof data !== 'object' || Array.isArray(data) || isRawJson(data)) return { ...NO_ARTIFACT, id: uuidv7(), data: toJson(data) };
  const { artifact_key: key, artifact_type: type, artifact_description: description, ...rest } = data;
  if (rest['type'] === 'unpersisted') return NO_ARTIFACT;
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);
  return { id: uuidv7(), key: text(key), type: text(type), description: text(description), data: toJson(rest) };
}

/**
 * SQL: what follows once the CTE `run` has changed or inserted a row `id`: the artifact, the state and the event. Nothing
 * happens where `run` is empty, because somebody else was faster.
 */
export function stateInserts(sql: Sql, kind: RunKind, state: State, flowRunId: string | null, event: OutboxEvent | undefined) {
  const artifact = resultArtifact(state);
  return sql`
    artifact as (
      insert into artifact (id, key, type, description, data, flow_run_id, task_run_id)
      select ${artifact.id}::uuid, ${artifact.key}, ${artifact.type}, ${artifact.description}, ${artifact.data}::json, ${flowRunId}::uuid,
        ${kind === 'task_run' ? sql`id` : sql`null`} from run where ${artifact.id}::uuid is not null
    ), state as (
      insert into ${sql.unsafe(`${kind}_state`)} (id, ${sql.unsafe(`${kind}_id`)}, type, timestamp, name, message, state_details, result_artifact_id)
      select ${state.id}::uuid, id, ${state.type}::state_type, ${state.timestamp}::timestamptz, ${state.name}, ${state.message},
        ${toJson(state.state_details)}::jsonb, ${artifact.id}::uuid from run
    ), event as (
      insert into praetor.outbox (id, body) select ${event?.id ?? null}::uuid, ${event?.body ?? null}::json from run where ${event?.id ?? null}::uuid is not null
    )`;
}

export type AnyTransition = FlowTransition | TaskTransition;

const isFlow = (transition: AnyTransition): transition is FlowTransition => 'flow_id' in transition.run;

/** SQL: the columns that only one kind of run has. A policy that no rule has touched is left to whoever may be patching it. */
function ownColumns(sql: Sql, transition: AnyTransition) {
  if (!isFlow(transition)) return sql`flow_run_run_count = ${transition.run.flow_run_run_count}`;
  return sql`empirical_policy = coalesce(${changedPolicy(transition)}::jsonb, empirical_policy)`;
}

function changedPolicy({ run, stored }: FlowTransition): string | null {
  return run.empirical_policy === stored.empirical_policy ? null : toJson(run.empirical_policy);
}

/** Writes a run's new state, if it is still in the state that was read (compare and swap, one statement). */
async function storeState(sql: Sql, transition: AnyTransition, state: State, event: OutboxEvent | undefined): Promise<boolean> {
  const { run, initial } = transition;
  const kind: RunKind = isFlow(transition) ? 'flow_run' : 'task_run';
  const swapped = await sql`
    with run as (
      update ${sql.unsafe(kind)} set state_id = ${state.id}::uuid, state_type = ${run.state_type}::state_type, state_name = ${run.state_name},
        state_timestamp = ${run.state_timestamp}::timestamptz, run_count = ${run.run_count}, start_time = ${run.start_time}::timestamptz,
        end_time = ${run.end_time}::timestamptz, expected_start_time = ${run.expected_start_time}::timestamptz,
        next_scheduled_start_time = ${run.next_scheduled_start_time}::timestamptz, total_run_time = make_interval(secs => ${run.total_run_time}),
        ${ownColumns(sql, transition)}, updated = now()
      where id = ${run.id}::uuid and state_id is not distinct from ${initial?.id ?? null}::uuid
      returning id
    ), ${stateInserts(sql, kind, state, isFlow(transition) ? run.id : transition.run.flow_run_id, event)}
    select id from run`;
  return swapped.length > 0;
}

/** Writes what the rules have noted on a flow run that keeps its state. */
async function storePolicy(sql: Sql, { run, initial }: FlowTransition, policy: string): Promise<boolean> {
  const swapped = await sql`
    update flow_run set empirical_policy = ${policy}::jsonb, updated = now()
    where id = ${run.id}::uuid and state_id is not distinct from ${initial?.id ?? null}::uuid returning id`;
  return swapped.length > 0;
}

/** Writes the outcome of a transition; false where the run has changed since it was read, and nothing was written. */
export async function storeTransition(sql: Sql, transition: AnyTransition, event: OutboxEvent | undefined): Promise<boolean> {
  if (transition.proposed) return await storeState(sql, transition, transition.proposed, event);
  const policy = isFlow(transition) ? changedPolicy(transition) : null;
  return policy === null || (isFlow(transition) && (await storePolicy(sql, transition, policy)));
}
