import type { Sql } from '@praetor/database/sql';

/**
 * Deletes one batch of flow runs that ended longer ago than this, with their logs and artifacts; task runs, states and
 * inputs go by foreign keys. Sub-flows are spared while their parent lives; without it they are runs like all others, and
 * come with a later batch. A run that somebody else is changing right now is left for the next time. Gives how many.
 */
export async function deleteOldFlowRuns(sql: Sql, olderThanSeconds: number, batchSize: number): Promise<number> {
  return await sql.begin(async (transaction) => {
    const runs = await transaction<{ id: string }[]>`
      with old as (
        select id from flow_run
        where parent_task_run_id is null and end_time < now() - make_interval(secs => ${olderThanSeconds})
          and state_type in ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')
        order by end_time limit ${batchSize} for update skip locked
      )
      delete from flow_run using old where flow_run.id = old.id returning flow_run.id`;
    const ids = runs.map(({ id }) => id);
    if (ids.length === 0) return 0;
    await transaction`delete from log where flow_run_id = any(${ids})`;
    await transaction`delete from artifact where flow_run_id = any(${ids})`;
    return ids.length;
  });
}
