import type { Sql } from '@praetor/database/sql';
import type { Timestamp } from '@praetor/schema/timestamps';
import { LOOKBACK_SECONDS } from '@praetor/triggers/bucket';
import { HELD_SECONDS } from '@praetor/triggers/held-events';

/** How long it is remembered which events were seen; nothing waits for its leader longer than half of it. */
const SEEN_SECONDS = 1800;

export interface SweepOptions {
  /** The moment up to which events are known. */
  asOf: Timestamp;
  /** Buckets are kept this long after their end, and longer while events come late. */
  bufferSeconds: number;
  /** Triggers whose buckets are not to be swept. */
  exceptTriggers: readonly string[];
}

/**
 * SQL: seconds by which the latest of the events that came in the last so many seconds was late. Its kind may still be on its
 * way, in clients that are slowed down or were cut off; what happened longer ago than any look back is not waited for.
 */
const lateness = (sql: Sql, seconds: number) => sql`(
  select least(${LOOKBACK_SECONDS}, coalesce(extract(epoch from max(seen - occurred)), 0)) from praetor.automation_seen_event
  where seen > now() - make_interval(secs => ${seconds}) and occurred < seen)`;

/** Forgets what no event can matter to any more (facts/events.md §7.4, prefect-3.9.1.md §4.5). */
export async function sweep(sql: Sql, { asOf, bufferSeconds, exceptTriggers }: SweepOptions): Promise<void> {
  await sql`
    delete from automation_held_event e
    where e.updated < now() - make_interval(secs => ${HELD_SECONDS}) and not exists (
      select from automation_bucket b
      where (b.automation_id, b.trigger_id, b.bucketing_key) = (e.automation_id, e.trigger_id, e.bucketing_key) and b."end" > now())`;
  await sql`
    delete from automation_bucket
    where "end" <= ${asOf}::timestamptz - make_interval(secs => ${bufferSeconds}::float8 + ${lateness(sql, bufferSeconds)}) and trigger_id <> all(${exceptTriggers}::uuid[])`;
  await sql`delete from praetor.automation_seen_event where seen < now() - make_interval(secs => ${SEEN_SECONDS})`;
}
