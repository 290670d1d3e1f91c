import { sql as template } from 'kysely';
import { entries, inBatches } from '@praetor/database/batches';
import type { Database, Sql } from '@praetor/database/connect';
import { retryOnce } from '@praetor/database/errors';
import { readShared } from '@praetor/database/shared-reads';
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

/** SQL: slots that the limit `l` gives back in a second; more than anybody can take, where its number would leave the range of doubles. */
const DECAY = 'least(l.slot_decay_per_second, 1e9)';

/** SQL: slots of the limit `l` that are taken now. Rate limits give theirs back with time. */
export const ACTIVE_SLOTS = `greatest(0, l.active_slots - floor(${DECAY} * ${ELAPSED}))::integer`;

/** SQL: refused slots of the limit `l`, forgotten at the rate at which slots become free. */
const deniedSlots = (settings: OrchestrationSettings) => `greatest(0, l.denied_slots - floor(${ELAPSED} *
  case when l.slot_decay_per_second > 0 then ${DECAY}
    else 1 / greatest(0.1, least(l.avg_slot_occupancy_seconds, ${maximumWait(settings)})) end))::integer`;

const maximumWait = ({ tagSlotWaitSeconds, maximumSlotWaitSeconds }: OrchestrationSettings) =>
  `case when l.name like 'tag:%' then ${tagSlotWaitSeconds}::float8 else ${maximumSlotWaitSeconds}::float8 end`;

/**
 * SQL: gives back `f.slots` of each limit `f.id` of a preceding CTE `freed (id, slots, samples, occupancy)`. Where something
 * is known of how long they were held (`occupancy`: seconds for each slot, the mean of so many samples), the limit's average
 * follows it over about two times its size in samples.
 */
export const freeSlots = (settings: OrchestrationSettings) => `
  update concurrency_limit_v2 l
  set active_slots = greatest(0, ${ACTIVE_SLOTS} - f.slots),
    denied_slots = ${deniedSlots(settings)},
    avg_slot_occupancy_seconds = case when f.occupancy > 0 and l."limit" > 0
      then l.avg_slot_occupancy_seconds + (greatest(f.occupancy, 0.1) - l.avg_slot_occupancy_seconds) * (1 - (1 - 1 / (l."limit" * 2::float8)) ^ f.samples)
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

interface Demand {
  limitIds: string[];
  slots: number;
  lease: NewLease | null;
  /** The same for all demands of a process. */
  settings: OrchestrationSettings;
}

const DEMAND_COLUMNS = {
  position: 'integer',
  limit_ids: 'uuid[]',
  slots: 'integer',
  lease_id: 'uuid',
  seconds: 'float8',
  holder_type: 'text',
  holder_id: 'uuid',
} as const;

const toDemandEntry = ({ limitIds, slots, lease }: Demand, position: number) => ({
  position,
  limit_ids: limitIds,
  slots,
  lease_id: lease?.id,
  seconds: lease?.seconds,
  holder_type: lease?.holder?.type,
  holder_id: lease?.holder?.id,
});

/**
 * Decides demands in one statement; `true` where all slots are taken, `false` where there are too few, which is noted. Among
 * several, one that would fit alone but not after all before it (some of which may be refused) stays undecided, `null`.
 * Limits are locked in the order of their ids, so that takers of several cannot deadlock.
 */
async function decideDemands(sql: Sql, demands: readonly Demand[]): Promise<(boolean | null)[]> {
  const [first] = demands;
  if (!first) return [];
  const verdicts = await sql<{ taken: boolean | null }[]>`
    with demand as materialized ${entries(sql, DEMAND_COLUMNS, demands.map(toDemandEntry))}, locked as materialized (
      select l.*, ${sql.unsafe(ACTIVE_SLOTS)} as taken from concurrency_limit_v2 l
      where l.id in (select unnest(demand.limit_ids) from demand) order by l.id for no key update
    ), wanted as (
      select d.position, d.slots, l.id,
        l.active and l.taken + d.slots <= l."limit" as fits_alone,
        l.active and l.taken + sum(d.slots) over (partition by l.id order by d.position) <= l."limit" as fits
      from demand d join locked l on l.id = any(d.limit_ids)
    ), verdict as materialized (
      select d.position, case
        when count(w.id) < cardinality(d.limit_ids) or not bool_and(w.fits_alone) then false
        when bool_and(w.fits) is not false then true end as taken
      from demand d left join wanted w on w.position = d.position group by d.position, d.limit_ids
    ), changed as materialized (
      select w.id, coalesce(sum(w.slots) filter (where v.taken), 0) as taken, coalesce(sum(w.slots) filter (where not v.taken), 0) as denied
      from wanted w join verdict v on v.position = w.position where v.taken is not null group by w.id
    ), noted as (
      update concurrency_limit_v2 l
      set active_slots = ${sql.unsafe(ACTIVE_SLOTS)} + c.taken, denied_slots = ${sql.unsafe(deniedSlots(first.settings))} + c.denied, updated = now()
      from changed c where l.id = c.id
    ), leased as (
      insert into praetor.lease (id, resource_ids, slots, holder_type, holder_id, expiration)
      select d.lease_id, d.limit_ids, d.slots, d.holder_type, d.holder_id, now() + make_interval(secs => d.seconds)
      from demand d join verdict v on v.position = d.position where v.taken and d.lease_id is not null
    )
    select taken from verdict order by position`;
  return verdicts.map(({ taken }) => taken);
}

const decideDemand = inBatches(decideDemands);

/** Takes slots of all these active limits or of none, and the lease that holds them. False where one of them has too few. */
export async function takeSlots(sql: Sql, limitIds: string[], slots: number, lease: NewLease | null, settings: OrchestrationSettings): Promise<boolean> {
  const demand = { limitIds, slots, lease, settings };
  return ((await decideDemand(sql, demand)) ?? (await decideDemands(sql, [demand]))[0]) === true;
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
  { kysely, sql }: Database,
  { names, slots, mode, lease }: SlotRequest,
  settings: OrchestrationSettings,
  random: () => number = Math.random,
): Promise<{ limits: MinimalLimit[]; leaseId: string | null }> {
  const query = template<LimitRow>`
    select l.id, l.name, l."limit", l.active, l.denied_slots, l.slot_decay_per_second, l.avg_slot_occupancy_seconds
    from concurrency_limit_v2 l where l.name = any(${names}::text[]) order by l.name`;
  const rows = await readShared(kysely, query);
  const active = rows.filter((limit) => limit.active);
  if (active.some((limit) => limit.limit < slots)) throw new UnprocessableError('Slots requested is greater than the limit');
  const steady = active.filter((limit) => limit.slot_decay_per_second === 0).map((limit) => limit.name);
  if (mode === 'rate_limit' && steady.length > 0) throw new UnprocessableError(`Rate limiting needs slot decay, which these limits lack: ${steady.join(', ')}`);
  const ids = active.map((limit) => limit.id);
  const newLease = lease ? { id: uuidv7(), ...lease } : null;
  if (await retryOnce(() => takeSlots(sql, ids, slots, newLease, settings))) {
    return { limits: rows.map(({ id, name, limit }) => ({ id, name, limit })), leaseId: newLease?.id ?? null };
  }
  throw new LockedError(retryAfter(active, slots, settings, random));
}

interface Release {
  names: string[];
  slots: number;
  /** How long the slots were held, all together. */
  occupancySeconds?: number | null;
}

const RELEASE_COLUMNS = { position: 'integer', names: 'text[]', slots: 'integer', occupancy: 'float8' } as const;

const releaseTogether = inBatches(async (sql: Sql, releases: readonly (Release & { settings: OrchestrationSettings })[]): Promise<MinimalLimit[][]> => {
  const [first] = releases;
  if (!first) return [];
  const rows = releases.map(({ names, slots, occupancySeconds }, position) => ({ position, names, slots, occupancy: occupancySeconds }));
  const limits = await sql<(MinimalLimit & { position: number })[]>`
    with entry as materialized ${entries(sql, RELEASE_COLUMNS, rows)}, locked as materialized (
      select l.id, l.name from concurrency_limit_v2 l where l.name in (select unnest(entry.names) from entry) and l.active order by l.id for no key update
    ), freed as materialized (
      select l.id, sum(e.slots)::integer as slots, count(e.occupancy) as samples, avg(e.occupancy / e.slots) as occupancy
      from entry e join locked l on l.name = any(e.names) group by l.id
    ), given_back as (${sql.unsafe(freeSlots(first.settings))})
    select e.position, l.id, l.name, l."limit" from entry e join concurrency_limit_v2 l on l.name = any(e.names) order by l.name`;
  const byPosition = Map.groupBy(limits, ({ position }) => position);
  return releases.map((_, position) => (byPosition.get(position) ?? []).map(({ id, name, limit }) => ({ id, name, limit })));
});

/** Gives back slots taken without a lease. Names without a limit are ignored. */
export async function releaseSlots({ sql }: Database, release: Release, settings: OrchestrationSettings): Promise<MinimalLimit[]> {
  return await retryOnce(() => releaseTogether(sql, { ...release, settings }));
}
