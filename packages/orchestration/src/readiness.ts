import { type Kysely, type Transaction, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Tables } from '@praetor/database/tables';
import { now, secondsBetween } from '@praetor/schema/timestamps';
import { deploymentEvents, relatedWorkPool } from './deployment-events.ts';
import { type ServerEvent, eventResource } from './lifecycle-events.ts';

/*
 * Who is ready for work: signs of life (polls, heartbeats) make queues, deployments and pools READY, their absence makes
 * them NOT_READY again. Each function changes only the rows that are not there yet, so that of several callers exactly
 * one reports the transition, and returns the events for the outbox of its caller's transaction. Rows are locked `for no key
 * update`: whoever inserts runs or deployments refers to them, and must not wait.
 */

type Db = Kysely<Tables> | Transaction<Tables>;

/** Polls come every few seconds from every worker; a moment this near is the same moment and costs no write. */
const POLL_PRECISION = sql`interval '1 second'`;

/** A status event follows the one before where their order might otherwise be in doubt (facts/events.md §3). */
const FOLLOWS_WITHIN_SECONDS = 600;

const STATUS_EVENT_NAMES = { READY: 'ready', NOT_READY: 'not-ready', PAUSED: 'paused' } as const;
type Status = keyof typeof STATUS_EVENT_NAMES;

interface LabelledQueue {
  id: string;
  name: string;
}
interface LabelledPool {
  id: string;
  name: string;
  type: string;
}

/** A work queue has this status now. */
export function workQueueStatusEvent({ id, name }: LabelledQueue, pool: LabelledPool, status: Status): ServerEvent {
  return {
    event: `prefect.work-queue.${STATUS_EVENT_NAMES[status]}`,
    resource: eventResource('work-queue', id, name, { 'prefect.resource.role': 'work-queue' }),
    related: [relatedWorkPool(pool)],
  };
}

/** A work pool has this status now. */
export function workPoolStatusEvent({ id, name, type }: LabelledPool, status: Status, event: Pick<ServerEvent, 'id' | 'occurred' | 'follows'> = {}): ServerEvent {
  return { ...event, event: `prefect.work-pool.${STATUS_EVENT_NAMES[status]}`, resource: eventResource('work-pool', id, name, { 'prefect.work-pool.type': type }) };
}

async function queueEvents(db: Db, status: Status, ids: readonly string[]): Promise<ServerEvent[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('work_queue')
    .innerJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .select(['work_queue.id', 'work_queue.name', 'work_pool.id as pool_id', 'work_pool.name as pool_name', 'work_pool.type as pool_type'])
    .where('work_queue.id', 'in', ids)
    .orderBy('work_queue.id')
    .execute();
  return rows.map((row) => workQueueStatusEvent(row, { id: row.pool_id, name: row.pool_name, type: row.pool_type }, status));
}

/** Notes a poll of work queues (facts/services.md §9): those neither paused nor READY become READY. */
export async function markQueuesPolled(db: Db, queueIds: readonly string[]): Promise<ServerEvent[]> {
  if (queueIds.length === 0) return [];
  const { rows } = await sql<{ id: string; became_ready: boolean }>`
    with polled as (
      select id, not is_paused and status <> 'READY' as becomes_ready from work_queue
      where id = any(${queueIds}::uuid[])
        and (last_polled is null or last_polled < now() - ${POLL_PRECISION} or (not is_paused and status <> 'READY'))
      order by id for no key update
    )
    update work_queue set last_polled = now(), updated = now(), status = case when becomes_ready then 'READY' else status end
    from polled where polled.id = work_queue.id
    returning work_queue.id, becomes_ready as became_ready`.execute(db);
  return await queueEvents(db, 'READY', rows.filter((row) => row.became_ready).map((row) => row.id));
}

/** Whose poll it was: deployments themselves, or all deployments of queues. */
export type PolledDeployments = { deploymentIds: readonly string[] } | { queueIds: readonly string[] };

/** Notes a poll of deployments: those NOT_READY become READY. `updated` stays, or the scheduler would take it for a change. */
export async function markDeploymentsPolled(db: Db, polled: PolledDeployments): Promise<ServerEvent[]> {
  const which = 'queueIds' in polled ? sql`work_queue_id = any(${polled.queueIds}::uuid[])` : sql`id = any(${polled.deploymentIds}::uuid[])`;
  const { rows } = await sql<{ id: string; became_ready: boolean }>`
    with polled as (
      select id, status = 'NOT_READY' as becomes_ready from deployment
      where ${which} and (last_polled is null or last_polled < now() - ${POLL_PRECISION} or status = 'NOT_READY')
      order by id for no key update
    )
    update deployment set last_polled = now(), status = 'READY'
    from polled where polled.id = deployment.id
    returning deployment.id, becomes_ready as became_ready`.execute(db);
  return await deploymentEvents(db, 'ready', rows.filter((row) => row.became_ready).map((row) => row.id));
}

/** Pools of this type are from the time before workers: they have no status. */
export const WITHOUT_STATUS = 'prefect-agent';

/** Gives pools another status and reports it; with `from`, only those which still have that one (somebody may be pausing them). */
export async function movePools(db: Db, status: Status, pools: readonly string[], from?: Status): Promise<ServerEvent[]> {
  if (pools.length === 0) return [];
  const before = await db
    .selectFrom('work_pool')
    .select(['id', 'name', 'type', 'last_transitioned_status_at', 'last_status_event_id'])
    .where('id', 'in', pools)
    .where('status', '<>', status)
    .where('type', '<>', WITHOUT_STATUS)
    .$if(from !== undefined, (query) => query.where('status', '=', from ?? status))
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  const occurred = now();
  const events: ServerEvent[] = [];
  for (const pool of before) {
    const id = uuidv7();
    await db.updateTable('work_pool').set({ status, last_status_event_id: id, last_transitioned_status_at: occurred, updated: occurred }).where('id', '=', pool.id).execute();
    const isRecent = pool.last_transitioned_status_at !== null && secondsBetween(pool.last_transitioned_status_at, occurred) < FOLLOWS_WITHIN_SECONDS;
    events.push(workPoolStatusEvent(pool, status, { id, occurred, follows: isRecent ? pool.last_status_event_id : null }));
  }
  return events;
}

/** Notes a sign of life of a pool, a worker's heartbeat or a poll: a pool NOT_READY becomes READY, a paused one stays so. */
export async function markPoolAlive(db: Db, poolId: string): Promise<ServerEvent[]> {
  const waiting = await db.selectFrom('work_pool').select('id').where('id', '=', poolId).where('status', '=', 'NOT_READY').executeTakeFirst();
  return waiting === undefined ? [] : await movePools(db, 'READY', [waiting.id], 'NOT_READY');
}

/** Workers that missed `multiple` heartbeats are OFFLINE; no event tells of it (facts/services.md §6). Returns how many. */
export async function markWorkersOffline(db: Db, multiple: number, fallbackIntervalSeconds: number): Promise<number> {
  const { rows } = await sql`
    update worker set status = 'OFFLINE', updated = now()
    where id in (
      select id from worker
      where status = 'ONLINE' and last_heartbeat_time < now() - make_interval(secs => ${multiple}::int * coalesce(heartbeat_interval_seconds, ${fallbackIntervalSeconds}::int))
      order by id for update skip locked
    ) returning id`.execute(db);
  return rows.length;
}

/** Pools READY without an online worker, and without a poll of one of their queues in the last `polledWithinSeconds`, are not ready. Within a transaction. */
export async function markPoolsNotReady(db: Db, polledWithinSeconds: number): Promise<ServerEvent[]> {
  const findSilent = async (among = sql`true`): Promise<string[]> => {
    const { rows } = await sql<{ id: string }>`
      select id from work_pool pool where status = 'READY' and ${among}
        and not exists (select from worker where work_pool_id = pool.id and status = 'ONLINE')
        and not exists (select from work_queue where work_pool_id = pool.id and last_polled > now() - make_interval(secs => ${polledWithinSeconds}))`.execute(db);
    return rows.map((row) => row.id);
  };
  const silent = await findSilent();
  if (silent.length === 0) return [];
  const areThese = sql`id = any(${silent}::uuid[])`;
  await sql`select from work_pool where ${areThese} order by id for no key update`.execute(db);
  // A sign of life that came before the lock found a READY pool and changed nothing: only a statement that begins under the lock sees it.
  return await movePools(db, 'NOT_READY', await findSilent(areThese), 'READY');
}

/** Deployments READY that nobody polled lately, neither themselves nor their queue, are not ready. */
export async function markDeploymentsNotReady(db: Db, polledWithinSeconds: number): Promise<ServerEvent[]> {
  const { rows } = await sql<{ id: string }>`
    update deployment set status = 'NOT_READY'
    where id in (
      select d.id from deployment d left join work_queue q on q.id = d.work_queue_id
      where d.status = 'READY'
        and (d.last_polled is null or d.last_polled < now() - make_interval(secs => ${polledWithinSeconds}))
        and (q.last_polled is null or q.last_polled < now() - make_interval(secs => ${polledWithinSeconds}))
      order by d.id for no key update of d skip locked
    ) returning id`.execute(db);
  return await deploymentEvents(db, 'not-ready', rows.map((row) => row.id));
}

/** Queues READY that nobody polled lately are not ready. */
export async function markQueuesNotReady(db: Db, polledWithinSeconds: number): Promise<ServerEvent[]> {
  const { rows } = await sql<{ id: string }>`
    update work_queue set status = 'NOT_READY', updated = now()
    where id in (
      select id from work_queue
      where status = 'READY' and (last_polled is null or last_polled < now() - make_interval(secs => ${polledWithinSeconds}))
      order by id for no key update skip locked
    ) returning id`.execute(db);
  return await queueEvents(db, 'NOT_READY', rows.map((row) => row.id));
}
