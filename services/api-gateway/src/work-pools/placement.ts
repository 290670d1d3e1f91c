import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import type { Emit } from '@praetor/orchestration/changes';
import { NotFoundError } from '@praetor/schema/errors';
import type { JsonObject } from '@praetor/schema/json';
import { workPoolCreate } from '@praetor/schema/work-pool';
import { addWorkQueue } from '../work-queues/changes.ts';
import { createWorkPool } from './changes.ts';
import { findWorkPoolHead } from './queries.ts';

/* Where deployments and runs are queued, by the names that their creators give. */

/** The pool of queues that are named without a pool. */
export const DEFAULT_POOL = 'default-agent-pool';

export interface Placement {
  workQueueId: string;
  baseJobTemplate: JsonObject;
}

export function poolNotFound(name: string): NotFoundError {
  return new NotFoundError(`Work pool "${name}" not found.`);
}

/** Throws NotFoundError where there is no such pool. */
export async function requireWorkPool(db: Kysely<Tables>, name: string) {
  const pool = await findWorkPoolHead(db, name);
  if (pool === undefined) throw poolNotFound(name);
  return pool;
}

export async function findQueueId(db: Kysely<Tables>, workPoolId: string, name: string): Promise<string | undefined> {
  const queue = await db.selectFrom('work_queue').select('id').where('work_pool_id', '=', workPoolId).where('name', '=', name).executeTakeFirst();
  return queue?.id;
}

/** A queue of a pool, which is created where there is none of this name; without a name, the default queue. Throws NotFoundError for an unknown pool. */
export async function placeInPool(db: Kysely<Tables>, emit: Emit, poolName: string, queueName: string | null | undefined): Promise<Placement> {
  const pool = await requireWorkPool(db, poolName);
  const placed = queueName
    ? ((await findQueueId(db, pool.id, queueName)) ?? (await addWorkQueue(db, emit, pool, { name: queueName, description: '', is_paused: false }))?.id ?? (await findQueueId(db, pool.id, queueName)))
    : pool.default_queue_id;
  if (!placed) throw new NotFoundError(`Work pool queue '${poolName}/${queueName ?? 'default'}' not found.`);
  return { workQueueId: placed, baseJobTemplate: pool.base_job_template };
}

/** The pool of queues without a pool, which is created where it is missing. */
export async function requireDefaultPool(db: Kysely<Tables>, emit: Emit) {
  const existing = await findWorkPoolHead(db, DEFAULT_POOL);
  if (existing !== undefined) return { pool: existing, isNew: false };
  const created = await createWorkPool(db, emit, workPoolCreate.parse({ name: DEFAULT_POOL }));
  return { pool: created ?? (await requireWorkPool(db, DEFAULT_POOL)), isNew: created !== undefined };
}

/** A queue of the default pool; pool and queue are created where they are missing. */
export async function placeInDefaultPool(db: Kysely<Tables>, emit: Emit, queueName: string): Promise<Placement> {
  await requireDefaultPool(db, emit);
  return placeInPool(db, emit, DEFAULT_POOL, queueName);
}
