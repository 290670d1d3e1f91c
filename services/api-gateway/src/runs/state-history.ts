import { type Kysely, sql } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { type State, completeStateDetails } from '@praetor/schema/state';
import { STATE_DATA } from './states.ts';

export type StateTable = 'flow_run_state' | 'task_run_state';

/** The states that a run has had, oldest first, or the one with this id. */
async function selectStates(db: Kysely<Tables>, table: StateTable, column: string, id: string): Promise<State[]> {
  const { rows } = await sql<State>`
    select state.id, state.type, state.name, state.timestamp, state.message, ${STATE_DATA} as data, state.state_details
    from ${sql.table(table)} state where ${sql.ref(`state.${column}`)} = ${id} order by state.timestamp`.execute(db);
  return rows.map((row) => ({ ...row, state_details: completeStateDetails(row.state_details) }));
}

export async function findState(db: Kysely<Tables>, table: StateTable, id: string): Promise<State | undefined> {
  const [state] = await selectStates(db, table, 'id', id);
  return state;
}

export function listStates(db: Kysely<Tables>, table: StateTable, runId: string): Promise<State[]> {
  return selectStates(db, table, table === 'flow_run_state' ? 'flow_run_id' : 'task_run_id', runId);
}
