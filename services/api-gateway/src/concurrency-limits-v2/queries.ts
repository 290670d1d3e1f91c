import { sql, type Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { ACTIVE_SLOTS } from '@praetor/orchestration/slots';
import {
  type ConcurrencyLimitV2,
  type ConcurrencyLimitV2Create,
  type GlobalConcurrencyLimit,
  concurrencyLimitV2,
} from '@praetor/schema/concurrency-limit';
import { normalizeUuid } from '@praetor/schema/primitives';
import type { Page } from '../http/pagination.ts';

/** A limit is addressed by either of these. */
export type LimitKey = { id: string } | { name: string };

const COLUMNS = concurrencyLimitV2.keyof().options;

/** Seconds that a slot is expected to be held before any was. */
const FIRST_OCCUPANCY_SECONDS = 2;

/** The slots that are taken at this moment: those of rate limits come back by themselves. */
const activeSlots = sql<number>`${sql.raw(ACTIVE_SLOTS)}`;

/** What a path says of a limit: an id where it looks like one, else a name. */
export function toLimitKey(idOrName: string): LimitKey {
  const id = normalizeUuid(idOrName);
  return id === undefined ? { name: idOrName } : { id };
}

/** A name that is taken is a unique violation of the database. */
export function insertLimit(db: Kysely<Tables>, limit: ConcurrencyLimitV2Create): Promise<ConcurrencyLimitV2> {
  return db
    .insertInto('concurrency_limit_v2')
    .values({ ...limit, avg_slot_occupancy_seconds: FIRST_OCCUPANCY_SECONDS })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
}

const limits = (db: Kysely<Tables>) =>
  db
    .selectFrom('concurrency_limit_v2 as l')
    .select(['l.id', 'l.created', 'l.updated', 'l.active', 'l.name', 'l.limit', activeSlots.as('active_slots'), 'l.slot_decay_per_second']);

export function findLimit(db: Kysely<Tables>, key: LimitKey): Promise<GlobalConcurrencyLimit | undefined> {
  return limits(db)
    .where(({ and }) => and(key))
    .executeTakeFirst();
}

export function listLimits(db: Kysely<Tables>, { limit, offset }: Page): Promise<GlobalConcurrencyLimit[]> {
  return limits(db).orderBy('l.name').limit(limit).offset(offset).execute();
}

export function updateLimit(db: Kysely<Tables>, key: LimitKey, changes: Partial<ConcurrencyLimitV2Create>): Promise<ConcurrencyLimitV2 | undefined> {
  return (
    db
      .updateTable('concurrency_limit_v2 as l')
      // Decay counts from `updated`, so what has come back by now is written down with it.
      .set({ active_slots: activeSlots, ...changes, updated: sql`now()` })
      .where(({ and }) => and(key))
      .returning(COLUMNS)
      .executeTakeFirst()
  );
}

export function deleteLimit(db: Kysely<Tables>, key: LimitKey): Promise<ConcurrencyLimitV2 | undefined> {
  return db
    .deleteFrom('concurrency_limit_v2')
    .where(({ and }) => and(key))
    .returning(COLUMNS)
    .executeTakeFirst();
}
