import { sql } from 'kysely';
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

/** Of a query that joins the state as `state` and the artifact that may hold its data as `result`. */
export const CURRENT_STATE = sql`state.timestamp as state_timestamp, state.message as state_message,
  coalesce(result.data, state.data::json) as state_data, state.state_details`;

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
