import type { Sql } from '@praetor/database/connect';
import { retryOnce } from '@praetor/database/errors';
import { deleteTaskRuns } from '@praetor/orchestration/delete-runs';
import type { OrchestrationSettings } from '@praetor/orchestration/settings';
import { deleteChildren } from './children.ts';

/** Task runs that one transaction deletes at most. */
const TASK_RUNS_AT_ONCE = 1000;

/** What has to be deleted anyway may take its time: a batch that timed out would be the first again, for ever. */
const STATEMENT_TIMEOUT = '10min';

export interface OldRuns {
  olderThanSeconds: number;
  batchSize: number;
}

/**
 * Locks the oldest runs that have ended longer ago than this, as many as together have less than TASK_RUNS_AT_ONCE task runs,
 * or the first alone. Gives their ids.
 */
async function lockOldRuns(sql: Sql, { olderThanSeconds, batchSize }: OldRuns): Promise<string[]> {
  const runs = await sql<{ id: string }[]>`
    with old as materialized (
      select id, end_time from flow_run
      where parent_task_run_id is null and end_time < now() - make_interval(secs => ${olderThanSeconds})
        and state_type in ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')
      order by end_time limit ${batchSize} for update skip locked
    ), counted as (
      select old.id, row_number() over oldest_first as position, sum(own.task_runs) over oldest_first as task_runs
      from old cross join lateral (
        select count(*) as task_runs from (select from task_run where flow_run_id = old.id limit ${TASK_RUNS_AT_ONCE}) as first
      ) as own
      window oldest_first as (order by old.end_time, old.id)
    )
    select id from counted where position = 1 or task_runs < ${TASK_RUNS_AT_ONCE}`;
  return runs.map(({ id }) => id);
}

/** Deletes old runs with their task runs; `undefined` where that was only a part of the very many task runs of one of them. */
async function deleteRuns(sql: Sql, old: OldRuns, settings: OrchestrationSettings): Promise<string[] | undefined> {
  await sql`select set_config('statement_timeout', ${STATEMENT_TIMEOUT}, true)`;
  const ids = await lockOldRuns(sql, old);
  const taskRuns = await deleteTaskRuns(sql, ids, TASK_RUNS_AT_ONCE, settings);
  if (taskRuns === TASK_RUNS_AT_ONCE) return undefined;
  await sql`delete from flow_run where id = any(${ids}::uuid[])`;
  return ids;
}

/**
 * Deletes one batch of flow runs that ended longer ago than this, with all that belongs to them. The runs go first, so that
 * none which somebody starts again right now has lost its logs; should the rest be interrupted, it goes as orphans. Sub-flows
 * are spared while their parent lives; without it they are runs like all others, and come with a later batch. A run that
 * somebody else is changing right now is left for the next time. Gives how many.
 */
export async function deleteOldFlowRuns(sql: Sql, old: OldRuns, settings: OrchestrationSettings, signal: AbortSignal): Promise<number> {
  while (!signal.aborted) {
    const ids = await retryOnce(() => sql.begin((transaction) => deleteRuns(transaction, old, settings)));
    if (ids === undefined) continue;
    await deleteChildren(sql, 'log', ids, old.batchSize, signal);
    await deleteChildren(sql, 'artifact', ids, old.batchSize, signal);
    return ids.length;
  }
  return 0;
}
