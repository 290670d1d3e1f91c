import { type Kysely, sql } from 'kysely';
import { type RelatedFilters, taskRunConditions } from '@praetor/database/filter/related';
import { readShared } from '@praetor/database/shared-reads';
import type { Tables } from '@praetor/database/tables';
import { TERMINAL } from '@praetor/orchestration/estimates';
import { type StateType, stateType } from '@praetor/schema/state';
import { type Timestamp, fromMicroseconds } from '@praetor/schema/timestamps';
import { type CountByState, type TaskRunCount, type UITaskRun, countByState } from '@praetor/schema/ui';
import { findTaskRun } from '../../task-runs/queries.ts';

/** SQL: all types by name, so that the index on type and start time can be read for any of them. */
const EVERY_TYPE = sql.raw(stateType.options.map((type) => `'${type}'`).join(', '));

/** How many task runs are in each state. */
export async function countTaskRunsByState(db: Kysely<Tables>, filters: RelatedFilters): Promise<CountByState> {
  const counts = sql<{ state_type: StateType; count: number }>`
    select state_type, count(*) as count from task_run where state_type in (${EVERY_TYPE}) and ${taskRunConditions(filters)} group by state_type`;
  return countByState.parse(Object.fromEntries((await readShared(db, counts)).map(({ state_type, count }) => [state_type, count])));
}

/** How many of the task runs that started in each of `bucketCount` equal spans have ended, and how. `start` and `end` in microseconds since 1970. */
export async function countOutcomes(db: Kysely<Tables>, filters: RelatedFilters, start: number, end: number, bucketCount: number): Promise<TaskRunCount[]> {
  const buckets = Array.from({ length: bucketCount }, (): TaskRunCount => ({ completed: 0, failed: 0 }));
  const bounds = buckets.map((_, index): Timestamp => fromMicroseconds(Math.ceil(start + (index * (end - start)) / bucketCount)));
  const counts = sql<TaskRunCount & { bucket: number }>`
    select width_bucket(task_run.start_time, ${bounds}::timestamptz[]) as bucket,
      count(*) filter (where task_run.state_type not in ('FAILED', 'CRASHED')) as completed,
      count(*) filter (where task_run.state_type in ('FAILED', 'CRASHED')) as failed
    from task_run
    where task_run.start_time between ${fromMicroseconds(start)} and ${fromMicroseconds(end)}
      and task_run.state_type in (${TERMINAL}) and ${taskRunConditions(filters)}
    group by 1`;
  for (const { bucket, ...count } of await readShared(db, counts)) buckets[bucket - 1] = count;
  return buckets;
}

/** Reads a task run with the name of its flow run; undefined where there is none. */
export async function findTaskRunWithFlowRunName(db: Kysely<Tables>, id: string): Promise<UITaskRun | undefined> {
  const [taskRun, flowRun] = await Promise.all([
    findTaskRun(db, id),
    db.selectFrom('task_run').innerJoin('flow_run', 'flow_run.id', 'task_run.flow_run_id').select('flow_run.name').where('task_run.id', '=', id).executeTakeFirst(),
  ]);
  return taskRun && { ...taskRun, flow_run_name: flowRun?.name ?? null };
}
