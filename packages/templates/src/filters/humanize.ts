import { Duration, Moment, monthName } from '../moments.ts';
import { print } from '../printing.ts';
import { groupDigits } from '../strings.ts';
import { type Value, isNumber, isText, isTrue, textOf } from '../values.ts';
import { type Filter, type FilterContext, type Filters, filter } from './filter.ts';
import { requireFloat, toFloat } from './numbers.ts';

/* Numbers and times as people say them: the filters that Prefect takes from the library humanize. */

const DAY_SECONDS = 86_400;

const plural = (count: number, unit: string): string => `${groupDigits(String(count), ',')} ${unit}${count === 1 ? '' : 's'}`;

/** Seconds of a number or a duration, or the distance of a moment from now; undefined for all else. */
function toSeconds(value: Value, { now }: FilterContext): number | undefined {
  if (value instanceof Duration) return value.microseconds / 1e6;
  if (value instanceof Moment) return now / 1000 - value.microseconds / 1e6;
  return isNumber(value) ? Number(value) : undefined;
}

function describeYear(days: number, withMonths: boolean): string {
  const months = Math.round(days / 30.5);
  if (days === 0) return 'a year';
  if (months === 0 || !withMonths) return `1 year, ${plural(days, 'day')}`;
  return months === 1 ? '1 year, 1 month' : `1 year, ${months} months`;
}

/** How long, in one unit: `2 minutes`, `a day`, `1 year, 3 months`. */
function describeDelta(seconds: number, withMonths: boolean): string {
  const total = Math.floor(Math.abs(seconds));
  const [years, days] = [Math.floor(total / DAY_SECONDS / 365), Math.floor(total / DAY_SECONDS) % 365];
  if (years > 1) return plural(years, 'year');
  if (years === 1) return describeYear(days, withMonths);
  const months = Math.round(days / 30.5);
  if (days > 0 && (months === 0 || !withMonths)) return days === 1 ? 'a day' : plural(days, 'day');
  if (days > 0) return months === 1 ? 'a month' : `${months} months`;
  if (total === 0) return 'a moment';
  if (total < 60) return total === 1 ? 'a second' : `${total} seconds`;
  const [minutes, hours] = [Math.round(total / 60), Math.round(total / 3600)];
  if (minutes < 60) return minutes === 1 ? 'a minute' : `${minutes} minutes`;
  if (hours === 24) return 'a day';
  return hours === 1 ? 'an hour' : `${hours} hours`;
}

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [365 * DAY_SECONDS, 'year'],
  [30.5 * DAY_SECONDS, 'month'],
  [DAY_SECONDS, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
];

/** How long, in all units: `1 day, 2 hours, 3 minutes and 4.50 seconds`. */
function describePrecisely(seconds: number): string {
  let rest = Math.abs(seconds);
  const parts: string[] = [];
  for (const [size, name] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(plural(count, name));
  }
  const last = Number.isInteger(rest) ? plural(rest, 'second') : `${rest.toFixed(2)} seconds`;
  if (rest > 0 || parts.length === 0) parts.push(last);
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function describeTime(value: Value, seconds: number, isFuture: boolean, withMonths: boolean): string {
  const delta = describeDelta(seconds, withMonths);
  if (delta === 'a moment') return 'now';
  const future = value instanceof Moment || value instanceof Duration ? seconds < 0 : isFuture !== seconds < 0;
  return future ? `${delta} from now` : `${delta} ago`;
}

function describeDay(moment: Moment, { now }: FilterContext): string {
  const distance = Math.floor(moment.microseconds / 1e6 / DAY_SECONDS) - Math.floor(now / 1000 / DAY_SECONDS);
  const name = { 0: 'today', 1: 'tomorrow', [-1]: 'yesterday' }[distance];
  return name ?? moment.format('%b %d');
}

function describeDate(moment: Moment, context: FilterContext): string {
  const months = Math.abs(context.now - moment.date.getTime()) / 86_400_000;
  return months >= 5 * 365 / 12 ? moment.format(`${monthName(moment.date).slice(0, 3)} %d %Y`) : describeDay(moment, context);
}

const POWERS = ['thousand', 'million', 'billion', 'trillion', 'quadrillion', 'quintillion', 'sextillion', 'septillion', 'octillion', 'nonillion', 'decillion'];

function describeNumber(value: number): string {
  if (!Number.isFinite(value) || Math.abs(value) < 1000) return String(value);
  let power = Math.min(POWERS.length, Math.floor(Math.log10(Math.abs(value)) / 3));
  if (Number((Math.abs(value) / 1000 ** power).toFixed(1)) >= 1000 && power < POWERS.length) power += 1;
  return `${(value / 1000 ** power).toFixed(1)} ${POWERS[power - 1]}`;
}

const WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

function ordinal(value: number): string {
  const suffix = Math.abs(value) % 100 >= 11 && Math.abs(value) % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][Math.abs(value) % 10] ?? 'th');
  return `${value}${suffix}`;
}

function describeSize(bytes: number, isBinary: boolean): string {
  const base = isBinary ? 1024 : 1000;
  const suffixes = isBinary ? ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'] : ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
  if (Math.abs(bytes) < base) return `${Math.trunc(bytes)} Byte${Math.abs(bytes) === 1 ? '' : 's'}`;
  const power = Math.min(suffixes.length, Math.floor(Math.log(Math.abs(bytes)) / Math.log(base)));
  return `${(bytes / base ** power).toFixed(1)} ${suffixes[power - 1]}`;
}

/** A number, also in a text; what is none is printed as it is. */
const numeric = (work: (value: number) => string): Filter =>
  filter([], (input) => {
    const value = toFloat(isText(input) ? textOf(input).replaceAll(',', '') : input) ?? Number.NaN;
    return Number.isNaN(value) ? print(input) : work(value);
  });

export const HUMANIZE_FILTERS: Filters = {
  humanize_naturaldelta: filter(['months', 'minimum_unit'], (input, given, context) => {
    const seconds = toSeconds(input, context);
    return seconds === undefined ? print(input) : describeDelta(seconds, isTrue(given.or('months', true)));
  }),
  humanize_naturaltime: filter(['future', 'months', 'minimum_unit', 'when'], (input, given, context) => {
    const seconds = toSeconds(input, context);
    return seconds === undefined ? print(input) : describeTime(input, seconds, isTrue(given.or('future', false)), isTrue(given.or('months', true)));
  }),
  humanize_precisedelta: filter(['minimum_unit', 'suppress', 'format'], (input, _given, context) => {
    const seconds = toSeconds(input, context);
    return seconds === undefined ? print(input) : describePrecisely(seconds);
  }),
  humanize_naturalday: filter([], (input, _given, context) => (input instanceof Moment ? describeDay(input, context) : input)),
  humanize_naturaldate: filter([], (input, _given, context) => (input instanceof Moment ? describeDate(input, context) : input)),
  humanize_intcomma: filter([], (input) => groupDigits(print(input), ',')),
  humanize_intword: numeric(describeNumber),
  humanize_ordinal: numeric(ordinal),
  humanize_apnumber: numeric((value) => WORDS[value] ?? String(value)),
  humanize_naturalsize: filter(['binary', 'gnu', 'format'], (input, given) => describeSize(requireFloat(input), isTrue(given.or('binary', false)))),
};
