import { type Timestamp, fromMicroseconds, toMicroseconds } from '@praetor/schema/timestamps';

/** A Monday before any event of Prefect: all buckets are counted from here (facts/events.md §5). */
export const PIVOT: Timestamp = '2024-04-01T00:00:00Z';

export const TIME_UNITS = ['week', 'day', 'hour', 'minute', 'second'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

const SECONDS: Record<TimeUnit, number> = { week: 604_800, day: 86_400, hour: 3600, minute: 60, second: 1 };

/** Consecutive spans of time of equal length. */
export interface TimeBuckets {
  /** Length of one. */
  seconds: number;
  /** Index of the first one, counted from the pivot. */
  first: number;
  count: number;
}

/** How many buckets a range of time would take. */
export function bucketCount(since: Timestamp, until: Timestamp, unit: TimeUnit, interval: number): number {
  return Math.ceil((toMicroseconds(until) - toMicroseconds(since)) / 1_000_000 / (SECONDS[unit] * interval));
}

/** The buckets from the one that holds `since` until `until`, or until the unit that holds `now` has ended, if that is earlier. */
export function timeBuckets(since: Timestamp, until: Timestamp, unit: TimeUnit, interval: number, now: Timestamp): TimeBuckets {
  const seconds = SECONDS[unit] * interval;
  const fromPivot = (moment: Timestamp) => (toMicroseconds(moment) - toMicroseconds(PIVOT)) / 1_000_000;
  const endOfUnit = (Math.floor(fromPivot(now) / SECONDS[unit]) + 1) * SECONDS[unit];
  const end = fromPivot(until) > fromPivot(now) ? endOfUnit : fromPivot(until);
  const first = Math.floor(fromPivot(since) / seconds);
  return { seconds, first, count: Math.max(0, Math.ceil(end / seconds) - first) };
}

/** Start and end of each bucket; the end is the last microsecond within. */
export function* spans({ seconds, first, count }: TimeBuckets): Generator<{ start: Timestamp; end: Timestamp }> {
  const start = (index: number) => toMicroseconds(PIVOT) + Math.round((first + index) * seconds * 1_000_000);
  for (let index = 0; index < count; index++) yield { start: fromMicroseconds(start(index)), end: fromMicroseconds(start(index + 1) - 1) };
}
