import { type Kysely, sql } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { type FlowRunInput, flowRunInput } from '@praetor/schema/flow-run';

/* What is kept under keys beside a run: the way in which a paused or running flow asks for values and gets them. */

const COLUMNS = flowRunInput.keyof().options;

export interface NewInput {
  key: string;
  value: string;
  sender?: string | null | undefined;
}

/** False when the key is taken. Throws a foreign-key violation where there is no such run. */
export async function insertInput(db: Kysely<Tables>, flowRunId: string, { key, value, sender = null }: NewInput): Promise<boolean> {
  const inserted = await db
    .insertInto('flow_run_input')
    .values({ flow_run_id: flowRunId, key, value, sender })
    .onConflict((conflict) => conflict.columns(['flow_run_id', 'key']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

export function findInput(db: Kysely<Tables>, flowRunId: string, key: string): Promise<FlowRunInput | undefined> {
  return db.selectFrom('flow_run_input').select(COLUMNS).where('flow_run_id', '=', flowRunId).where('key', '=', key).executeTakeFirst();
}

export interface InputSelection {
  prefix: string;
  limit: number;
  exclude_keys: string[];
}

/** The oldest inputs whose keys begin so. `%` and `_` in the prefix are wildcards, as with Prefect. */
export function listInputs(db: Kysely<Tables>, flowRunId: string, { prefix, limit, exclude_keys }: InputSelection): Promise<FlowRunInput[]> {
  return db
    .selectFrom('flow_run_input')
    .select(COLUMNS)
    .where('flow_run_id', '=', flowRunId)
    .where('key', 'like', `${prefix}%`)
    .where(sql<boolean>`key <> all(${exclude_keys})`)
    .orderBy('created')
    .limit(limit)
    .execute();
}

/** False where there is no such input. */
export async function deleteInput(db: Kysely<Tables>, flowRunId: string, key: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('flow_run_input').where('flow_run_id', '=', flowRunId).where('key', '=', key).executeTakeFirst();
  return numDeletedRows > 0n;
}
