/**
 * A moment as it travels: UTC, `2026-11-21T08:10:29.157970Z`, six digits, the fraction left out when zero
 * (facts/rules.md §3). JavaScript's Date would lose the microseconds, so moments stay text from the wire to Postgres
 * and back, and are compared and moved as whole microseconds since 1970, which a double holds exactly.
 */
export type Timestamp = string;

const ISO = /^(\d{4})-(\d{2})(?:-(\d{2})(?:[Tt _](\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?(Z|z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?)?$/;

/** ISO 8601 without separators: `20261121T081029`. */
const BASIC = /^(\d{4})(\d{2})(\d{2})([T ]\d{2})(\d{2})?(\d{2})?(?=\D|$)/;
const spellOut = (text: string) => text.replace(BASIC, (_, year, month, day, hour, ...rest) => [`${year}-${month}-${day}${hour}`, ...rest.slice(0, 2).filter((part) => part !== undefined)].join(':'));

/** Milliseconds since 1970 of the first moment and of the last that has a year of four digits. */
export const EARLIEST_MILLISECONDS = -62_135_596_800_000;
export const LATEST_MILLISECONDS = 253_402_300_799_999;

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysOf(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
}

function offsetSeconds(text: string | undefined): number {
  if (text === undefined || text === 'Z' || text === 'z') return 0;
  const digits = text.slice(1).replace(':', '');
  const seconds = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2)) * 60;
  return text.startsWith('-') ? -seconds : seconds;
}

/** Microseconds since 1970 of an ISO 8601 text (no offset means UTC), or undefined where it is none. */
export function parseTimestamp(text: string): number | undefined {
  const match = ISO.exec(text) ?? ISO.exec(spellOut(text));
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part, index) => Number(part ?? (index === 2 ? 1 : 0))) as [number, number, number, number, number, number];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  moment.setUTCHours(hour, minute, second);
  const fraction = Number((match[7] ?? '').slice(0, 6).padEnd(6, '0'));
  const milliseconds = moment.getTime() - offsetSeconds(match[8]) * 1000;
  return milliseconds < EARLIEST_MILLISECONDS || milliseconds > LATEST_MILLISECONDS ? undefined : milliseconds * 1000 + fraction;
}

/** Microseconds since 1970 of a timestamp that is known to be one. Its wire form is read without a look at every digit. */
export function toMicroseconds(timestamp: Timestamp): number {
  const isWire = (timestamp.length === 20 || timestamp.length === 27) && timestamp.endsWith('Z');
  const microseconds = isWire ? Date.parse(`${timestamp.slice(0, 19)}Z`) * 1000 + Number(timestamp.slice(20, -1)) : parseTimestamp(timestamp);
  if (microseconds === undefined || Number.isNaN(microseconds)) throw new RangeError(`not a timestamp: ${timestamp}`);
  return microseconds;
}

/** The wire form of a moment given in microseconds since 1970. */
export function fromMicroseconds(microseconds: number): Timestamp {
  const whole = Math.floor(microseconds / 1_000_000);
  const fraction = microseconds - whole * 1_000_000;
  const text = new Date(whole * 1000).toISOString().slice(0, 19);
  return fraction === 0 ? `${text}Z` : `${text}.${String(fraction).padStart(6, '0')}Z`;
}

/** What `fromMicroseconds` prints; nearly every moment arrives like that. */
const WIRE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(?!000000)\d{6})?Z$/;

/** The wire form of an ISO 8601 text, or undefined where it is none. */
export function normalizeTimestamp(text: string): Timestamp | undefined {
  const microseconds = parseTimestamp(text);
  if (microseconds === undefined) return undefined;
  return WIRE.test(text) ? text : fromMicroseconds(microseconds);
}

/** Now, in microseconds. */
export function now(): Timestamp {
  return fromMicroseconds(nowMicroseconds());
}

/** The monotonic clock stands still while the machine sleeps, and knows nothing of a wall clock that is set. */
const MAXIMUM_DRIFT_MS = 50;
let origin = performance.timeOrigin;

/** Now in microseconds since 1970: the wall clock, with the finer steps of the monotonic one between its milliseconds. */
export function nowMicroseconds(): number {
  const elapsed = performance.now();
  const wall = Date.now();
  if (Math.abs(origin + elapsed - wall) > MAXIMUM_DRIFT_MS) origin = wall - elapsed;
  return Math.round((origin + elapsed) * 1000);
}

/** The timestamp moved by a number of seconds (may be fractional or negative). */
export function addSeconds(timestamp: Timestamp, seconds: number): Timestamp {
  return fromMicroseconds(toMicroseconds(timestamp) + Math.round(seconds * 1_000_000));
}

/** Seconds from `earlier` to `later`, exact to the microsecond. */
export function secondsBetween(earlier: Timestamp, later: Timestamp): number {
  return (toMicroseconds(later) - toMicroseconds(earlier)) / 1_000_000;
}

/**
 * The wire form of what Postgres prints for a timestamptz in a UTC session (`2026-11-21 08:10:29.15797+00`),
 * and of what it prints inside its own JSON (`2026-11-21T08:10:29.15797+00:00`).
 */
export function fromPostgres(text: string): Timestamp {
  const end = text.indexOf('+', 19);
  const fraction = text.slice(20, end === -1 ? undefined : end);
  const date = text.charCodeAt(10) === 84 ? text.slice(0, 19) : `${text.slice(0, 10)}T${text.slice(11, 19)}`;
  return fraction === '' ? `${date}Z` : `${date}.${fraction.padEnd(6, '0')}Z`;
}
