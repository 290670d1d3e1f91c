import { isDeepStrictEqual } from 'node:util';
import type { Kysely } from 'kysely';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { Tables } from '@praetor/database/tables';
import type { Emit } from '@praetor/orchestration/changes';
import { setWorkPoolPaused } from '@praetor/orchestration/pauses';
import { workPoolStatusEvent } from '@praetor/orchestration/readiness';
import type { Json } from '@praetor/schema/json';
import type { WorkPool, WorkPoolCreate, WorkPoolUpdate } from '@praetor/schema/work-pool';
import { workQueueCreate } from '@praetor/schema/work-queue';
import { refuseNulls } from '../errors.ts';
import { addWorkQueue } from '../work-queues/changes.ts';
import { workQueueEvent } from '../work-queues/events.ts';
import { workPoolEvent, workPoolUpdatedEvent } from './events.ts';
import { deleteWorkPool, findWorkPool, insertWorkPool, lockWorkPool, updateWorkPool } from './queries.ts';

/* Changes of work pools with all that they entail: the default queue, the status, the events. */

const DEFAULT_QUEUE = workQueueCreate.parse({ name: 'default', description: 'Takes the runs of the pool that name no queue.' });

/** Creates a pool and its default queue; undefined when the name is taken. */
export async function createWorkPool(db: Kysely<Tables>, emit: Emit, create: WorkPoolCreate): Promise<WorkPool | undefined> {
  const row = withJsonColumns(create, 'base_job_template', 'storage_configuration');
  const pool = await insertWorkPool(db, { ...row, status: create.is_paused ? 'PAUSED' : 'NOT_READY' });
  if (pool === undefined) return undefined;
  const queue = await addWorkQueue(db, emit, pool, DEFAULT_QUEUE);
  await updateWorkPool(db, pool.id, { default_queue_id: queue?.id });
  const created = await findWorkPool(db, create.name);
  if (created === undefined) return undefined;
  emit(workPoolEvent('created', created));
  if (created.status !== null) emit(workPoolStatusEvent(created, created.status));
  return created;
}

const EVENT_FIELDS = ['description', 'base_job_template', 'concurrency_limit', 'storage_configuration'] as const;

/** Changes what `update` mentions. False: there is no such pool. Throws ConflictError for a null where a pool must have a value. */
export async function changeWorkPool(db: Kysely<Tables>, emit: Emit, name: string, update: WorkPoolUpdate): Promise<boolean> {
  const pool = await lockWorkPool(db, name);
  if (pool === undefined) return false;
  const { is_paused, ...changes } = refuseNulls(update, 'description', 'concurrency_limit');
  await updateWorkPool(db, pool.id, withJsonColumns(changes, 'base_job_template', 'storage_configuration'));
  const changed = EVENT_FIELDS.filter((field) => changes[field] !== undefined && !isDeepStrictEqual(changes[field], pool[field]));
  const updates = Object.fromEntries(changed.map((field): [string, Json] => [field, { from: pool[field], to: changes[field] }]));
  if (changed.length > 0) emit(workPoolUpdatedEvent(pool, updates));
  if (is_paused !== undefined) for (const event of (await setWorkPoolPaused(db, pool.id, is_paused)) ?? []) emit(event);
  return true;
}

/** Deletes a pool with its queues and workers. False: there is no such pool. */
export async function removeWorkPool(db: Kysely<Tables>, emit: Emit, name: string): Promise<boolean> {
  // Whoever else deletes it waits here, and then finds nothing to tell of.
  if ((await lockWorkPool(db, name)) === undefined) return false;
  const pool = await findWorkPool(db, name);
  if (pool === undefined) return false;
  const queues = await db.selectFrom('work_queue').select(['id', 'name']).where('work_pool_id', '=', pool.id).orderBy('priority').execute();
  await deleteWorkPool(db, pool.id);
  for (const queue of queues) emit(workQueueEvent('deleted', queue, pool));
  emit(workPoolEvent('deleted', pool));
  return true;
}
