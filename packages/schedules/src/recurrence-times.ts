import type { Recurrence, RecurrenceRule } from '@praetor/schema/recurrence';
import { matchesDay } from './recurrence-days.ts';

/** A wall-clock time as seconds since 1970, as if it were UTC: rules count millions of them. */
type Seconds = number;

/** The stretch of wall-clock time that is asked for. */
interface Span {
  from: Seconds;
  to: Seconds;
}

const HOUR = 3600;
const DAY = 86_400;
const END_OF_TIME = new Temporal.PlainDateTime(9999, 12, 31);
/** Steps of a rule with COUNT that are followed from its start: what comes later than in a million never comes. */
const MAXIMUM_COUNTED = 1_000_000;

const toSeconds = (time: Temporal.PlainDateTime): Seconds => time.toZonedDateTime('UTC').epochMilliseconds / 1000;
const toTime = (seconds: Seconds): Temporal.PlainDateTime => Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO('UTC').toPlainDateTime();
const sortedSet = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b);

/** Every combination of hour, minute and second. */
function combine(hours: readonly number[], minutes: readonly number[], seconds: readonly number[]): Seconds[] {
  return sortedSet(hours.flatMap((hour) => minutes.flatMap((minute) => seconds.map((second) => hour * HOUR + minute * 60 + second))));
}

/** The moments of a period that BYSETPOS means. */
function pick(moments: readonly Seconds[], positions: RecurrenceRule['positions']): readonly Seconds[] {
  if (positions === undefined) return moments;
  return sortedSet(positions.map((position) => moments.at(position > 0 ? position - 1 : position)).filter((moment) => moment !== undefined));
}

/** The first period worth looking at. Only COUNT requires to follow a rule from its start. */
function firstPeriod({ count, interval }: RecurrenceRule, unitsToSpan: number): number {
  return count === undefined ? Math.max(0, Math.floor(unitsToSpan / interval) - 1) : 0;
}

function unitsBetween(frequency: RecurrenceRule['frequency'], start: Temporal.PlainDate, date: Temporal.PlainDate): number {
  if (frequency === 'YEARLY') return date.year - start.year;
  if (frequency === 'MONTHLY') return (date.year - start.year) * 12 + date.month - start.month;
  const { days } = start.until(date, { largestUnit: 'days' });
  return frequency === 'WEEKLY' ? Math.floor(days / 7) : days;
}

/** First day and length of a period: a year, month, week or day. */
function datePeriod({ frequency, interval, weekStart }: RecurrenceRule, start: Temporal.PlainDate, index: number): [first: Temporal.PlainDate, days: number] {
  const units = index * interval;
  if (frequency === 'YEARLY') {
    const first = new Temporal.PlainDate(start.year + units, 1, 1);
    return [first, first.daysInYear];
  }
  if (frequency === 'MONTHLY') {
    const first = start.with({ day: 1 }).add({ months: units });
    return [first, first.daysInMonth];
  }
  if (frequency !== 'WEEKLY') return [start.add({ days: units }), 1];
  const passed = (start.dayOfWeek - weekStart + 7) % 7;
  // The first week begins with the rule itself, which matters to BYSETPOS.
  return index === 0 ? [start, 7 - passed] : [start.add({ days: units * 7 - passed }), 7];
}

/** The moments, period by period, of a rule that counts days or more. */
function* datePeriods(rule: RecurrenceRule, start: Temporal.PlainDateTime, { from, to }: Span): Generator<readonly Seconds[]> {
  const startDate = start.toPlainDate();
  const times = combine(rule.hours ?? [start.hour], rule.minutes ?? [start.minute], rule.seconds ?? [start.second]);
  for (let index = firstPeriod(rule, unitsBetween(rule.frequency, startDate, toTime(from).toPlainDate())); ; index++) {
    const [first, days] = datePeriod(rule, startDate, index);
    const origin = toSeconds(first.toPlainDateTime());
    if (origin > to) return;
    const matching = Array.from({ length: days }, (_, day) => day).filter((day) => matchesDay(rule, startDate, first.add({ days: day })));
    yield pick(matching.flatMap((day) => times.map((time) => origin + day * DAY + time)), rule.positions);
  }
}

/** The same of a rule that counts hours, minutes or seconds. Days, hours and minutes that do not match are skipped at once. */
function* clockPeriods(rule: RecurrenceRule, start: Temporal.PlainDateTime, { from, to }: Span): Generator<readonly Seconds[]> {
  const { frequency, interval, hours, minutes, seconds, positions } = rule;
  const unit = frequency === 'HOURLY' ? HOUR : frequency === 'MINUTELY' ? 60 : 1;
  const offsets =
    unit === HOUR ? combine([0], minutes ?? [start.minute], seconds ?? [start.second]) : unit === 60 ? combine([0], [0], seconds ?? [start.second]) : [0];
  const startDate = start.toPlainDate();
  const origin = toSeconds(start);
  let checkedDay: Seconds | undefined;
  let dayMatches = false;

  /** End of the stretch around a moment which the rule excludes, undefined where it excludes nothing. */
  const excludedUntil = (moment: Seconds): Seconds | undefined => {
    const ending = (length: Seconds): Seconds => (Math.floor(moment / length) + 1) * length;
    if (checkedDay !== ending(DAY)) {
      checkedDay = ending(DAY);
      dayMatches = matchesDay(rule, startDate, toTime(moment).toPlainDate());
    }
    if (!dayMatches) return checkedDay;
    if (hours?.includes(Math.floor((moment % DAY) / HOUR)) === false) return ending(HOUR);
    if (unit <= 60 && minutes?.includes(Math.floor((moment % HOUR) / 60)) === false) return ending(60);
    if (unit === 1 && seconds?.includes(moment % 60) === false) return moment + 1;
    return undefined;
  };

  const step = unit * interval;
  let index = firstPeriod(rule, Math.floor((from - origin) / unit));
  for (;;) {
    const moment = origin + index * step;
    if (moment > to) return;
    const next = excludedUntil(moment);
    if (next === undefined) {
      const period = moment - (moment % unit);
      yield pick(offsets.map((offset) => period + offset), positions);
    }
    index = next === undefined ? index + 1 : Math.ceil((next - origin) / step);
  }
}

/** The furthest moment that can be told stands for all beyond it. */
function lastMoment(start: Temporal.PlainDateTime, unit: string, distance: number): Temporal.PlainDateTime {
  try {
    return start.add({ [unit]: distance });
  } catch (error) {
    if (error instanceof RangeError) return END_OF_TIME;
    throw error;
  }
}

/** COUNT of a rule that skips nothing is an end, and then nothing has to be counted. */
function replaceCount(rule: RecurrenceRule, start: Temporal.PlainDateTime): RecurrenceRule {
  const { frequency, interval, weekStart, count, until, ...filters } = rule;
  const unit = { HOURLY: 'hours', MINUTELY: 'minutes', SECONDLY: 'seconds' }[frequency as string];
  if (count === undefined || unit === undefined || Object.keys(filters).length > 0) return rule;
  const last = lastMoment(start, unit, (count - 1) * interval);
  return { frequency, interval, weekStart, until: until !== undefined && Temporal.PlainDateTime.compare(until, last) < 0 ? until : last };
}

function* ruleTimes(given: RecurrenceRule, start: Temporal.PlainDateTime, span: Span): Generator<Seconds> {
  const rule = replaceCount(given, start);
  const origin = toSeconds(start);
  const until = rule.until === undefined ? Infinity : toSeconds(rule.until);
  const isClockRule = ['HOURLY', 'MINUTELY', 'SECONDLY'].includes(rule.frequency);
  let left = rule.count === undefined ? Infinity : Math.min(rule.count, MAXIMUM_COUNTED);
  for (const moments of isClockRule ? clockPeriods(rule, start, span) : datePeriods(rule, start, span))
    for (const moment of moments) {
      if (moment < origin) continue;
      if (moment > until || moment > span.to || left-- <= 0) return;
      if (moment >= span.from) yield moment;
    }
}

/** Merges ascending sequences into one. */
function* merge(sequences: readonly Iterator<Seconds>[]): Generator<Seconds> {
  const heads = sequences.map((sequence) => ({ sequence, head: sequence.next() }));
  for (;;) {
    const living = heads.filter(({ head }) => head.done !== true);
    const [first] = living.toSorted((a, b) => a.head.value - b.head.value);
    if (first === undefined) return;
    yield first.head.value;
    first.head = first.sequence.next();
  }
}

const DEFAULT_START = Temporal.PlainDateTime.from('2020-01-01T00:00:00');

/**
 * The wall-clock times of a recurrence within both bounds, in order. A rule without DTSTART starts in 2020
 * (facts/rules.md §9). Unlike dateutil, `BYDAY=MO,1TU` is Mondays and the first Tuesday, as RFC 5545 has it.
 */
export function* recurrenceTimes(recurrence: Recurrence, from: Temporal.PlainDateTime, to: Temporal.PlainDateTime): Generator<Temporal.PlainDateTime> {
  const { start = DEFAULT_START, rules, dates, exceptRules, exceptDates } = recurrence;
  const span = { from: Math.ceil(toSeconds(from)), to: toSeconds(to) };
  const included = merge([...rules.map((rule) => ruleTimes(rule, start, span)), sortedSet(dates.map(toSeconds)).filter((time) => time >= span.from && time <= span.to).values()]);
  const excluded = merge([...exceptRules.map((rule) => ruleTimes(rule, start, span)), sortedSet(exceptDates.map(toSeconds)).filter((time) => time >= span.from).values()]);
  let except = excluded.next();
  for (const time of included) {
    while (except.done !== true && except.value < time) except = excluded.next();
    if (except.done === true || except.value !== time) yield toTime(time);
  }
}
