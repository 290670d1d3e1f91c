import type { Kysely } from 'kysely';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { Tables } from '@praetor/database/tables';
import type { Emit } from '@praetor/orchestration/changes';
import { workQueueStatusAfter } from '@praetor/orchestration/pauses';
import { workQueueStatusEvent } from '@praetor/orchestration/readiness';
import { ConflictError } from '@praetor/schema/errors';
import type { JsonObject } from '@praetor/schema/json';
import type { WorkQueueCreate, WorkQueueUpdate } from '@praetor/schema/work-queue';
import { refuseNulls } from '../errors.ts';
import { type PoolLabels, workQueueEvent } from './events.ts';
import { findFreePriority, makeRoom } from './priorities.ts';
import { type WorkQueueKey, deleteWorkQueue, insertWorkQueue, lockRanks, lockWorkQueue, updateRanks, updateWorkQueue } from './queries.ts';

/* Changes of queues with all that they entail: the ranks of the other queues, the status, the events. */

/** Adds a queue to a pool; undefined when the pool has one of this name. */
export async function addWorkQueue(db: Kysely<Tables>, emit: Emit, pool: PoolLabels, create: WorkQueueCreate): Promise<{ id: string } | undefined> {
  const queues = await lockRanks(db, pool.id);
  const priority = create.priority ?? findFreePriority(queues);
  const queue = await insertWorkQueue(db, pool.id, { ...create, priority });
  if (queue === undefined) return undefined;
  await updateRanks(db, makeRoom(queues, { id: queue.id, priority }));
  emit(workQueueEvent('created', queue, pool));
  return queue;
}

type Locked = NonNullable<Awaited<ReturnType<typeof lockWorkQueue>>>;

/** What an event tells about the fields that really changed; status, pause and polls are told otherwise. */
function describeChanges(queue: Locked, changes: Pick<WorkQueueUpdate, 'name' | 'description' | 'concurrency_limit' | 'priority'>): JsonObject {
  const fields = (['name', 'description', 'concurrency_limit', 'priority'] as const).filter((field) => changes[field] !== undefined && changes[field] !== queue[field]);
  return Object.fromEntries(fields.map((field) => [field, { from: queue[field], to: changes[field] }]));
}

/** Changes what `update` mentions. False: there is no such queue. Throws ConflictError for a null where a queue must have a value. */
export async function changeWorkQueue(db: Kysely<Tables>, emit: Emit, key: WorkQueueKey, update: WorkQueueUpdate): Promise<boolean> {
  const queue = await lockWorkQueue(db, key);
  if (queue === undefined) return false;
  const changes = refuseNulls(update, 'filter', 'concurrency_limit', 'last_polled');
  const { is_paused, last_polled } = changes;
  const status = is_paused === undefined ? undefined : workQueueStatusAfter(is_paused, queue.status, last_polled === undefined ? queue.last_polled : last_polled);
  await updateWorkQueue(db, queue.id, { ...withJsonColumns(changes, 'filter'), status });
  const pool = { id: queue.work_pool_id, name: queue.pool_name, type: queue.pool_type };
  const named = { id: queue.id, name: changes.name ?? queue.name };
  const updates = describeChanges(queue, changes);
  const fields = Object.keys(updates);
  if (fields.length > 0) emit(workQueueEvent('updated', named, pool, { updated_fields: fields, updates }));
  // By its id alone, as agents do it, a queue may come to share its rank with another one.
  if (changes.priority !== undefined && 'name' in key) await updateRanks(db, makeRoom(await lockRanks(db, queue.work_pool_id), { id: queue.id, priority: changes.priority }));
  if (status !== undefined) emit(workQueueStatusEvent(named, pool, status));
  return true;
}

/** Deletes a queue. False: there is no such queue. Throws ConflictError for the default queue of a pool. */
export async function removeWorkQueue(db: Kysely<Tables>, emit: Emit, key: WorkQueueKey): Promise<boolean> {
  const queue = await lockWorkQueue(db, key);
  if (queue === undefined) return false;
  if (queue.default_queue_id === queue.id) throw new ConflictError('The default queue of a work pool cannot be deleted.');
  await deleteWorkQueue(db, queue.id);
  emit(workQueueEvent('deleted', queue, { id: queue.work_pool_id, name: queue.pool_name, type: queue.pool_type }));
  return true;
}
