import { type Insertable, type Kysely, type Updateable, sql } from 'kysely';
import { workPoolCondition } from '@praetor/database/filter/resources';
import type { Tables, WorkPoolTable } from '@praetor/database/tables';
import { WITHOUT_STATUS } from '@praetor/orchestration/readiness';
import type { WorkPoolFilter } from '@praetor/schema/filters/work-pool';
import { normalizeUuid } from '@praetor/schema/primitives';
import type { WorkPool } from '@praetor/schema/work-pool';
import type { Page } from '../http/pagination.ts';
import { POOL_SLOT_STATES } from '../work-queues/queries.ts';

const NO_STORAGE = { bundle_upload_step: null, bundle_execution_step: null, default_result_storage_block_id: null };

const ACTIVE_SLOTS = sql<number | null>`case when work_pool.concurrency_limit is not null then
  (select count(*)::int from flow_run join work_queue on work_queue.id = flow_run.work_queue_id
   where work_queue.work_pool_id = work_pool.id and flow_run.state_type = any(${POOL_SLOT_STATES}::state_type[])) end`;

function selectWorkPools(db: Kysely<Tables>) {
  return db
    .selectFrom('work_pool')
    .select(['id', 'created', 'updated', 'name', 'description', 'type', 'base_job_template', 'is_paused', 'concurrency_limit'])
    .select(['status', 'default_queue_id', 'storage_configuration', ACTIVE_SLOTS.as('active_slots')]);
}

type Row = Awaited<ReturnType<ReturnType<typeof selectWorkPools>['executeTakeFirstOrThrow']>>;

function toWorkPool(row: Row): WorkPool {
  return { ...row, status: row.type === WITHOUT_STATUS ? null : row.status, storage_configuration: { ...NO_STORAGE, ...row.storage_configuration } };
}

export async function findWorkPool(db: Kysely<Tables>, name: string): Promise<WorkPool | undefined> {
  const row = await selectWorkPools(db).where('name', '=', name).executeTakeFirst();
  return row && toWorkPool(row);
}

export async function findWorkPools(db: Kysely<Tables>, ids: readonly string[]): Promise<WorkPool[]> {
  const rows = await selectWorkPools(db).where('id', 'in', ids).execute();
  return rows.map(toWorkPool);
}

export async function listWorkPools(db: Kysely<Tables>, filter: WorkPoolFilter | null | undefined, page: Page): Promise<WorkPool[]> {
  const rows = await selectWorkPools(db).where(workPoolCondition(filter)).orderBy('name').limit(page.limit).offset(page.offset).execute();
  return rows.map(toWorkPool);
}

export async function countWorkPools(db: Kysely<Tables>, filter: WorkPoolFilter | null | undefined): Promise<number> {
  const { count } = await db
    .selectFrom('work_pool')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where(workPoolCondition(filter))
    .executeTakeFirstOrThrow();
  return count;
}

/** What other routes need of a pool. */
export function findWorkPoolHead(db: Kysely<Tables>, name: string) {
  return db.selectFrom('work_pool').select(['id', 'name', 'type', 'status', 'is_paused', 'default_queue_id', 'base_job_template', 'concurrency_limit']).where('name', '=', name).executeTakeFirst();
}

/** The pool as it is; nobody else changes it before the transaction ends. */
export function lockWorkPool(db: Kysely<Tables>, name: string) {
  return db.selectFrom('work_pool').selectAll().where('name', '=', name).forNoKeyUpdate().executeTakeFirst();
}

/** Undefined when the name is taken. */
export function insertWorkPool(db: Kysely<Tables>, pool: Insertable<WorkPoolTable>) {
  return db
    .insertInto('work_pool')
    .values(pool)
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning(['id', 'name', 'type'])
    .executeTakeFirst();
}

export async function updateWorkPool(db: Kysely<Tables>, id: string, changes: Updateable<WorkPoolTable>): Promise<void> {
  await db
    .updateTable('work_pool')
    .set({ ...changes, updated: sql`now()` })
    .where('id', '=', id)
    .execute();
}

/** Its queues and workers go with it; runs and deployments stay. */
export async function deleteWorkPool(db: Kysely<Tables>, id: string): Promise<void> {
  await db.deleteFrom('work_pool').where('id', '=', id).execute();
}

/** True where all of these block documents exist. */
export async function existBlockDocuments(db: Kysely<Tables>, ids: readonly string[]): Promise<boolean> {
  const wanted = new Set(ids.map(normalizeUuid));
  if (wanted.has(undefined)) return false;
  const found = await db
    .selectFrom('block_document')
    .select('id')
    .where(({ eb, val, fn }) => eb('id', '=', fn.any(val([...wanted]))))
    .execute();
  return found.length === wanted.size;
}
