import type { IntervalSchedule } from '@praetor/schema/schedule';

const DAY = 86_400_000_000;

/**
 * The dates of an interval from `start` on, without end (facts/rules.md §9, facts/prefect-3.9.1.md §6.2). Whole days are
 * steps of the wall clock, so that 9:00 stays 9:00; intervals below a day are exact. A time that daylight saving skips
 * moves forward by the gap, one that occurs twice is the second.
 */
export function* intervalDates({ interval, anchor_date, timezone }: IntervalSchedule, start: Temporal.ZonedDateTime): Generator<Temporal.ZonedDateTime> {
  const zone = timezone || 'UTC';
  const anchor = Temporal.Instant.from(anchor_date).toZonedDateTimeISO(zone);
  // Moments are told apart by microseconds: what is shorter would step nowhere.
  const length = Math.max(1, Math.round(interval * 1e6));
  const days = Math.floor(length / DAY);
  const rest = length - days * DAY;
  const isWholeDays = rest === 0;
  const isBefore = (date: Temporal.ZonedDateTime, other: Temporal.ZonedDateTime): boolean => Temporal.ZonedDateTime.compare(date, other) < 0;

  const step = (date: Temporal.ZonedDateTime, count = 1): Temporal.ZonedDateTime =>
    days === 0
      ? date.add({ microseconds: rest * count })
      : date.toPlainDateTime().add({ days: days * count, microseconds: rest * count }).toZonedDateTime(zone, { disambiguation: 'later' });

  // A mixed interval (36 hours) is counted in exact time from the anchor, yet in wall time from there on: so does Prefect.
  const fromAnchor = (count: number): Temporal.ZonedDateTime => (days === 0 || isWholeDays ? step(anchor, count) : anchor.add({ microseconds: length * count }));

  /**
   * Walks days from the anchor to the start. Once a date has moved out of a gap, its new hour stays for all that follow,
   * so the walk may jump only between two changes of the clock, and has to step over each of them.
   */
  const walkDays = (): Temporal.ZonedDateTime => {
    let date = anchor;
    while (isBefore(date, start)) {
      const change = date.getTimeZoneTransition('next');
      const target = change !== null && isBefore(change, start) ? change : start;
      const distance = date.toPlainDate().until(target.toPlainDate(), { largestUnit: 'days' }).days;
      date = step(date, Math.max(1, Math.floor(distance / days) - 1));
    }
    return date;
  };

  let date: Temporal.ZonedDateTime;
  let count = 0;
  const anchorIsAhead = isBefore(start, anchor);
  if (!anchorIsAhead && days > 0 && isWholeDays && zone !== 'UTC') date = walkDays();
  else {
    count = Math.trunc(Number((start.epochNanoseconds - anchor.epochNanoseconds) / 1000n) / length);
    date = fromAnchor(count);
    while (isBefore(start, date)) date = fromAnchor(--count);
  }
  for (;;) {
    if (!isBefore(date, start)) yield date;
    // Days before the anchor are each counted from it: going forward through a gap would miss it.
    date = anchorIsAhead && days > 0 && isWholeDays && count < 0 ? fromAnchor(++count) : step(date);
  }
}
