import { type RawBuilder, sql } from 'kysely';
import type { Json } from '@praetor/schema/json';
import { type State, type StateDetails, type StateType, completeStateDetails } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';

/** What the queries of runs select of the current state; the type and the rest are null where the run has none. */
export interface CurrentStateRow {
  state_id: string | null;
  current_type: StateType | null;
  current_name: string;
  current_timestamp: Timestamp;
  current_message: string | null;
  current_data: Json;
  current_details: Partial<StateDetails> | null;
}

/** The columns of a query with `joinCurrentState`: of the state itself, as the run's own copies may be missing or outlive it. */
export const CURRENT_STATE = sql`state.type as current_type, state.name as current_name, state.timestamp as current_timestamp,
  state.message as current_message, state.data as current_data, state.state_details as current_details`;

/** The data of the state in hand: its own, or that of the artifact which holds a result. */
export const STATE_DATA = sql`coalesce((select artifact.data from artifact where artifact.id = state.result_artifact_id), state.data::json)`;

/**
 * Joins the current state to each run. Lateral with a limit, so that Postgres looks up the states of one page by their ids
 * and never reads the whole table of states, which it takes for cheaper as long as that is small.
 */
export function joinCurrentState(table: 'flow_run' | 'task_run'): RawBuilder<unknown> {
  return sql`left join lateral (
    select state.type, state.name, state.timestamp, state.message, ${STATE_DATA} as data, state.state_details
    from ${sql.table(`${table}_state`)} state where state.id = ${sql.ref(`${table}.state_id`)} limit 1
  ) state on true`;
}

/** The current state of a run as it travels. */
export function toCurrentState(run: CurrentStateRow): State | null {
  if (run.state_id === null || run.current_type === null) return null;
  return {
    id: run.state_id,
    type: run.current_type,
    name: run.current_name,
    timestamp: run.current_timestamp,
    message: run.current_message,
    data: run.current_data,
    state_details: completeStateDetails(run.current_details ?? {}),
  };
}
