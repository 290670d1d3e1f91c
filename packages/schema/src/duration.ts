import { z } from 'zod';
import { unwrapNumber } from './json.ts';

/* Spans of time as pydantic reads them into a timedelta. On the wire they come out as seconds. */

const MAXIMUM_DAYS = 999_999_999;
const DAY_SECONDS = 86_400;

const DATE_UNITS: Readonly<Record<string, number>> = { Y: 365 * DAY_SECONDS, M: 30 * DAY_SECONDS, W: 7 * DAY_SECONDS, D: DAY_SECONDS };
const TIME_UNITS: Readonly<Record<string, number>> = { H: 3600, M: 60, S: 1 };

const ISO = /^([+-])?P((?:\d+(?:[.,]\d+)?[YMWD])*)(?:T((?:\d+(?:[.,]\d+)?[HMS])*))?$/;
const QUANTITY = /(\d+(?:[.,]\d+)?)([A-Z])/g;
const CLOCK = /^([+-])?(?=.)(?:(\d+) ?d(?:ays?)?(?:,? ?|$))?(?:(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?)?$/i;

const EXCESS = 'durations may not exceed 999,999,999';

function parseIso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, sign, dates = '', times = ''] = match;
  const quantities = [dates, times].flatMap((part, index) => [...part.matchAll(QUANTITY)].map(([, count = '0', unit = '']) => ({ count, seconds: (index === 0 ? DATE_UNITS : TIME_UNITS)[unit] ?? 0 })));
  // Only the last quantity may have a fraction.
  if (quantities.length === 0 || quantities.slice(0, -1).some(({ count }) => /[.,]/.test(count))) return undefined;
  return quantities.reduce((sum, { count, seconds }) => sum + Number(count.replace(',', '.')) * seconds, 0) * (sign === '-' ? -1 : 1);
}

function parseClock(text: string): number | undefined {
  const match = CLOCK.exec(text);
  if (match === null) return undefined;
  const [, sign, days = '0', hours = '0', minutes = '0', seconds] = match;
  // After days there are fewer than 24 hours.
  if (match[2] !== undefined && Number(hours) > 23) return undefined;
  // `1:00` is not a time, `01:00` and `1:00:00` are.
  if (match[3] !== undefined && seconds === undefined && hours.length < 2) return undefined;
  return (Number(days) * DAY_SECONDS + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0)) * (sign === '-' ? -1 : 1);
}

function toSeconds(value: unknown): number | undefined {
  if (typeof value === 'string') return parseIso(value) ?? parseClock(value);
  if (typeof value === 'boolean') return Number(value);
  const number = unwrapNumber(value);
  return typeof number === 'number' ? number : undefined;
}

/** What a duration looks like to those who send one. */
export const describedDuration = z.union([z.number(), z.string().meta({ format: 'duration' })]);

const TOO_SHORT = 'input is too short';
const NO_DIGIT = 'invalid digit in duration';

/** What is wrong with `HH:MM[:SS]`: the first that fits. */
const CLOCK_FAULTS: readonly [RegExp, string][] = [
  [/^[^:]{11,}:/, `${EXCESS} hours`],
  [/^(?!\d+:)/, 'invalid character in hour'],
  [/^\d+:(?!\d\d)/, 'invalid character in minute'],
  [/^\d+:[6-9]/, 'minute value is outside expected range of 0-59'],
  [/^\d+:\d\d:(?!\d\d)/, 'invalid character in second'],
  [/^\d+:\d\d:[6-9]/, 'second value is outside expected range of 0-59'],
  [/^\d+:\d\d:\d\d\.(?!\d)/, 'second fraction digits missing after `.`'],
  [/^\d+:\d\d(?::\d\d(?:\.\d+)?)?./, 'unexpected extra characters at the end of the input'],
];

const describeClockFault = (text: string): string => CLOCK_FAULTS.find(([pattern]) => pattern.test(text))?.[1] ?? `${EXCESS} hours`;

function describeIsoFault(text: string): string {
  const [dates = '', times = ''] = text.split('T');
  for (const [part, quantities, name] of [[dates, /^(?:\d+(?:[.,]\d+)?[YMWD])+/, 'date'], [times, /^(?:\d+(?:[.,]\d+)?[HMS])+/, 'time']] as const) {
    const rest = part.replace(quantities, '');
    if (rest !== '') return /^\d/.test(rest) ? `quantity invalid in ${name} part of duration` : NO_DIGIT;
  }
  return dates + times === '' ? TOO_SHORT : 'quantity fraction invalid in duration';
}

/** Why a text is no duration, as clients know it from pydantic. */
function describeFault(text: string): string {
  const unsigned = text.replace(/^[+-]/, '');
  if (unsigned === '') return TOO_SHORT;
  if (unsigned.startsWith('P')) return describeIsoFault(unsigned.slice(1));
  if (unsigned.length >= 5 && !/d/i.test(unsigned)) return describeClockFault(unsigned);
  if (!/^\d/.test(unsigned)) return NO_DIGIT;
  const days = /^\d+ ?d(?:ays?)?,? ?/i.exec(unsigned)?.[0];
  if (days === undefined) return '"day" identifier in duration not correctly formatted';
  const clock = unsigned.slice(days.length);
  if (clock.length < 5) return TOO_SHORT;
  return Number.parseInt(clock) > 23 ? `${EXCESS} hours` : describeClockFault(clock);
}

const NOT_A_DURATION = 'Input should be a valid timedelta';

/** A duration: seconds, ISO 8601 text or `[D days, ]HH:MM[:SS]`; the value is seconds, to the microsecond. */
export const duration = (check: (schema: z.ZodNumber) => z.ZodNumber = (schema) => schema) =>
  z.preprocess((value, context) => {
    const seconds = toSeconds(value);
    if (seconds !== undefined && Math.abs(seconds) < (MAXIMUM_DAYS + 1) * DAY_SECONDS) return Number(seconds.toFixed(6));
    if (value === undefined) return value;
    const error = seconds === undefined ? describeFault(String(value)) : `${EXCESS} days`;
    const isType = seconds === undefined && typeof value !== 'string';
    const [message, params] = isType ? [NOT_A_DURATION, { type: 'time_delta_type' }] : [`${NOT_A_DURATION}, ${error}`, { type: 'time_delta_parsing', ctx: { error } }];
    context.issues.push({ code: 'custom', input: value, message, params });
    return z.NEVER;
  }, check(z.number()));
