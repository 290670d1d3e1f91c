import type { Sql } from '@praetor/database/sql';
import type { Timestamp } from '@praetor/schema/timestamps';

/*
 * Who says nothing may be gone, or talk to a server that does not listen. So the gateways note that they take in events, all
 * of them in one row, and silence counts from the end of their last gap.
 */

/** Each gateway notes this often that it takes in events. */
export const NOTE_SECONDS = 5;
/** For so long nobody need have noted it. Clients send again what they sent to a gateway that vanished for less. */
const GAP_SECONDS = 15;

/** A span of time. */
export interface Span {
  since: Timestamp;
  until: Timestamp;
}

/** Notes that events are taken in now. */
export async function noteIntake(sql: Sql): Promise<void> {
  await sql`
    insert into praetor.intake as known (since, until) values (now(), now())
    on conflict (is_only) do update set
      since = case when known.until < excluded.until - make_interval(secs => ${GAP_SECONDS}) then excluded.until else known.since end,
      until = greatest(known.until, excluded.until)`;
}

/**
 * The newest span in which events were taken in without a gap, up to `stored`, the moment before which none waits in the
 * stream any more; undefined before the first note.
 */
export async function readIntake(sql: Sql, stored: Timestamp): Promise<Span | undefined> {
  const [span] = await sql<Span[]>`select since, least(until, ${stored}::timestamptz) as until from praetor.intake`;
  return span;
}
