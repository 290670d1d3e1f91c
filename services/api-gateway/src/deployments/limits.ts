import { type Kysely, type Selectable, sql } from 'kysely';
import type { DeploymentTable, Tables } from '@praetor/database/tables';
import { NotFoundError } from '@praetor/schema/errors';
import { updateDeployment } from './queries.ts';

/* The limit on the runs of a deployment: one of its own, `deployment:{id}`, or a global one that it shares. */

type Row = Selectable<DeploymentTable>;

const ownName = (deploymentId: string) => `deployment:${deploymentId}`;

/** Throws NotFoundError where a global limit that is to be shared does not exist. */
export async function requireLimit(db: Kysely<Tables>, limitId: string | null | undefined): Promise<void> {
  if (!limitId) return;
  const limit = await db.selectFrom('concurrency_limit_v2').select('id').where('id', '=', limitId).executeTakeFirst();
  if (limit === undefined) throw new NotFoundError('Concurrency limit not found');
}

/** Deletes the deployments' own limits; shared ones stay, as others may depend on them. */
export async function deleteOwnLimits(db: Kysely<Tables>, deploymentIds: readonly string[]): Promise<void> {
  await db.deleteFrom('concurrency_limit_v2').where('name', 'in', deploymentIds.map(ownName)).execute();
}

/** Gives a deployment its own limit, changes it, or takes it away (null). Gives the deployment as it is then. */
export async function setOwnLimit(db: Kysely<Tables>, deployment: Row, limit: number | null): Promise<Row> {
  if (limit === null) {
    await deleteOwnLimits(db, [deployment.id]);
    return (await updateDeployment(db, deployment.id, { concurrency_limit: null, concurrency_limit_id: null })) ?? deployment;
  }
  const { id } = await db
    .insertInto('concurrency_limit_v2')
    .values({ name: ownName(deployment.id), limit, active: true, active_slots: 0, denied_slots: 0, slot_decay_per_second: 0, avg_slot_occupancy_seconds: 2 })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ limit, updated: sql`case when concurrency_limit_v2."limit" = ${limit} then concurrency_limit_v2.updated else now() end` }))
    .returning('id')
    .executeTakeFirstOrThrow();
  return (await updateDeployment(db, deployment.id, { concurrency_limit: limit, concurrency_limit_id: id })) ?? deployment;
}
