import { type Kysely, sql as template } from 'kysely';
import type { Database, Sql } from '@praetor/database/connect';
import { deleteInBatches } from '@praetor/database/delete-in-batches';
import { retryOnce } from '@praetor/database/errors';
import type { Tables } from '@praetor/database/tables';
import { releaseLeases, releaseUnleasedSlot } from './leases.ts';
import type { OrchestrationSettings } from './settings.ts';

/* Of one run there may be so many logs and task runs that no statement deletes them in its time: they go in batches. */
const LOGS_AT_ONCE = 5000;
const TASK_RUNS_AT_ONCE = 500;

const deleteLogs = (sql: Sql, flowRunIds: readonly string[]) => deleteInBatches(sql, 'log', sql`flow_run_id = any(${flowRunIds}::uuid[])`, { batchSize: LOGS_AT_ONCE });

/** Deletes up to so many task runs of flow runs, and gives back the slots that they hold. Gives how many it found. Within a transaction. */
export async function deleteTaskRuns(sql: Sql, flowRunIds: readonly string[], limit: number, settings: OrchestrationSettings): Promise<number> {
  const found = await sql<{ id: string }[]>`select id from task_run where flow_run_id = any(${flowRunIds}::uuid[]) limit ${limit}`;
  const ids = found.map(({ id }) => id);
  // Only a statement that begins under this lock is sure to see the leases that a change of state took just now.
  await sql`select from task_run where id = any(${ids}::uuid[]) order by id for update`;
  const leases = await sql<{ id: string }[]>`select id from praetor.lease where holder_type = 'task_run' and holder_id = any(${ids}::uuid[])`;
  await releaseLeases(sql, leases.map(({ id }) => id), settings);
  await sql`delete from task_run where id = any(${ids}::uuid[])`;
  return ids.length;
}

interface Occupant {
  id: string;
  /** The limit of its deployment, while the run holds a slot of it. */
  limit_id: string | null;
  lease_id: string | null;
}

/** Gives back the slots that flow runs, which are locked, hold of the limits of their deployments. */
async function releaseSlotsOf(sql: Sql, flowRunIds: readonly string[], settings: OrchestrationSettings): Promise<void> {
  const occupants = await sql<Occupant[]>`
    select flow_run.id, deployment.concurrency_limit_id as limit_id, state.state_details ->> 'deployment_concurrency_lease_id' as lease_id
    from flow_run
    join deployment on deployment.id = flow_run.deployment_id
    left join flow_run_state state on state.id = flow_run.state_id
    where flow_run.id = any(${flowRunIds}::uuid[]) and flow_run.state_type in ('PENDING', 'RUNNING', 'CANCELLING') order by flow_run.id`;
  for (const { limit_id, lease_id } of occupants) {
    if (limit_id === null) continue;
    const released = lease_id === null ? 0 : await releaseLeases(sql, [lease_id], settings);
    // Old clients keep their slot without a lease (facts/orchestration.md §5, F9).
    if (released === 0) await releaseUnleasedSlot(sql, limit_id);
  }
}

/**
 * Deletes flow runs with all that belongs to them: task runs, logs, states and inputs. The concurrency slots that they and
 * their task runs hold come back. Gives the ids of those that were there. What fails half-way can be done again: the runs
 * themselves go last, so that nothing is left without its run.
 */
export async function deleteFlowRuns({ sql }: Database, ids: readonly string[], settings: OrchestrationSettings): Promise<string[]> {
  const deleteSomeTaskRuns = (transaction: Sql) => deleteTaskRuns(transaction, ids, TASK_RUNS_AT_ONCE, settings);
  await deleteLogs(sql, ids);
  while ((await retryOnce(() => sql.begin(deleteSomeTaskRuns))) === TASK_RUNS_AT_ONCE);
  return await retryOnce(() =>
    sql.begin(async (transaction) => {
      // From here on they take no slot and get no task run; what they got meanwhile goes with them.
      const runs = await transaction<{ id: string }[]>`select id from flow_run where id = any(${ids}::uuid[]) order by id for update`;
      while ((await deleteSomeTaskRuns(transaction)) === TASK_RUNS_AT_ONCE);
      await releaseSlotsOf(transaction, ids, settings);
      await transaction`delete from flow_run where id = any(${ids}::uuid[])`;
      await deleteLogs(transaction, ids);
      return runs.map(({ id }) => id);
    }),
  );
}

interface ScheduledRunSelection {
  autoScheduledOnly: boolean;
  futureOnly: boolean;
}

/** Deletes runs of deployments that wait for their time and have never run. */
export async function deleteScheduledRuns(db: Kysely<Tables>, deploymentIds: readonly string[], { autoScheduledOnly, futureOnly }: ScheduledRunSelection): Promise<void> {
  await db
    .deleteFrom('flow_run')
    .where('deployment_id', 'in', deploymentIds)
    .where('state_type', '=', 'SCHEDULED')
    .where('state_name', '!=', 'AwaitingConcurrencySlot')
    .where('run_count', '=', 0)
    .$if(autoScheduledOnly, (query) => query.where('auto_scheduled', '=', true))
    .$if(futureOnly, (query) => query.where('next_scheduled_start_time', '>', template<string>`now()`))
    .execute();
}
