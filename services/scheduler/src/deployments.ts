import type { Sql } from '@praetor/database/connect';
import type { Horizon } from '@praetor/orchestration/scheduled-runs';

/** A page of deployments by id: those after `after` (undefined: from the first on). */
export interface DeploymentPage {
  after: string | undefined;
  size: number;
}

const afterId = (sql: Sql, { after }: DeploymentPage) => (after === undefined ? sql`true` : sql`d.id > ${after}::uuid`);

/** Deployments of which an active schedule has too few future runs, or none far enough ahead (facts/services.md §1). */
export async function findDeploymentsLackingRuns(sql: Sql, { minimumRuns, minimumSeconds }: Horizon, page: DeploymentPage): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select d.id from deployment d
    where not d.paused and ${afterId(sql, page)} and exists (
      select from deployment_schedule s
      cross join lateral (
        select count(*) as runs, max(r.next_scheduled_start_time) as furthest from flow_run r
        where r.deployment_id = d.id and r.state_type = 'SCHEDULED' and r.auto_scheduled = true
          and r.created_by ->> 'id' = s.id::text and r.next_scheduled_start_time >= now()
      ) ahead
      where s.deployment_id = d.id and s.active
        and (ahead.runs < ${minimumRuns} or ahead.furthest < now() + make_interval(secs => ${minimumSeconds}))
    )
    order by d.id limit ${page.size}`;
  return rows.map((row) => row.id);
}

/** Deployments that were created or changed within the last seconds and have an active schedule. */
export async function findChangedDeployments(sql: Sql, withinSeconds: number, page: DeploymentPage): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select d.id from deployment d
    where not d.paused and ${afterId(sql, page)} and d.updated >= now() - make_interval(secs => ${withinSeconds})
      and exists (select from deployment_schedule s where s.deployment_id = d.id and s.active)
    order by d.id limit ${page.size}`;
  return rows.map((row) => row.id);
}
