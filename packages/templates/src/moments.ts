import { fromMicroseconds, toMicroseconds } from '@praetor/schema/timestamps';
import { spend } from './budget.ts';
import { Callable, Thing, type Value, isNumber, isText, raise, textOf } from './values.ts';

/* Moments and durations, as Python's datetime and timedelta show them. */

const DAY = 86_400_000_000;
const SECOND = 1_000_000;

const pad = (value: number, length = 2): string => String(value).padStart(length, '0');

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** Months by their number from 0, days of the week by theirs from Sunday. */
export const monthName = (date: Date): string => MONTHS[date.getUTCMonth()] ?? '';
const dayName = (date: Date): string => DAYS[date.getUTCDay()] ?? '';

const DIRECTIVES: Readonly<Record<string, (date: Date, microseconds: number) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  y: (date) => pad(date.getUTCFullYear() % 100),
  m: (date) => pad(date.getUTCMonth() + 1),
  d: (date) => pad(date.getUTCDate()),
  e: (date) => String(date.getUTCDate()).padStart(2),
  H: (date) => pad(date.getUTCHours()),
  I: (date) => pad(date.getUTCHours() % 12 || 12),
  M: (date) => pad(date.getUTCMinutes()),
  S: (date) => pad(date.getUTCSeconds()),
  f: (_date, microseconds) => pad(microseconds, 6),
  j: (date) => pad(Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1, 3),
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  a: (date) => dayName(date).slice(0, 3),
  A: dayName,
  b: (date) => monthName(date).slice(0, 3),
  B: monthName,
  w: (date) => String(date.getUTCDay()),
  u: (date) => String(date.getUTCDay() || 7),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  z: () => '+0000',
  Z: () => 'UTC',
  F: (date) => date.toISOString().slice(0, 10),
  T: (date) => date.toISOString().slice(11, 19),
  '%': () => '%',
};

export class Moment extends Thing {
  readonly type = 'DateTime';
  readonly microseconds: number;
  constructor(microseconds: number) {
    super();
    this.microseconds = microseconds;
  }

  get date(): Date {
    return new Date(Math.floor(this.microseconds / 1000));
  }

  get #fraction(): number {
    return ((this.microseconds % SECOND) + SECOND) % SECOND;
  }

  /** `-d` is `d` without zeros in front. */
  format(pattern: string): string {
    return pattern.replaceAll(/%(-?)([\s\S])/g, (whole, dash: string, letter: string) => {
      spend();
      const text = Object.hasOwn(DIRECTIVES, letter) ? DIRECTIVES[letter]?.(this.date, this.#fraction) : undefined;
      return text === undefined ? whole : dash === '' ? text : text.replace(/^[0 ]+(?=.)/, '');
    });
  }

  #iso(separator: string): string {
    const time = this.date.toISOString();
    return `${time.slice(0, 10)}${separator}${time.slice(11, 19)}${this.#fraction === 0 ? '' : `.${pad(this.#fraction, 6)}`}+00:00`;
  }

  override attribute(name: string): Value | undefined {
    const method = (work: (given: readonly Value[]) => Value) => new Callable(name, work);
    const { date } = this;
    switch (name) {
      case 'year':
        return BigInt(date.getUTCFullYear());
      case 'month':
        return BigInt(date.getUTCMonth() + 1);
      case 'day':
        return BigInt(date.getUTCDate());
      case 'hour':
        return BigInt(date.getUTCHours());
      case 'minute':
        return BigInt(date.getUTCMinutes());
      case 'second':
        return BigInt(date.getUTCSeconds());
      case 'microsecond':
        return BigInt(this.#fraction);
      case 'strftime':
        return method(([pattern = '']) => this.format(isText(pattern) ? textOf(pattern) : raise('TypeError', 'strftime() takes a text')));
      case 'isoformat':
        return method(([separator = 'T']) => this.#iso(isText(separator) ? textOf(separator) : 'T'));
      case 'timestamp':
        return method(() => this.microseconds / SECOND);
      case 'date':
        return method(() => date.toISOString().slice(0, 10));
      case 'time':
        return method(() => this.#iso(' ').slice(11).replace('+00:00', ''));
      case 'weekday':
        return method(() => BigInt((date.getUTCDay() + 6) % 7));
      case 'isoweekday':
        return method(() => BigInt(date.getUTCDay() || 7));
      default:
        return undefined;
    }
  }

  override calculate(operator: string, other: Value, isRight: boolean): Value | undefined {
    if (other instanceof Moment) return operator === '-' ? new Duration((isRight ? -1 : 1) * (this.microseconds - other.microseconds)) : undefined;
    if (!(other instanceof Duration)) return undefined;
    if (operator === '+') return new Moment(this.microseconds + other.microseconds);
    return operator === '-' && !isRight ? new Moment(this.microseconds - other.microseconds) : undefined;
  }

  print(): string {
    return this.#iso(' ');
  }

  /** Prefect fails where a bare moment becomes JSON; here its wire form does. */
  override toPlain(): Value {
    return fromMicroseconds(this.microseconds);
  }

  override order(): number {
    return this.microseconds;
  }
}

export class Duration extends Thing {
  readonly type = 'timedelta';
  readonly microseconds: number;
  constructor(microseconds: number) {
    super();
    this.microseconds = Math.round(microseconds);
  }

  override attribute(name: string): Value | undefined {
    const days = Math.floor(this.microseconds / DAY);
    const rest = this.microseconds - days * DAY;
    switch (name) {
      case 'days':
        return BigInt(days);
      case 'seconds':
        return BigInt(Math.floor(rest / SECOND));
      case 'microseconds':
        return BigInt(rest % SECOND);
      case 'total_seconds':
        return new Callable(name, () => this.microseconds / SECOND);
      default:
        return undefined;
    }
  }

  override calculate(operator: string, other: Value, isRight: boolean): Value | undefined {
    if (other instanceof Duration) {
      if (operator === '+') return new Duration(this.microseconds + other.microseconds);
      if (operator === '-') return new Duration((isRight ? -1 : 1) * (this.microseconds - other.microseconds));
      return operator === '/' && other.microseconds !== 0 ? this.microseconds / other.microseconds : undefined;
    }
    if (!isNumber(other)) return undefined;
    if (operator === '*') return new Duration(this.microseconds * Number(other));
    return operator === '/' && !isRight && Number(other) !== 0 ? new Duration(this.microseconds / Number(other)) : undefined;
  }

  print(): string {
    const days = Math.floor(this.microseconds / DAY);
    const rest = this.microseconds - days * DAY;
    const [seconds, fraction] = [Math.floor(rest / SECOND), rest % SECOND];
    const clock = `${Math.floor(seconds / 3600)}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}${fraction === 0 ? '' : `.${pad(fraction, 6)}`}`;
    return days === 0 ? clock : `${days} day${Math.abs(days) === 1 ? '' : 's'}, ${clock}`;
  }

  override toPlain(): Value {
    return this.microseconds / SECOND;
  }

  override order(): number {
    return this.microseconds;
  }
}

/** The moment of a wire timestamp. */
export function parseMoment(text: string): Moment {
  return new Moment(toMicroseconds(text));
}
