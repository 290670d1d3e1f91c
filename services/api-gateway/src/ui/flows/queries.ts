import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import type { SimpleNextFlowRun } from '@praetor/schema/ui';

/** How many deployments each flow has; unknown flows have none. */
export async function countDeployments(db: Kysely<Tables>, flowIds: readonly string[]): Promise<Record<string, number>> {
  const { rows } = await sql<{ flow_id: string; count: number }>`
    select flow_id, count(*) as count from deployment where flow_id = any(${flowIds}) group by flow_id`.execute(db);
  const counts = new Map(rows.map(({ flow_id, count }) => [flow_id, count]));
  return Object.fromEntries(flowIds.map((id) => [id, counts.get(id) ?? 0]));
}

/** The run of each flow that is scheduled first; null where there is none. */
export async function findNextRuns(db: Kysely<Tables>, flowIds: readonly string[]): Promise<Record<string, SimpleNextFlowRun | null>> {
  const { rows } = await sql<SimpleNextFlowRun>`
    select distinct on (flow_id) id, flow_id, name, state_name, state_type, next_scheduled_start_time
    from flow_run where flow_id = any(${flowIds}) and state_type = 'SCHEDULED' and next_scheduled_start_time is not null
    order by flow_id, next_scheduled_start_time`.execute(db);
  const runs = new Map(rows.map((run) => [run.flow_id, run]));
  return Object.fromEntries(flowIds.map((id) => [id, runs.get(id) ?? null]));
}
