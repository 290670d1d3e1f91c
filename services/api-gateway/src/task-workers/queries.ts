import type { Sql } from '@praetor/database/sql';
import { toJson } from '@praetor/schema/json';
import type { TaskWorker } from '@praetor/schema/task-worker';

/** A worker as one gateway knows it: by its connection. */
export interface ConnectedWorker {
  connection_id: string;
  identifier: string;
  task_keys: readonly string[];
}

/** A worker of a gateway that died is gone after this time, in which a living gateway tells of it several times. */
const EXPIRATION_SECONDS = 30;

/** Tells that these workers are connected now, and forgets those of gateways that have died. */
export async function observeWorkers(sql: Sql, workers: readonly ConnectedWorker[]): Promise<void> {
  await sql`
    with expired as (
      delete from praetor.task_worker where connection_id in (
        select connection_id from praetor.task_worker where seen < now() - make_interval(secs => ${EXPIRATION_SECONDS}) for update skip locked
      )
    )
    insert into praetor.task_worker (connection_id, identifier, task_keys)
    select connection_id, identifier, array(select json_array_elements_text(task_keys))
    from json_to_recordset(${toJson(workers)}::json) worker (connection_id uuid, identifier text, task_keys json)
    order by connection_id
    on conflict (connection_id) do update set seen = excluded.seen`;
}

export async function forgetWorker(sql: Sql, connectionId: string): Promise<void> {
  await sql`delete from praetor.task_worker where connection_id = ${connectionId}::uuid`;
}

/** The workers that serve one of these tasks, or all of them where none is named, in the order in which they came. */
export async function listTaskWorkers(sql: Sql, taskKeys: readonly string[]): Promise<TaskWorker[]> {
  return sql<TaskWorker[]>`
    select identifier, array_agg(distinct task_key order by task_key) as task_keys, max(seen) as timestamp
    from praetor.task_worker cross join unnest(task_keys) task_key
    where seen >= now() - make_interval(secs => ${EXPIRATION_SECONDS})
    group by identifier
    having ${taskKeys.length === 0} or array_agg(task_key) && ${taskKeys}::text[]
    order by min(created), identifier`;
}
