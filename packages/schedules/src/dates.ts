import { parseCron } from '@praetor/schema/cron';
import { parseRecurrence } from '@praetor/schema/recurrence';
import type { Schedule } from '@praetor/schema/schedule';
import type { Timestamp } from '@praetor/schema/timestamps';
import { cronTimes } from './cron-times.ts';
import { intervalDates } from './interval-dates.ts';
import { recurrenceTimes } from './recurrence-times.ts';

/** A stretch of time, both ends included. Without an end a schedule is followed for 50 years. */
export interface Span {
  start: Timestamp;
  end?: Timestamp;
}

const LONGEST_SEARCH = { years: 50 };

const { compare } = Temporal.ZonedDateTime;

function* cronDates(text: string, anyDay: boolean, start: Temporal.ZonedDateTime, end: Temporal.ZonedDateTime): Generator<Temporal.ZonedDateTime> {
  const cron = parseCron(text);
  const localize = (time: Temporal.PlainDateTime): Temporal.ZonedDateTime => time.toZonedDateTime(start.timeZoneId, { disambiguation: 'compatible' });
  const from = start.toPlainDateTime();
  // A time that daylight saving skips moves forward by the gap, maybe past a start beyond the gap: look back that far.
  const gap = Math.max(0, start.offsetNanoseconds - start.subtract({ hours: 24 }).offsetNanoseconds);
  const moved = gap === 0 ? [] : cronTimes(cron, anyDay, from.subtract({ nanoseconds: gap }), from).map(localize).toArray();
  for (const date of cronTimes(cron, anyDay, from, end.toPlainDateTime()).map(localize)) {
    while (moved[0] !== undefined && compare(moved[0], date) < 0) yield* moved.splice(0, 1);
    yield date;
  }
  yield* moved;
}

function* rruleDates(rrule: string, start: Temporal.ZonedDateTime, end: Temporal.ZonedDateTime): Generator<Temporal.ZonedDateTime> {
  // Here a time that is skipped moves backward, maybe before an end that lies within the hour after the gap.
  const to = end.toPlainDateTime().add({ days: 1 });
  for (const time of recurrenceTimes(parseRecurrence(rrule), start.toPlainDateTime(), to)) yield time.toZonedDateTime(start.timeZoneId, { disambiguation: 'earlier' });
}

/** A rule that steps beyond the moments that can be told ends there. */
function* untilEndOfTime(candidates: Iterable<Temporal.ZonedDateTime>): Generator<Temporal.ZonedDateTime> {
  try {
    yield* candidates;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

/**
 * The dates of a schedule within a span, each once, in its time zone; in order but around a change of the clock. Throws
 * SyntaxError where a stored expression cannot be read.
 */
export function* dates(schedule: Schedule, span: Span): Generator<Temporal.ZonedDateTime> {
  const start = Temporal.Instant.from(span.start).toZonedDateTimeISO(schedule.timezone || 'UTC');
  const end = span.end === undefined ? start.add(LONGEST_SEARCH) : Temporal.Instant.from(span.end).toZonedDateTimeISO(start.timeZoneId);
  const candidates =
    'interval' in schedule ? intervalDates(schedule, start) : 'cron' in schedule ? cronDates(schedule.cron, schedule.day_or, start, end) : rruleDates(schedule.rrule, start, end);
  const seen = new Set<bigint>();
  for (const date of untilEndOfTime(candidates)) {
    if (compare(date, end) > 0) return;
    if (compare(date, start) < 0 || seen.has(date.epochNanoseconds)) continue;
    seen.add(date.epochNanoseconds);
    yield date;
  }
}
