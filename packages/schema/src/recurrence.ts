import { isTimeZone } from './time-zone.ts';

/*
 * The grammar of recurrence rules (RFC 5545) as Prefect takes it, which is python-dateutil's: lines of DTSTART, RRULE,
 * RDATE, EXRULE and EXDATE in any case, or a bare rule. Moments are wall-clock times: Prefect drops whatever zone they
 * carry and puts the schedule's own in its place. packages/schedules finds the dates.
 */

export const FREQUENCIES = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY', 'SECONDLY'] as const;
export type Frequency = (typeof FREQUENCIES)[number];

export interface RecurrenceRule {
  readonly frequency: Frequency;
  readonly interval: number;
  readonly count?: number;
  readonly until?: Temporal.PlainDateTime;
  /** First day of a week, 1 (Monday) to 7. */
  readonly weekStart: number;
  readonly months?: readonly number[];
  /** Counted from the end where negative, as are days of the year, weeks and positions. */
  readonly monthDays?: readonly number[];
  readonly yearDays?: readonly number[];
  readonly weeks?: readonly number[];
  /** `nth` counts within the month or year, from its end where negative. */
  readonly weekdays?: readonly { readonly weekday: number; readonly nth?: number }[];
  /** Days after Easter Sunday. */
  readonly easterOffsets?: readonly number[];
  readonly hours?: readonly number[];
  readonly minutes?: readonly number[];
  readonly seconds?: readonly number[];
  /** Which of a period's moments are meant. */
  readonly positions?: readonly number[];
}

export interface Recurrence {
  readonly start?: Temporal.PlainDateTime;
  readonly rules: readonly RecurrenceRule[];
  readonly dates: readonly Temporal.PlainDateTime[];
  readonly exceptRules: readonly RecurrenceRule[];
  readonly exceptDates: readonly Temporal.PlainDateTime[];
}

interface Moment {
  time: Temporal.PlainDateTime;
  hasZone: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Mutable<Partial<RecurrenceRule>> & { untilHasZone?: boolean };

const WEEKDAYS = new Map(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'].map((name, index) => [name, index + 1]));
const MOMENT = /^(\d{4})-?(\d{2})-?(\d{2})(?:T(\d{2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?)?(Z|UTC|[+-]\d{2}:?\d{2})?$/;

function fail(text: string): never {
  throw new SyntaxError(`invalid recurrence rule: ${text}`);
}

function parseMoment(text: string): Moment {
  const match = MOMENT.exec(text);
  if (!match) fail(text);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  try {
    return { time: Temporal.PlainDateTime.from({ year, month, day, hour, minute, second }, { overflow: 'reject' }), hasZone: match[7] !== undefined };
  } catch {
    return fail(text);
  }
}

function parseInteger(text: string): number {
  return /^[+-]?\d+$/.test(text) ? Number(text) : fail(text);
}

/** A list of integers, each of them, without its sign where `signed`, between the bounds. */
function parseIntegers(text: string, low: number, high: number, signed = false): number[] {
  return text.split(',').map((item) => {
    const number = parseInteger(item);
    const bounded = signed ? Math.abs(number) : number;
    return bounded >= low && bounded <= high ? number : fail(item);
  });
}

/** `MO`, `+1MO` or `MO(+1)`. */
function parseWeekday(text: string): { weekday: number; nth?: number } {
  const [, before, name = '', within] = /^([+-]?\d+)?([A-Z]{2})(?:\(([+-]?\d+)\))?$/.exec(text) ?? fail(text);
  const weekday = WEEKDAYS.get(name) ?? fail(text);
  const nth = before ?? within;
  if (nth === undefined) return { weekday };
  return Number(nth) === 0 ? fail(text) : { weekday, nth: Number(nth) };
}

const weekdays = (value: string, rule: Draft): void => {
  rule.weekdays = value.split(',').map(parseWeekday);
};

const PARTS: Readonly<Record<string, (value: string, rule: Draft) => void>> = {
  FREQ: (value, rule) => (rule.frequency = FREQUENCIES.find((name) => name === value) ?? fail(value)),
  INTERVAL: (value, rule) => (rule.interval = parseIntegers(value, 1, Number.MAX_SAFE_INTEGER)[0] ?? 1),
  COUNT: (value, rule) => (rule.count = parseInteger(value)),
  UNTIL: (value, rule) => ({ time: rule.until, hasZone: rule.untilHasZone } = parseMoment(value)),
  WKST: (value, rule) => (rule.weekStart = WEEKDAYS.get(value) ?? fail(value)),
  BYMONTH: (value, rule) => (rule.months = parseIntegers(value, 1, 12)),
  BYMONTHDAY: (value, rule) => (rule.monthDays = parseIntegers(value, 1, 31, true)),
  BYYEARDAY: (value, rule) => (rule.yearDays = parseIntegers(value, 1, 366, true)),
  BYWEEKNO: (value, rule) => (rule.weeks = parseIntegers(value, 1, 53, true)),
  BYDAY: weekdays,
  BYWEEKDAY: weekdays,
  BYEASTER: (value, rule) => (rule.easterOffsets = parseIntegers(value, 0, 366, true)),
  BYHOUR: (value, rule) => (rule.hours = parseIntegers(value, 0, 23)),
  BYMINUTE: (value, rule) => (rule.minutes = parseIntegers(value, 0, 59)),
  BYSECOND: (value, rule) => (rule.seconds = parseIntegers(value, 0, 59)),
  BYSETPOS: (value, rule) => (rule.positions = parseIntegers(value, 1, 366, true)),
};

/** Whether a rule that counts hours, minutes or seconds ever comes to one of those it is limited to. */
function isReachable({ frequency, interval, hours, minutes, seconds }: RecurrenceRule, start: Temporal.PlainDateTime): boolean {
  const reaches = (allowed: readonly number[] | undefined, first: number, cycle: number): boolean => {
    const reached = new Set(Array.from({ length: cycle }, (_, index) => (first + index * interval) % cycle));
    return allowed === undefined || allowed.some((number) => reached.has(number));
  };
  if (frequency === 'HOURLY') return reaches(hours, start.hour, 24);
  if (frequency === 'MINUTELY') return reaches(minutes, start.minute, 60);
  return frequency !== 'SECONDLY' || reaches(seconds, start.second, 60);
}

/** Reads a rule. With a DTSTART, UNTIL has to carry a time zone exactly if that does. */
function parseRule(text: string, start: Moment | undefined): RecurrenceRule {
  const draft: Draft = {};
  for (const part of text.split(';')) {
    const [name = '', value, ...rest] = part.split('=');
    const read = PARTS[name];
    if (read === undefined || value === undefined || rest.length > 0) fail(part);
    read(value, draft);
  }
  const { frequency, interval = 1, weekStart = 1, untilHasZone, ...filters } = draft;
  if (frequency === undefined) fail('FREQ is missing');
  const rule = { frequency, interval, weekStart, ...filters };
  if (start !== undefined && rule.until !== undefined && untilHasZone !== start.hasZone) fail('UNTIL has to carry a time zone exactly if DTSTART does');
  if (start !== undefined && !isReachable(rule, start.time)) fail('it never comes to a time that it allows');
  return rule;
}

/** The moments of a DTSTART or EXDATE line. */
function parseMoments(value: string, parameters: readonly string[], zoneNames: ReadonlyMap<string, string>): Moment[] {
  if (parameters.filter((parameter) => parameter.startsWith('VALUE=')).length > 1) fail(parameters.join(';'));
  let hasZone = false;
  for (const parameter of parameters) {
    if (parameter.startsWith('TZID=')) hasZone ||= isTimeZone(zoneNames.get(parameter.slice(5)) ?? '');
    else if (parameter !== 'VALUE=DATE-TIME' && parameter !== 'VALUE=DATE') fail(parameter);
  }
  return value.split(',').map((item) => {
    const moment = parseMoment(item);
    if (hasZone && moment.hasZone) fail(item);
    return { time: moment.time, hasZone: hasZone || moment.hasZone };
  });
}

/** Reads the text of an rrule schedule. Throws SyntaxError where it is not one. */
export function parseRecurrence(text: string): Recurrence {
  // Names of zones are looked up as they were written; all else is upper case.
  const zoneNames = new Map(Array.from(text.matchAll(/TZID=([^:]+):/gi), ([, name = '']) => [name.toUpperCase(), name]));
  const lines = text
    .toUpperCase()
    .split(/\s+/)
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':');
      const [name = '', ...parameters] = colon === -1 ? ['RRULE'] : line.slice(0, colon).split(';');
      return { name, parameters, value: line.slice(colon + 1) };
    });
  const valuesOf = (name: string, allowed: readonly string[] = []): string[] =>
    lines.filter((line) => line.name === name).map((line) => (line.parameters.every((parameter) => allowed.includes(parameter)) ? line.value : fail(line.parameters.join(';'))));
  const momentsOf = (name: string): Moment[][] => lines.filter((line) => line.name === name).map((line) => parseMoments(line.value, line.parameters, zoneNames));

  const unknown = lines.find(({ name }) => !['RRULE', 'RDATE', 'EXRULE', 'EXDATE', 'DTSTART'].includes(name));
  if (unknown) fail(unknown.name);
  const starts = momentsOf('DTSTART');
  if (starts.some((moments) => moments.length !== 1)) fail('DTSTART has more than one value');
  const start = starts.at(-1)?.[0];

  const recurrence = {
    ...(start && { start: start.time }),
    rules: valuesOf('RRULE').map((rule) => parseRule(rule, start)),
    dates: valuesOf('RDATE', ['VALUE=DATE-TIME']).flatMap((value) => value.split(',').map((item) => parseMoment(item).time)),
    exceptRules: valuesOf('EXRULE').map((rule) => parseRule(rule, start)),
    exceptDates: momentsOf('EXDATE').flat().map(({ time }) => time),
  };
  if (recurrence.rules.length + recurrence.dates.length + recurrence.exceptRules.length + recurrence.exceptDates.length === 0) fail('there is no rule');
  return recurrence;
}
