import { type Kysely, type Updateable, sql } from 'kysely';
import type { Condition } from '@praetor/database/filter';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { StateType, Tables, WorkQueueTable } from '@praetor/database/tables';
import type { PlainWorkQueue, WorkQueue, WorkQueueCreate } from '@praetor/schema/work-queue';
import type { Page } from '../http/pagination.ts';
import type { Ranked } from './priorities.ts';

/** A queue is addressed by its id or by its name within a pool. */
export type WorkQueueKey = { id: string } | { work_pool_name: string; name: string };

/** States in which a run holds a slot of its pool and queue; cancelling gives it back. */
export const POOL_SLOT_STATES: readonly StateType[] = ['PENDING', 'RUNNING'];
/** The older routes below /work_queues count differently. */
export const QUEUE_SLOT_STATES: readonly StateType[] = [...POOL_SLOT_STATES, 'CANCELLING'];

const COLUMNS = [
  'work_queue.id',
  'work_queue.created',
  'work_queue.updated',
  'work_queue.name',
  'work_queue.description',
  'work_queue.is_paused',
  'work_queue.concurrency_limit',
  'work_queue.priority',
  'work_queue.work_pool_id',
  'work_queue.filter',
  'work_queue.last_polled',
] as const;

function selectWorkQueues(db: Kysely<Tables>, slotStates: readonly StateType[]) {
  const activeSlots = sql<number | null>`case when work_queue.concurrency_limit is not null then
    (select count(*)::int from flow_run where flow_run.work_queue_id = work_queue.id and flow_run.state_type = any(${slotStates}::state_type[])) end`;
  return db
    .selectFrom('work_queue')
    .innerJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .select([...COLUMNS, 'work_pool.name as work_pool_name', 'work_queue.status', activeSlots.as('active_slots')]);
}

/** The condition on `work_queue` and `work_pool` that picks the queue of a key. */
function isAddressedBy(key: WorkQueueKey): Condition {
  return 'id' in key ? sql`work_queue.id = ${key.id}` : sql`work_pool.name = ${key.work_pool_name} and work_queue.name = ${key.name}`;
}

export function findWorkQueue(db: Kysely<Tables>, key: WorkQueueKey, slotStates: readonly StateType[]): Promise<WorkQueue | undefined> {
  return selectWorkQueues(db, slotStates).where(isAddressedBy(key)).executeTakeFirst();
}

/** The queues of the time before pools whose filter picks the runs of a deployment; an empty part of a filter picks all. */
export function listFilteringQueues(db: Kysely<Tables>, deploymentId: string): Promise<PlainWorkQueue[]> {
  const isEmpty = (part: string) => sql<boolean>`coalesce(work_queue.filter -> ${part}, 'null') in ('null', '[]')`;
  return db
    .selectFrom('work_queue')
    .innerJoin('deployment', (join) => join.on('deployment.id', '=', deploymentId))
    .select(COLUMNS)
    .where('work_queue.filter', 'is not', null)
    .where(sql<boolean>`(${isEmpty('tags')} or deployment.tags @> (work_queue.filter -> 'tags'))`)
    .where(sql<boolean>`(${isEmpty('deployment_ids')} or work_queue.filter -> 'deployment_ids' @> to_jsonb(deployment.id))`)
    .orderBy('work_queue.name')
    .execute();
}

export interface WorkQueueSelection {
  condition: Condition;
  order: 'priority' | 'name';
  page: Page;
  slotStates: readonly StateType[];
}

export function listWorkQueues(db: Kysely<Tables>, { condition, order, page, slotStates }: WorkQueueSelection): Promise<WorkQueue[]> {
  return selectWorkQueues(db, slotStates).where(condition).orderBy(`work_queue.${order}`).limit(page.limit).offset(page.offset).execute();
}

/** The queue and its pool's labels; nobody else changes the queue before the transaction ends. */
export function lockWorkQueue(db: Kysely<Tables>, key: WorkQueueKey) {
  return db
    .selectFrom('work_queue')
    .innerJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .selectAll('work_queue')
    .select(['work_pool.name as pool_name', 'work_pool.type as pool_type', 'work_pool.default_queue_id'])
    .where(isAddressedBy(key))
    .forNoKeyUpdate('work_queue')
    .executeTakeFirst();
}

/** The ranks of a pool's queues; nobody else ranks them before the transaction ends. */
export async function lockRanks(db: Kysely<Tables>, workPoolId: string): Promise<Ranked[]> {
  await db.selectFrom('work_pool').select('id').where('id', '=', workPoolId).forNoKeyUpdate().execute();
  return db.selectFrom('work_queue').select(['id', 'priority']).where('work_pool_id', '=', workPoolId).execute();
}

export async function updateRanks(db: Kysely<Tables>, ranks: readonly Ranked[]): Promise<void> {
  if (ranks.length === 0) return;
  await sql`
    update work_queue set priority = rank.priority, updated = now()
    from unnest(${ranks.map((rank) => rank.id)}::uuid[], ${ranks.map((rank) => rank.priority)}::int[]) as rank (id, priority)
    where work_queue.id = rank.id`.execute(db);
}

/** Undefined when the pool has a queue of this name. */
export function insertWorkQueue(db: Kysely<Tables>, workPoolId: string, queue: WorkQueueCreate & { priority: number }) {
  return db
    .insertInto('work_queue')
    .values({ ...withJsonColumns(queue, 'filter'), work_pool_id: workPoolId })
    .onConflict((conflict) => conflict.columns(['work_pool_id', 'name']).doNothing())
    .returning(['id', 'name'])
    .executeTakeFirst();
}

export async function updateWorkQueue(db: Kysely<Tables>, id: string, changes: Updateable<WorkQueueTable>) {
  await db
    .updateTable('work_queue')
    .set({ ...changes, updated: sql`now()` })
    .where('id', '=', id)
    .execute();
}

export async function deleteWorkQueue(db: Kysely<Tables>, id: string): Promise<void> {
  await db.deleteFrom('work_queue').where('id', '=', id).execute();
}
