import { type Kysely, sql } from 'kysely';
import { workerCondition } from '@praetor/database/filter/resources';
import type { Tables } from '@praetor/database/tables';
import type { WorkerFilter } from '@praetor/schema/filters/work-pool';
import type { Worker } from '@praetor/schema/worker';
import type { Page } from '../http/pagination.ts';

/** When a worker without a recent heartbeat counts as offline. */
export interface Liveness {
  fallbackHeartbeatIntervalSeconds: number;
  inactivityHeartbeatMultiple: number;
}

/** Workers of a pool, the one heard last first. */
export function listWorkers(db: Kysely<Tables>, workPoolId: string, filter: WorkerFilter | null | undefined, page: Page, liveness: Liveness): Promise<Worker[]> {
  const patience = sql`make_interval(secs => ${liveness.inactivityHeartbeatMultiple} * coalesce(worker.heartbeat_interval_seconds, ${liveness.fallbackHeartbeatIntervalSeconds})::float)`;
  const status = sql<Worker['status']>`case when worker.last_heartbeat_time > now() - ${patience} then 'ONLINE' else 'OFFLINE' end`;
  return db
    .selectFrom('worker')
    .select(['id', 'created', 'updated', 'name', 'work_pool_id', 'last_heartbeat_time', 'heartbeat_interval_seconds', status.as('status')])
    .where('work_pool_id', '=', workPoolId)
    .where(workerCondition(filter))
    .orderBy('last_heartbeat_time', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute();
}

/** Records that a worker is alive; one that does not say its interval keeps the one it has. */
export async function recordHeartbeat(db: Kysely<Tables>, workPoolId: string, name: string, intervalSeconds: number | null): Promise<void> {
  await db
    .insertInto('worker')
    .values({ work_pool_id: workPoolId, name, heartbeat_interval_seconds: intervalSeconds, last_heartbeat_time: sql`now()`, status: 'ONLINE' })
    .onConflict((conflict) =>
      conflict.columns(['work_pool_id', 'name']).doUpdateSet(({ ref }) => ({
        heartbeat_interval_seconds: sql`coalesce(excluded.heartbeat_interval_seconds, ${ref('worker.heartbeat_interval_seconds')})`,
        last_heartbeat_time: sql`now()`,
        status: 'ONLINE',
        updated: sql`now()`,
      })),
    )
    .execute();
}

/** False when the pool has no such worker. */
export async function deleteWorker(db: Kysely<Tables>, workPoolId: string, name: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('worker').where('work_pool_id', '=', workPoolId).where('name', '=', name).executeTakeFirst();
  return numDeletedRows > 0n;
}
