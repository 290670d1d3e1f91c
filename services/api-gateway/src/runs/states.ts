import { type RawBuilder, sql } from 'kysely';
import type { Json } from '@praetor/schema/json';
import { type State, type StateDetails, type StateType, completeStateDetails } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';

/** What the queries of runs select of the current state, beside the run's own copies of its id, type and name. */
export interface CurrentStateRow {
  state_id: string | null;
  state_type: StateType | null;
  state_name: string | null;
  state_timestamp: Timestamp | null;
  state_message: string | null;
  state_data: Json;
  /** Null where the run has no state. */
  state_details: Partial<StateDetails> | null;
}

/** The columns of a query with `joinCurrentState`. */
export const CURRENT_STATE = sql`state.timestamp as state_timestamp, state.message as state_message, state.data as state_data, state.state_details`;

/** The data of the state in hand: its own, or that of the artifact which holds a result. */
export const STATE_DATA = sql`coalesce((select artifact.data from artifact where artifact.id = state.result_artifact_id), state.data::json)`;

/**
 * Joins the current state to each run. Lateral with a limit, so that Postgres looks up the states of one page by their ids
 * and never reads the whole table of states, which it takes for cheaper as long as that is small.
 */
export function joinCurrentState(table: 'flow_run' | 'task_run'): RawBuilder<unknown> {
  return sql`left join lateral (
    select state.timestamp, state.message, ${STATE_DATA} as data, state.state_details
    from ${sql.table(`${table}_state`)} state where state.id = ${sql.ref(`${table}.state_id`)} limit 1
  ) state on true`;
}

/** The current state of a run as it travels. */
export function toCurrentState(run: CurrentStateRow): State | null {
  if (run.state_id === null || run.state_type === null || run.state_timestamp === null) return null;
  return {
    id: run.state_id,
    type: run.state_type,
    name: run.state_name,
    timestamp: run.state_timestamp,
    message: run.state_message,
    data: run.state_data,
    state_details: completeStateDetails(run.state_details ?? {}),
  };
}
