import type { Sql } from '@praetor/database/connect';

/*
 * The queue of background tasks (`task.delay()`): one row per waiting run in praetor.task_queue. A row is claimed for a
 * time, and deleted once the worker has acknowledged the run; a worker that dies loses its claim.
 */

/** Puts a task run into the queue of its task; a run that is to be tried again goes before the others. */
export async function enqueueTaskRun(sql: Sql, taskRunId: string, taskKey: string, isRetry: boolean): Promise<void> {
  await sql`
    insert into praetor.task_queue (task_run_id, task_key, is_retry) values (${taskRunId}::uuid, ${taskKey}, ${isRetry})
    on conflict (task_run_id) do update set is_retry = excluded.is_retry, enqueued = excluded.enqueued, claimed_until = null`;
}

/** Claims up to `count` waiting runs of these tasks for so many seconds; several claimers at once get different runs. */
export async function claimTaskRuns(sql: Sql, taskKeys: string[], count: number, seconds: number): Promise<string[]> {
  const rows = await sql<{ task_run_id: string }[]>`
    with waiting as materialized (
      select task_run_id, is_retry, enqueued from praetor.task_queue
      where task_key = any(${taskKeys}::text[]) and (claimed_until is null or claimed_until < now())
      order by is_retry desc, enqueued limit ${count} for update skip locked
    ), claimed as (
      update praetor.task_queue q set claimed_until = now() + make_interval(secs => ${seconds}) from waiting w where q.task_run_id = w.task_run_id
    )
    select task_run_id from waiting order by is_retry desc, enqueued`;
  return rows.map((row) => row.task_run_id);
}

/** Takes a run that a worker has received out of the queue, unless it has failed meanwhile and waits to be tried again. */
export async function acknowledgeTaskRun(sql: Sql, taskRunId: string): Promise<void> {
  await sql`delete from praetor.task_queue where task_run_id = ${taskRunId}::uuid and claimed_until is not null`;
}

/** Gives claimed runs back at once, when the worker left before it acknowledged them. */
export async function unclaimTaskRuns(sql: Sql, taskRunIds: string[]): Promise<void> {
  await sql`update praetor.task_queue set claimed_until = null where task_run_id = any(${taskRunIds}::uuid[])`;
}

/** Prolongs the claim of a run whose worker is there, but has not acknowledged it yet. */
export async function keepTaskRun(sql: Sql, taskRunId: string, seconds: number): Promise<void> {
  await sql`update praetor.task_queue set claimed_until = now() + make_interval(secs => ${seconds}) where task_run_id = ${taskRunId}::uuid`;
}

/** Which of these tasks have a run that waits for a worker. */
export async function findWaitingTaskKeys(sql: Sql, taskKeys: string[]): Promise<Set<string>> {
  const rows = await sql<{ task_key: string }[]>`
    select task_key from unnest(${taskKeys}::text[]) as task_key where exists (
      select from praetor.task_queue q where q.task_key = task_key.task_key and (claimed_until is null or claimed_until < now()))`;
  return new Set(rows.map((row) => row.task_key));
}
