import { type RawBuilder, sql, type Kysely } from 'kysely';
import { compileEventFilter } from '@praetor/database/filter/events';
import type { Tables } from '@praetor/database/tables';
import type { EventFilter } from '@praetor/schema/event';
import type { Timestamp } from '@praetor/schema/timestamps';
import type { Page } from '../http/pagination.ts';
import { PIVOT, type TimeBuckets } from './time-buckets.ts';

/** In the order of the wire. */
const COLUMNS = ['occurred', 'event', 'resource', 'related', 'payload', 'id', 'follows', 'received'] as const;

/** Events in the order of the filter; where distinct resources are asked for, the first event of each in that order. */
export function listEvents(db: Kysely<Tables>, filter: EventFilter, { limit, offset }: Page) {
  const direction = filter.order === 'ASC' ? 'asc' : 'desc';
  const condition = compileEventFilter(filter);
  const firsts = db.selectFrom('events').select('id').distinctOn('resource_id').where(condition).orderBy('resource_id').orderBy('occurred', direction);
  return (
    db
      .selectFrom('events')
      .select(COLUMNS)
      .where((expression) => (filter.resource?.distinct ? expression('id', 'in', firsts) : condition))
      .orderBy('occurred', direction)
      .orderBy('id', direction)
      // No more can match than the ids that are asked for.
      .limit(Math.min(limit, filter.id.id?.length || limit))
      .offset(offset)
      .execute()
  );
}

export async function countEvents(db: Kysely<Tables>, filter: EventFilter): Promise<number> {
  const { count } = await db
    .selectFrom('events')
    .select(({ fn }) => (filter.resource?.distinct ? fn.count<number>('resource_id').distinct() : fn.countAll<number>()).as('count'))
    .where(compileEventFilter(filter))
    .executeTakeFirstOrThrow();
  return count;
}

export interface EventCount {
  value: string;
  label: string;
  count: number;
  start_time: Timestamp;
  end_time: Timestamp;
}

/** How often each value of an expression occurs, most often first, under the label of its latest event. */
async function countValues(db: Kysely<Tables>, filter: EventFilter, value: RawBuilder<string>, label: RawBuilder<string>): Promise<EventCount[]> {
  const { rows } = await sql<EventCount>`
    select ${value} as value, (array_agg(${label} order by occurred desc))[1] as label, count(*) as count, min(occurred) as start_time, max(occurred) as end_time
    from events where ${compileEventFilter(filter)}
    group by 1 order by count desc, label`.execute(db);
  return rows;
}

export function countByEvent(db: Kysely<Tables>, filter: EventFilter): Promise<EventCount[]> {
  return countValues(db, filter, sql`event`, sql`event`);
}

export function countByResource(db: Kysely<Tables>, filter: EventFilter): Promise<EventCount[]> {
  return countValues(db, filter, sql`resource_id`, sql`coalesce(resource ->> 'prefect.resource.name', resource ->> 'prefect.name', resource_id)`);
}

/** The number of events in each bucket that has any, by the bucket's index. */
export async function countByBucket(db: Kysely<Tables>, filter: EventFilter, buckets: TimeBuckets): Promise<Map<number, number>> {
  const { rows } = await sql<{ index: number; count: number }>`
    select floor(extract(epoch from occurred - ${PIVOT}::timestamptz) / ${buckets.seconds}::float8) - ${buckets.first} as index, count(*) as count
    from events where ${compileEventFilter(filter)} group by 1`.execute(db);
  return new Map(rows.map(({ index, count }) => [index, count]));
}
