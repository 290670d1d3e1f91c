import { type Kysely, type Transaction, sql } from 'kysely';
import { sqlOf } from '@praetor/database/sql';
import type { Tables } from '@praetor/database/tables';
import { releaseLeases, releaseUnleasedSlot } from './leases.ts';
import type { OrchestrationSettings } from './settings.ts';

interface Occupant {
  id: string;
  /** The limit of its deployment, while the run holds a slot of it. */
  limit_id: string | null;
  lease_id: string | null;
}

/**
 * Deletes flow runs with all that belongs to them: task runs, states and inputs go by foreign keys, logs here, and the
 * concurrency slots that they and their task runs hold come back. Gives the ids of those that were there.
 */
export async function deleteFlowRuns(db: Transaction<Tables>, ids: string[], settings: OrchestrationSettings): Promise<string[]> {
  // Only statements that begin under these locks are sure to see the slots that a change of state took just now.
  await sql`select from flow_run where id = any(${ids}) order by id for update`.execute(db);
  await sql`select from task_run where flow_run_id = any(${ids}) order by id for update`.execute(db);
  const { rows: runs } = await sql<Occupant>`
    select flow_run.id, deployment.concurrency_limit_id as limit_id, state.state_details ->> 'deployment_concurrency_lease_id' as lease_id
    from flow_run
    left join flow_run_state state on state.id = flow_run.state_id
    left join deployment on deployment.id = flow_run.deployment_id and flow_run.state_type in ('PENDING', 'RUNNING', 'CANCELLING')
    where flow_run.id = any(${ids}) order by flow_run.id`.execute(db);
  const { rows: leases } = await sql<{ id: string }>`
    select lease.id from praetor.lease lease join task_run on task_run.id = lease.holder_id
    where lease.holder_type = 'task_run' and task_run.flow_run_id = any(${ids})`.execute(db);
  const statements = sqlOf(db);
  await releaseLeases(statements, leases.map(({ id }) => id), settings);
  for (const { limit_id, lease_id } of runs) {
    if (limit_id === null) continue;
    const released = lease_id === null ? 0 : await releaseLeases(statements, [lease_id], settings);
    // Old clients keep their slot without a lease (facts/orchestration.md §5, F9).
    if (released === 0) await releaseUnleasedSlot(statements, limit_id);
  }
  await sql`delete from flow_run where id = any(${ids})`.execute(db);
  await sql`delete from log where flow_run_id = any(${ids})`.execute(db);
  return runs.map(({ id }) => id);
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
    .$if(futureOnly, (query) => query.where('next_scheduled_start_time', '>', sql<string>`now()`))
    .execute();
}
