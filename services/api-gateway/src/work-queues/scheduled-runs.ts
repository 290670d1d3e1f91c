import { type Kysely, sql } from 'kysely';
import { type Condition, and } from '@praetor/database/filter';
import { flowRunCondition } from '@praetor/database/filter/resources';
import type { Tables } from '@praetor/database/tables';
import { flowRunFilter } from '@praetor/schema/filters/flow-run';
import type { FlowRun } from '@praetor/schema/flow-run';
import type { Timestamp } from '@praetor/schema/timestamps';
import type { PlainWorkQueue } from '@praetor/schema/work-queue';
import { selectFlowRuns } from '../flow-runs/queries.ts';
import { QUEUE_SLOT_STATES } from './queries.ts';

/** The runs of a queue: those placed in it, or those that its filter, which is of the time before pools, picks. */
function belongsTo({ id, name, filter }: PlainWorkQueue): Condition {
  if (filter === null) return sql`(flow_run.work_queue_id = ${id} or (flow_run.work_queue_id is null and flow_run.work_queue_name = ${name}))`;
  return flowRunCondition(flowRunFilter.parse({ tags: { all_: filter.tags }, deployment_id: { any_: filter.deployment_ids, is_null_: false } }));
}

/** Runs of a queue that are due, the earliest first, no more than it has free slots. */
export async function selectDueRuns(db: Kysely<Tables>, queue: PlainWorkQueue, scheduledBefore: Timestamp | null | undefined, limit: number): Promise<FlowRun[]> {
  if (queue.is_paused) return [];
  const belongs = belongsTo(queue);
  let free = limit;
  if (queue.concurrency_limit !== null) {
    const { rows } = await sql<{ count: number }>`select count(*) as count from flow_run where ${belongs} and state_type = any(${QUEUE_SLOT_STATES}::state_type[])`.execute(db);
    free = Math.min(limit, Math.max(0, queue.concurrency_limit - (rows[0]?.count ?? 0)));
  }
  const isDue: Condition = scheduledBefore ? sql`flow_run.next_scheduled_start_time <= ${scheduledBefore}` : sql`true`;
  return selectFlowRuns(db, and(belongs, sql`flow_run.state_type = 'SCHEDULED'`, isDue), 'NEXT_SCHEDULED_START_TIME_ASC', { limit: free, offset: 0 });
}
