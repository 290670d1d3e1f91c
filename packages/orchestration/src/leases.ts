import { entries, inBatches } from '@praetor/database/batches';
import type { Sql } from '@praetor/database/connect';
import type { OrchestrationSettings } from './settings.ts';
import { ACTIVE_SLOTS, freeSlots } from './slots.ts';

/*
 * Leases of concurrency slots. Releasing one is deleting its row and giving its slots back in the same statement: however
 * many releasers there are (client, rule, expiry), the slots come back exactly once.
 */

/** SQL: what the leases of a preceding CTE `gone` held, limit by limit, the limits locked in the order of their ids. */
const FREED = `freed as materialized (
  select l.id, held.slots, held.samples, held.occupancy from concurrency_limit_v2 l
  join (
    select r.id, sum(g.slots)::integer as slots, count(*) as samples, avg(extract(epoch from now() - g.created) / g.slots)::float8 as occupancy
    from gone g cross join unnest(g.resource_ids) r (id) group by r.id
  ) held on held.id = l.id
  order by l.id for no key update of l
)`;

/** Prolongs a lease to so many seconds from now; false where it is gone. */
export async function renewLease(sql: Sql, leaseId: string, seconds: number): Promise<boolean> {
  const renewed = await sql`update praetor.lease set expiration = now() + make_interval(secs => ${seconds}) where id = ${leaseId}::uuid returning id`;
  return renewed.length > 0;
}

const RELEASE_COLUMNS = { position: 'integer', lease_ids: 'uuid[]' } as const;

interface Release {
  leaseIds: string[];
  /** The same for all releases of a process. */
  settings: OrchestrationSettings;
}

const releaseTogether = inBatches(async (sql: Sql, releases: readonly Release[]): Promise<number[]> => {
  const [first] = releases;
  if (!first) return [];
  const rows = releases.map(({ leaseIds }, position) => ({ position, lease_ids: leaseIds }));
  const gone = await sql<{ position: number }[]>`
    with wanted as materialized (
      select r.id, min(entry.position) as position from ${entries(sql, RELEASE_COLUMNS, rows)} entry cross join unnest(entry.lease_ids) r (id) group by r.id
    ), gone as (delete from praetor.lease e using wanted where e.id = wanted.id returning e.*, wanted.position),
    ${sql.unsafe(FREED)}, given_back as (${sql.unsafe(freeSlots(first.settings))})
    select position from gone`;
  return releases.map((_, position) => gone.filter((lease) => lease.position === position).length);
});

/** Ends leases and gives their slots back; returns how many of them were there to end. */
export function releaseLeases(sql: Sql, leaseIds: string[], settings: OrchestrationSettings): Promise<number> {
  return releaseTogether(sql, { leaseIds, settings });
}

/** Ends up to so many expired leases; several cleaners at once take different ones. Returns how many it ended. */
export async function releaseExpiredLeases(sql: Sql, batchSize: number, settings: OrchestrationSettings): Promise<number> {
  const [row] = await sql<{ released: number }[]>`
    with expired as materialized (
      select id from praetor.lease where expiration < now() order by expiration limit ${batchSize} for update skip locked
    ), gone as (delete from praetor.lease where id in (select id from expired) returning *),
    ${sql.unsafe(FREED)}, given_back as (${sql.unsafe(freeSlots(settings))})
    select count(*)::integer as released from gone`;
  return row?.released ?? 0;
}

/** Forgets a lease but keeps its slot taken, for clients too old to renew one (facts/orchestration.md §5, F9). */
export async function forgetLease(sql: Sql, leaseId: string): Promise<void> {
  await sql`delete from praetor.lease where id = ${leaseId}::uuid`;
}

/**
 * Gives back one slot that no lease holds: of a client too old for leases, or of a run from before this server. What
 * living leases hold is never given back, so a second release of the same run is harmless. Within a transaction.
 */
export async function releaseUnleasedSlot(sql: Sql, limitId: string): Promise<void> {
  // Only a statement that begins under the lock is sure to see the leases of all who took slots before.
  await sql`select from concurrency_limit_v2 where id = ${limitId}::uuid for no key update`;
  await sql`
    update concurrency_limit_v2 l set updated = now(), active_slots = least(${sql.unsafe(ACTIVE_SLOTS)}, greatest(${sql.unsafe(ACTIVE_SLOTS)} - 1,
      (select coalesce(sum(e.slots), 0)::integer from praetor.lease e where e.resource_ids @> array[l.id])))
    where l.id = ${limitId}::uuid`;
}
