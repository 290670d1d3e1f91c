import { randomBytes } from 'node:crypto';
import type { Sql } from '@praetor/database/connect';
import type { JsonObject } from '@praetor/schema/json';
import type { Timestamp } from '@praetor/schema/timestamps';
import type { CleanupKind, CleanupMessage, CleanupOutcome } from '@praetor/schema/worker-channel';

/*
 * The queue of clean-up work (facts/hidden-endpoints.md §9, facts/services.md §5): rows of praetor.cleanup_message, each
 * reserved for one worker at a time under a token and a lease. Delivered at least once; after so many deliveries a message
 * dies. All that decides is in the row, so it does not matter which gateway a worker is connected to, or comes back to.
 */

/** How long a reservation lasts, and how often a message is delivered before it dies. */
export interface CleanupPolicy {
  leaseSeconds: number;
  maxDeliveries: number;
}

export interface NewCleanupMessage {
  /** Derived from what caused it, so that the same cause is never cleaned up twice. */
  id: string;
  workPoolId: string;
  workQueueId: string | null;
  kind: CleanupKind;
  target: JsonObject;
}

export async function enqueueCleanup(sql: Sql, { id, workPoolId, workQueueId, kind, target }: NewCleanupMessage): Promise<void> {
  await sql`
    insert into praetor.cleanup_message (id, work_pool_id, work_queue_id, kind, target)
    values (${id}::uuid, ${workPoolId}::uuid, ${workQueueId}::uuid, ${kind}, ${JSON.stringify(target)}::json)
    on conflict (id) do nothing`;
}

/** Who may be given a message. */
export interface CleanupConsumer {
  consumerId: string;
  workPoolId: string;
  /** Messages of these queues are for it first; those of others when nobody of theirs took them. */
  workQueueIds: readonly string[];
  kinds: readonly CleanupKind[];
  /** Messages that it can have reserved at the same time. */
  concurrency: number;
}

/** Messages of other queues are left to their own workers this long. */
const PREFERENCE_SECONDS = 1;

type ReservedRow = Omit<CleanupMessage, 'message_id'> & { id: string };

/** Reserves the next message for a worker; undefined where there is none for it, or it has its hands full. Several callers get different messages. */
export async function reserveCleanup(sql: Sql, consumer: CleanupConsumer, policy: CleanupPolicy): Promise<CleanupMessage | undefined> {
  const { consumerId, workPoolId, workQueueIds, kinds, concurrency } = consumer;
  const rows = await sql<ReservedRow[]>`
    with next as materialized (
      select id from praetor.cleanup_message message
      cross join lateral (select coalesce(message.work_queue_id = any(${workQueueIds}::uuid[]), false) as is_own) preference
      where work_pool_id = ${workPoolId}::uuid and died is null and kind = any(${kinds}::text[]) and delivery_count < ${policy.maxDeliveries}
        and (lease_expires_at is null or lease_expires_at <= now())
        and (is_own or available < now() - make_interval(secs => ${PREFERENCE_SECONDS}))
        and ${concurrency} > (
          select count(*) from praetor.cleanup_message held
          where held.work_pool_id = ${workPoolId}::uuid and held.died is null and held.reserved_by = ${consumerId}::uuid and held.lease_expires_at > now())
      order by is_own desc, available limit 1 for update of message skip locked
    )
    update praetor.cleanup_message message
    set delivery_count = delivery_count + 1, reserved_by = ${consumerId}::uuid, reservation_token = ${randomBytes(32).toString('base64url')},
      lease_expires_at = now() + make_interval(secs => ${policy.leaseSeconds})
    from next where next.id = message.id
    returning message.id, kind, reservation_token, lease_expires_at, delivery_count, work_queue_id, target, data`;
  const [row] = rows;
  if (row === undefined) return undefined;
  const { id, ...reserved } = row;
  return { message_id: id, ...reserved };
}

/** SQL: a reservation ends, and the message may be delivered again or, delivered often enough, dies. */
const GIVE_BACK = `reservation_token = null, reserved_by = null, lease_expires_at = null, available = now()`;

/** What a worker says of a message that it was given. */
export interface CleanupReservation {
  workPoolId: string;
  messageId: string;
  token: string;
}

interface StoredReservation {
  work_pool_id: string;
  reservation_token: string | null;
  is_expired: boolean;
  /** It has been delivered as often as it may be. */
  is_spent: boolean;
  died: Timestamp | null;
}

const refuse = (status: CleanupOutcome['status'], reason: string): CleanupOutcome => ({ status, reason, lease_expires_at: null });
const accept = (leaseExpiresAt: Timestamp | null = null): CleanupOutcome => ({ status: 'accepted', reason: null, lease_expires_at: leaseExpiresAt });
const DEAD = refuse('dead_lettered', 'max_delivery_attempts_reached');

/** Why a worker may not dispose of a message, or undefined where it may. */
function findObjection(message: StoredReservation | undefined, { workPoolId, token }: CleanupReservation): CleanupOutcome | undefined {
  if (message === undefined || message.died !== null) return refuse('not_found', 'message_not_found');
  if (message.work_pool_id !== workPoolId) return refuse('unauthorized', 'work_pool_mismatch');
  if (message.reservation_token === null) return refuse('not_current', 'no_active_reservation');
  if (message.reservation_token !== token) return refuse('invalid_token', 'reservation_token_mismatch');
  if (message.is_expired) return message.is_spent ? DEAD : refuse('expired', 'lease_expired');
  return undefined;
}

type Dispose = (sql: Sql, message: StoredReservation) => Promise<CleanupOutcome>;

/** Lets a worker dispose of a message if it still holds it; a reservation that turns out to have expired ends here. */
function dispose(sql: Sql, reservation: CleanupReservation, policy: CleanupPolicy, work: Dispose): Promise<CleanupOutcome> {
  const { messageId } = reservation;
  return sql.begin(async (transaction) => {
    const [message] = await transaction<StoredReservation[]>`
      select work_pool_id, reservation_token, died, lease_expires_at <= now() as is_expired, delivery_count >= ${policy.maxDeliveries} as is_spent
      from praetor.cleanup_message where id = ${messageId}::uuid for update`;
    const objection = findObjection(message, reservation);
    if (objection === undefined && message !== undefined) return await work(transaction, message);
    if (objection?.status === 'expired') await giveBack(transaction, messageId, null);
    if (objection === DEAD) await bury(transaction, messageId, null);
    return objection ?? refuse('not_found', 'message_not_found');
  });
}

async function giveBack(sql: Sql, messageId: string, reason: string | null): Promise<void> {
  await sql`update praetor.cleanup_message set ${sql.unsafe(GIVE_BACK)}, release_reason = ${reason} where id = ${messageId}::uuid`;
}

async function bury(sql: Sql, messageId: string, reason: string | null): Promise<void> {
  await sql`update praetor.cleanup_message set ${sql.unsafe(GIVE_BACK)}, release_reason = ${reason}, died = now() where id = ${messageId}::uuid`;
}

/** The work is done. */
export function acknowledgeCleanup(sql: Sql, reservation: CleanupReservation, policy: CleanupPolicy): Promise<CleanupOutcome> {
  return dispose(sql, reservation, policy, async (transaction) => {
    await transaction`delete from praetor.cleanup_message where id = ${reservation.messageId}::uuid`;
    return accept();
  });
}

/** The worker needs longer. */
export function renewCleanup(sql: Sql, reservation: CleanupReservation, policy: CleanupPolicy): Promise<CleanupOutcome> {
  return dispose(sql, reservation, policy, async (transaction) => {
    const [renewed] = await transaction<{ lease_expires_at: Timestamp }[]>`
      update praetor.cleanup_message set lease_expires_at = now() + make_interval(secs => ${policy.leaseSeconds})
      where id = ${reservation.messageId}::uuid returning lease_expires_at`;
    return accept(renewed?.lease_expires_at);
  });
}

/** The worker will not do it: somebody else may, unless it has been tried too often. */
export function releaseCleanup(sql: Sql, reservation: CleanupReservation, reason: string, policy: CleanupPolicy): Promise<CleanupOutcome> {
  return dispose(sql, reservation, policy, async (transaction, message) => {
    await (message.is_spent ? bury : giveBack)(transaction, reservation.messageId, reason);
    return message.is_spent ? DEAD : accept();
  });
}

/** The message never reached the worker: its reservation ends as though it had not been, and counts for nothing. */
export async function withdrawCleanup(sql: Sql, messageId: string, token: string): Promise<void> {
  await sql`
    update praetor.cleanup_message set ${sql.unsafe(GIVE_BACK)}, delivery_count = delivery_count - 1
    where id = ${messageId}::uuid and reservation_token = ${token}`;
}

/** Ends up to so many reservations that nobody renewed: the messages are delivered again, or die. Several callers take different ones. */
export async function expireCleanupReservations(sql: Sql, batchSize: number, policy: CleanupPolicy): Promise<{ redelivered: number; died: number }> {
  const [row] = await sql<{ redelivered: number; died: number }[]>`
    with expired as materialized (
      select id, delivery_count >= ${policy.maxDeliveries} as is_spent from praetor.cleanup_message
      where died is null and lease_expires_at <= now() order by id limit ${batchSize} for update skip locked
    ), ended as (
      update praetor.cleanup_message message set ${sql.unsafe(GIVE_BACK)}, died = case when is_spent then now() end
      from expired where expired.id = message.id returning is_spent
    )
    select count(*) filter (where not is_spent)::integer as redelivered, count(*) filter (where is_spent)::integer as died from ended`;
  return row ?? { redelivered: 0, died: 0 };
}
