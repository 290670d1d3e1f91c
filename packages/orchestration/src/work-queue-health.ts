import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { now, secondsBetween } from '@praetor/schema/timestamps';
import type { WorkQueueHealth } from '@praetor/schema/work-queue';

/** Every queue is judged by this: no late runs, and a poll within the last minute. */
const POLICY = { maximum_late_runs: 0, maximum_seconds_since_last_polled: 60 };

/** How a queue is served; undefined where there is no such queue. */
export async function readWorkQueueHealth(db: Kysely<Tables>, id: string): Promise<WorkQueueHealth | undefined> {
  const queue = await db.selectFrom('work_queue').select('last_polled').where('id', '=', id).executeTakeFirst();
  if (queue === undefined) return undefined;
  const { count: lateRuns } = await db
    .selectFrom('flow_run')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('work_queue_id', '=', id)
    .where('state_name', '=', 'Late')
    .executeTakeFirstOrThrow();
  const { last_polled } = queue;
  const isPolled = last_polled !== null && secondsBetween(last_polled, now()) <= POLICY.maximum_seconds_since_last_polled;
  return { healthy: isPolled && lateRuns <= POLICY.maximum_late_runs, late_runs_count: lateRuns, last_polled, health_check_policy: POLICY };
}
