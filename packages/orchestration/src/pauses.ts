import { type Kysely, sql } from 'kysely';
import type { Tables, WorkQueueStatus } from '@praetor/database/tables';
import { type Automation, automation } from '@praetor/schema/automation';
import { type Timestamp, now, secondsBetween } from '@praetor/schema/timestamps';
import { deleteScheduledRuns } from './delete-runs.ts';
import { type ServerEvent, eventResource } from './lifecycle-events.ts';
import { movePools, workQueueStatusEvent } from './readiness.ts';

/*
 * Pausing and resuming what takes or gives work, by the API or by an automation. Each function gives the events for the
 * outbox of its caller's transaction, or undefined where there is nothing of this id.
 */

type Db = Kysely<Tables>;

/** A queue that was polled this recently counts as ready when it is resumed. */
const RECENT_POLL_SECONDS = 60;

/** A paused deployment has no scheduled runs; a resumed one gets them from the scheduler. No event tells of it (facts/events.md §3). */
export async function setDeploymentPaused(db: Db, id: string, isPaused: boolean): Promise<ServerEvent[] | undefined> {
  const changed = await db.updateTable('deployment').set({ paused: isPaused, updated: sql`now()` }).where('id', '=', id).returning('id').executeTakeFirst();
  if (changed === undefined) return undefined;
  if (isPaused) await deleteScheduledRuns(db, [id], { autoScheduledOnly: true, futureOnly: false });
  return [];
}

/** A resumed pool is ready where one of its workers is online. */
export async function setWorkPoolPaused(db: Db, id: string, isPaused: boolean): Promise<ServerEvent[] | undefined> {
  const changed = await db.updateTable('work_pool').set({ is_paused: isPaused, updated: sql`now()` }).where('id', '=', id).returning('id').executeTakeFirst();
  if (changed === undefined) return undefined;
  const worker = await db.selectFrom('worker').select('id').where('work_pool_id', '=', id).where('status', '=', 'ONLINE').limit(1).executeTakeFirst();
  return await movePools(db, isPaused ? 'PAUSED' : worker === undefined ? 'NOT_READY' : 'READY', [id]);
}

/** The status that pausing or resuming a queue brings about, if it brings about another. */
export function workQueueStatusAfter(isPaused: boolean, status: WorkQueueStatus, lastPolled: Timestamp | null): WorkQueueStatus | undefined {
  if (isPaused === (status === 'PAUSED')) return undefined;
  if (isPaused) return 'PAUSED';
  return lastPolled !== null && secondsBetween(lastPolled, now()) <= RECENT_POLL_SECONDS ? 'READY' : 'NOT_READY';
}

/** Pausing what is paused, or resuming what is not, tells nothing. */
export async function setWorkQueuePaused(db: Db, id: string, isPaused: boolean): Promise<ServerEvent[] | undefined> {
  const queue = await db
    .selectFrom('work_queue')
    .innerJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .select(['work_queue.id', 'work_queue.name', 'work_queue.status', 'work_queue.last_polled', 'work_pool.id as pool_id', 'work_pool.name as pool_name', 'work_pool.type as pool_type'])
    .where('work_queue.id', '=', id)
    .forNoKeyUpdate('work_queue')
    .executeTakeFirst();
  if (queue === undefined) return undefined;
  const status = workQueueStatusAfter(isPaused, queue.status, queue.last_polled);
  await db.updateTable('work_queue').set({ is_paused: isPaused, status, updated: sql`now()` }).where('id', '=', id).execute();
  return status === undefined ? [] : [workQueueStatusEvent(queue, { id: queue.pool_id, name: queue.pool_name, type: queue.pool_type }, status)];
}

/** What happened to an automation. */
export function automationEvent(happening: 'created' | 'updated' | 'deleted', changed: Automation): ServerEvent {
  return { event: `prefect.automation.${happening}`, resource: eventResource('automation', changed.id, changed.name), payload: changed };
}

/** A disabled automation is not evaluated. */
export async function setAutomationEnabled(db: Db, id: string, isEnabled: boolean): Promise<ServerEvent[] | undefined> {
  const changed = await db.updateTable('automation').set({ enabled: isEnabled, updated: sql`now()` }).where('id', '=', id).returning(automation.keyof().options).executeTakeFirst();
  return changed && [automationEvent('updated', automation.safeParse(changed).data ?? changed)];
}
