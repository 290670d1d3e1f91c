import { type Kysely, sql } from 'kysely';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { Tables } from '@praetor/database/tables';
import { ValidationError } from '@praetor/schema/errors';
import { type DeploymentSchedule, type DeploymentScheduleCreate, type DeploymentScheduleUpdate, deploymentSchedule } from '@praetor/schema/schedule';
import type { GatewayContext } from '../context.ts';

/* The schedules of deployments; whoever changes them has the deployment's row locked. */

const COLUMNS = deploymentSchedule.keyof().options;

/** Throws ValidationError where a schedule, which stands at `at` of the body that was sent, asks for more runs than the setting allows. */
export function checkMaximumRuns({ max_scheduled_runs: runs }: DeploymentScheduleUpdate, at: (string | number)[], sent: unknown, { settings }: GatewayContext): void {
  const maximum = settings.deployments.scheduleMaxScheduledRuns;
  if (typeof runs !== 'number' || runs <= maximum) return;
  const msg = `Value error, max_scheduled_runs must be at most ${maximum}.`;
  throw new ValidationError([{ type: 'value_error', loc: ['body', ...at, 'max_scheduled_runs'], msg, input: runs, ctx: { error: {} } }], sent);
}

/** The last changed first. */
export function listSchedules(db: Kysely<Tables>, deploymentIds: readonly string[]): Promise<DeploymentSchedule[]> {
  return db
    .selectFrom('deployment_schedule')
    .select(COLUMNS)
    .where(({ eb, val, fn }) => eb('deployment_id', '=', fn.any(val(deploymentIds))))
    .orderBy('updated', 'desc')
    .execute();
}

/** In the order given, which the times of creation keep. */
export async function insertSchedules(db: Kysely<Tables>, deploymentId: string, schedules: readonly DeploymentScheduleCreate[]): Promise<DeploymentSchedule[]> {
  if (schedules.length === 0) return [];
  const moment = sql<string>`clock_timestamp()`;
  const rows = schedules.map(({ replaces: _replaces, ...schedule }) => ({
    ...withJsonColumns(schedule, 'schedule', 'parameters'),
    deployment_id: deploymentId,
    created: moment,
    updated: moment,
  }));
  return db.insertInto('deployment_schedule').values(rows).returning(COLUMNS).execute();
}

/** Changes what is mentioned and not null; false where the deployment has no such schedule. */
export async function updateSchedule(db: Kysely<Tables>, deploymentId: string, id: string, update: DeploymentScheduleUpdate): Promise<boolean> {
  const { schedule, active, max_scheduled_runs, parameters, slug } = update;
  const changes = withJsonColumns(
    {
      schedule: schedule ?? undefined,
      active: active ?? undefined,
      max_scheduled_runs: max_scheduled_runs ?? undefined,
      parameters,
      slug: slug ?? undefined,
      updated: sql<string>`clock_timestamp()`,
    },
    'schedule',
    'parameters',
  );
  const { numUpdatedRows } = await db.updateTable('deployment_schedule').set(changes).where('id', '=', id).where('deployment_id', '=', deploymentId).executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Frees the slugs of schedules that are about to swap them. */
export async function clearSlugs(db: Kysely<Tables>, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await db.updateTable('deployment_schedule').set({ slug: null }).where('id', 'in', ids).execute();
}

export async function deleteSchedules(db: Kysely<Tables>, deploymentId: string): Promise<void> {
  await db.deleteFrom('deployment_schedule').where('deployment_id', '=', deploymentId).execute();
}

/** False where the deployment has no such schedule. */
export async function deleteSchedule(db: Kysely<Tables>, deploymentId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('deployment_schedule').where('id', '=', id).where('deployment_id', '=', deploymentId).executeTakeFirst();
  return numDeletedRows > 0n;
}
