import type { Sql } from '@praetor/database/sql';
import type { Timestamp } from '@praetor/schema/timestamps';
import { LOOKBACK_SECONDS } from '@praetor/triggers/bucket';
import { HELD_SECONDS } from '@praetor/triggers/held-events';

/** How long it is remembered which events were seen; nothing waits for its leader longer than half of it. */
const SEEN_SECONDS = 1800;

export interface SweepOptions {
  /** Reads the moment up to which events are known. */
  readClock: () => Promise<Timestamp>;
  /** Buckets are kept this long after their end, and longer while events come late. */
  bufferSeconds: number;
  /** Finds the triggers whose buckets are not to be swept. */
  findExceptions: () => Promise<readonly string[]>;
}

/**
 * SQL: seconds by which the latest of the events that came in the last so many seconds was late. Its kind may still be on its
 * way, in clients that are slowed down or were cut off; what happened longer ago than any look back is not waited for.
 */
const lateness = (sql: Sql, seconds: number) => sql`(
  select least(${LOOKBACK_SECONDS}, coalesce(extract(epoch from max(seen - occurred)), 0)) from praetor.automation_seen_event
  where seen > now() - make_interval(secs => ${seconds}) and occurred < seen)`;

/** Forgets what no event can matter to any more (facts/events.md §7.4, prefect-3.9.1.md §4.5). */
export async function sweep(sql: Sql, { readClock, bufferSeconds, findExceptions }: SweepOptions): Promise<void> {
  await sql`
    delete from automation_held_event e
    where e.updated < now() - make_interval(secs => ${HELD_SECONDS}) and not exists (
      select from automation_bucket b
      where (b.automation_id, b.trigger_id, b.bucketing_key) = (e.automation_id, e.trigger_id, e.bucketing_key) and b."end" > now())`;
  await sql`delete from praetor.automation_seen_event where seen < now() - make_interval(secs => ${SEEN_SECONDS})`;

  const ended = await sql`select from automation_bucket where "end" <= now() limit 1`;
  // Most of the time there are none, and both questions cost more than this one.
  if (ended.length === 0) return;
  await sql`
    delete from automation_bucket
    where "end" <= ${await readClock()}::timestamptz - make_interval(secs => ${bufferSeconds}::float8 + ${lateness(sql, bufferSeconds)})
      and trigger_id <> all(${await findExceptions()}::uuid[])`;
}
