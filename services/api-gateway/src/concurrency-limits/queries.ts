import { sql, type Kysely } from 'kysely';
import type { Sql } from '@praetor/database/connect';
import type { Tables } from '@praetor/database/tables';
import type { TagLimit } from '@praetor/schema/concurrency-limit';
import type { Page } from '../http/pagination.ts';

/** Old clients cannot renew a lease, so theirs last a hundred years, as Prefect's do. */
export const LEASE_SECONDS = 100 * 365 * 86_400;

/** The task runs that hold leases on the limit `l`. */
const HOLDERS = sql<string[]>`array(
  select e.holder_id from praetor.lease e
  where e.resource_ids @> array[l.id] and e.holder_type = 'task_run' and e.expiration > now() order by e.created)`;

/** The name of the global limit behind a tag. */
export const toLimitName = (tag: string): string => `tag:${tag}`;

const tagLimits = (db: Kysely<Tables>) =>
  db
    .selectFrom('concurrency_limit_v2 as l')
    .select(['l.id', 'l.created', 'l.updated', sql<string>`substr(l.name, 5)`.as('tag'), 'l.limit as concurrency_limit', HOLDERS.as('active_slots')])
    .where('l.name', 'like', 'tag:%');

export function findTagLimit(db: Kysely<Tables>, key: { id: string } | { tag: string }): Promise<TagLimit | undefined> {
  const query = 'id' in key ? tagLimits(db).where('l.id', '=', key.id) : tagLimits(db).where('l.name', '=', toLimitName(key.tag));
  return query.executeTakeFirst();
}

export function listTagLimits(db: Kysely<Tables>, { limit, offset }: Page): Promise<TagLimit[]> {
  return tagLimits(db).orderBy('l.name').limit(limit).offset(offset).execute();
}

export interface SlotLimit {
  id: string;
  name: string;
  limit: number;
  active: boolean;
}

/** The global limits behind tags; tags without one are left out. */
export function findLimitsOfTags(db: Kysely<Tables>, tags: string[]): Promise<SlotLimit[]> {
  return db
    .selectFrom('concurrency_limit_v2')
    .select(['id', 'name', 'limit', 'active'])
    .where(sql<boolean>`name = any(${tags.map(toLimitName)})`)
    .orderBy('name')
    .execute();
}

/** The leases that a task run holds on these limits, or all leases on them. */
export async function findLeases(sql: Sql, limitIds: string[], taskRunId?: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from praetor.lease where resource_ids && ${limitIds}::uuid[] and (${taskRunId ?? null}::uuid is null or holder_id = ${taskRunId ?? null})`;
  return rows.map(({ id }) => id);
}

/** Gives each of these task runs a slot, whatever the limit, and nobody else; the leases of others must have ended. */
export async function holdSlots(sql: Sql, limitId: string, leases: { id: string; taskRunId: string }[]): Promise<void> {
  await sql`
    with held as (
      insert into praetor.lease (id, resource_ids, slots, holder_type, holder_id, expiration)
      select id, array[${limitId}::uuid], 1, 'task_run', task_run_id, now() + make_interval(secs => ${LEASE_SECONDS})
      from unnest(${leases.map(({ id }) => id)}::uuid[], ${leases.map(({ taskRunId }) => taskRunId)}::uuid[]) as lease (id, task_run_id)
    )
    update concurrency_limit_v2 set active_slots = ${leases.length}, updated = now() where id = ${limitId}`;
}
