import type { Database, Sql } from '@praetor/database/connect';
import { retryOnce } from '@praetor/database/errors';
import { LockedError, UnprocessableError } from '@praetor/schema/errors';
import { v7 as uuidv7 } from 'uuid';
import { clampedPoissonInterval } from './poisson.ts';
import type { OrchestrationSettings } from './settings.ts';

/*
 * Slots of global concurrency limits (facts/rules.md §11). Invariant: `active_slots` is what the living leases hold plus
 * what was taken without a lease. A lease and its slots come and go in one statement, so no crash can part them.
 */

/** SQL: seconds since the limit `l` was touched; never negative, though its last toucher may have begun after us. */
const ELAPSED = 'greatest(0, extract(epoch from now() - l.updated))';

/** SQL: slots of the limit `l` that are taken now. Rate limits give theirs back with time. */
export const ACTIVE_SLOTS = `greatest(0, l.active_slots - floor(l.slot_decay_per_second * ${ELAPSED}))::integer`;

/** SQL: refused slots of the limit `l`, forgotten at the rate at which slots become free. */
const deniedSlots = (settings: OrchestrationSettings) => `greatest(0, l.denied_slots - floor(${ELAPSED} *
  case when l.slot_decay_per_second > 0 then l.slot_decay_per_second
    else 1 / greatest(0.1, least(l.avg_slot_occupancy_seconds, ${maximumWait(settings)})) end))::integer`;

const maximumWait = ({ tagSlotWaitSeconds, maximumSlotWaitSeconds }: OrchestrationSettings) =>
  `case when l.name like 'tag:%' then ${tagSlotWaitSeconds}::float8 else ${maximumSlotWaitSeconds}::float8 end`;

/**
 * SQL: gives back `f.slots` of each limit `f.id` of a preceding CTE `freed (id, slots, occupancy)`. Where the occupancy (in
 * seconds, over all its slots) is known, the limit's average follows it over about two times its size in samples.
 */
export const freeSlots = (settings: OrchestrationSettings) => `
  update concurrency_limit_v2 l
  set active_slots = greatest(0, ${ACTIVE_SLOTS} - f.slots),
    denied_slots = ${deniedSlots(settings)},
    avg_slot_occupancy_seconds = case when f.occupancy > 0 and l."limit" > 0
      then l.avg_slot_occupancy_seconds + (greatest(f.occupancy / f.slots, 0.1) - l.avg_slot_occupancy_seconds) / (l."limit" * 2)
      else l.avg_slot_occupancy_seconds end,
    updated = now()
  from freed f
  where l.id = f.id`;

/** Who a lease belongs to. */
export interface LeaseHolder {
  type: 'flow_run' | 'task_run' | 'deployment';
  id: string;
}

/** A lease to be taken together with slots. */
export interface NewLease {
  id: string;
  /** Seconds until it expires unless renewed. */
  seconds: number;
  holder: LeaseHolder | null;
}

/**
 * Takes slots of all these active limits or of none, and the lease that holds them, in one statement. False where one of
 * them has too few. The limits are locked in the order of their ids, so that takers of several cannot deadlock.
 */
export async function takeSlots(sql: Sql, limitIds: string[], slots: number, lease: NewLease | null, settings: OrchestrationSettings): Promise<boolean> {
  const rows = await sql<{ taken: boolean }[]>`
    with locked as materialized (
      select l.* from concurrency_limit_v2 l where l.id = any(${limitIds}::uuid[]) order by l.id for update
    ), verdict as materialized (
      select count(*) filter (where l.active and ${sql.unsafe(ACTIVE_SLOTS)} + ${slots} <= l."limit") = ${limitIds.length} as ok from locked l
    ), taken as (
      update concurrency_limit_v2 l
      set active_slots = ${sql.unsafe(ACTIVE_SLOTS)} + ${slots}, denied_slots = ${sql.unsafe(deniedSlots(settings))}, updated = now()
      from locked, verdict where l.id = locked.id and verdict.ok
    ), leased as (
      insert into praetor.lease (id, resource_ids, slots, holder_type, holder_id, expiration)
      select ${lease?.id ?? null}::uuid, ${limitIds}::uuid[], ${slots}, ${lease?.holder?.type ?? null}, ${lease?.holder?.id ?? null}::uuid,
        now() + make_interval(secs => ${lease?.seconds ?? 0})
      from verdict where ok and ${lease !== null}
    )
    select ok as taken from verdict`;
  return rows[0]?.taken === true;
}

/** A limit as the answers of increment and decrement show it. */
export interface MinimalLimit {
  id: string;
  name: string;
  limit: number;
}

interface LimitRow extends MinimalLimit {
  active: boolean;
  denied_slots: number;
  slot_decay_per_second: number;
  avg_slot_occupancy_seconds: number;
}

export interface SlotRequest {
  names: string[];
  slots: number;
  mode: 'concurrency' | 'rate_limit';
  /** Asks for a lease over the slots. */
  lease?: { seconds: number; holder: LeaseHolder | null };
}

/** Seconds after which a refused client should ask again: the longest expected wait among the limits, randomised. */
function retryAfter(limits: readonly LimitRow[], slots: number, settings: OrchestrationSettings, random: () => number): number {
  const blocking = (limit: LimitRow) => (slots + limit.denied_slots) / (limit.slot_decay_per_second > 0 ? 1 : limit.limit);
  const worst = limits.reduce((one, other) => (blocking(other) > blocking(one) ? other : one));
  if (worst.slot_decay_per_second > 0) return clampedPoissonInterval(blocking(worst) / worst.slot_decay_per_second, random);
  const longest = worst.name.startsWith('tag:') ? settings.tagSlotWaitSeconds : settings.maximumSlotWaitSeconds;
  return clampedPoissonInterval(Math.min(worst.avg_slot_occupancy_seconds * blocking(worst), longest), random);
}

/**
 * Takes slots of all active limits among these names, or of none. Inactive limits are listed but take no slot, unknown
 * names are ignored. Throws LockedError when full, UnprocessableError when it can never succeed.
 */
export async function acquireSlots(
  { sql }: Database,
  { names, slots, mode, lease }: SlotRequest,
  settings: OrchestrationSettings,
  random: () => number = Math.random,
): Promise<{ limits: MinimalLimit[]; leaseId: string | null }> {
  const rows = await sql<LimitRow[]>`
    select l.id, l.name, l."limit", l.active, l.denied_slots, l.slot_decay_per_second, l.avg_slot_occupancy_seconds
    from concurrency_limit_v2 l where l.name = any(${names}::text[]) order by l.name`;
  const active = rows.filter((limit) => limit.active);
  if (active.some((limit) => limit.limit < slots)) throw new UnprocessableError('Slots requested is greater than the limit');
  const steady = active.filter((limit) => limit.slot_decay_per_second === 0).map((limit) => limit.name);
  if (mode === 'rate_limit' && steady.length > 0) throw new UnprocessableError(`Rate limiting needs slot decay, which these limits lack: ${steady.join(', ')}`);
  const ids = active.map((limit) => limit.id);
  const newLease = lease ? { id: uuidv7(), ...lease } : null;
  if (await retryOnce(() => takeSlots(sql, ids, slots, newLease, settings))) {
    return { limits: rows.map(({ id, name, limit }) => ({ id, name, limit })), leaseId: newLease?.id ?? null };
  }
  await sql`
    update concurrency_limit_v2 l set denied_slots = ${sql.unsafe(deniedSlots(settings))} + ${slots}, active_slots = ${sql.unsafe(ACTIVE_SLOTS)}, updated = now()
    where l.id = any(${ids}::uuid[])`;
  throw new LockedError(retryAfter(active, slots, settings, random));
}

/** Gives back slots taken without a lease. Names without a limit are ignored. */
export async function releaseSlots(
  { sql }: Database,
  { names, slots, occupancySeconds }: { names: string[]; slots: number; occupancySeconds?: number | null },
  settings: OrchestrationSettings,
): Promise<MinimalLimit[]> {
  return await retryOnce(
    () => sql<MinimalLimit[]>`
    with freed as materialized (
      select l.id, ${slots}::integer as slots, ${occupancySeconds ?? null}::float8 as occupancy
      from concurrency_limit_v2 l where l.name = any(${names}::text[]) and l.active order by l.id for update
    ), given_back as (${sql.unsafe(freeSlots(settings))})
    select l.id, l.name, l."limit" from concurrency_limit_v2 l where l.name = any(${names}::text[]) order by l.name`,
  );
}
