import { deleteInBatches } from '@praetor/database/delete-in-batches';
import type { Sql } from '@praetor/database/sql';

/** What belongs to flow runs without a foreign key. */
export type Child = 'log' | 'artifact';

/** Deletes the logs or artifacts of these flow runs as far as they are gone, so many rows in each statement. Gives how many. */
export function deleteChildren(sql: Sql, child: Child, flowRunIds: readonly string[], batchSize: number, signal: AbortSignal): Promise<number> {
  const isOrphan = sql`flow_run_id = any(${flowRunIds}::uuid[]) and not exists (select from flow_run where flow_run.id = ${sql.unsafe(child)}.flow_run_id)`;
  return deleteInBatches(sql, child, isOrphan, { batchSize, isStopping: () => signal.aborted });
}
