/*
 * The grammar of cron as Prefect takes it (facts/rules.md §9): five fields, a sixth for seconds, a seventh for years;
 * names of months and weekdays, steps, ranges that wrap around, `L`, `L5`, `MON#2`, `?`, `R(0-29)`, `@daily` and its kin.
 * packages/schedules finds the dates.
 */

export interface Cron {
  /** Ascending, as minutes and hours. */
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** Undefined where the field leaves every day of the month open. */
  readonly daysOfMonth: ReadonlySet<number | 'last'> | undefined;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday; undefined where the field leaves every weekday open. */
  readonly weekdays: ReadonlySet<number> | undefined;
  /** Which of the month's occurrences of a weekday are meant; where there are any, `weekdays` says no more. */
  readonly nthWeekdays: ReadonlyMap<number, ReadonlySet<number | 'last'>>;
  /** Undefined: every year. */
  readonly years: ReadonlySet<number> | undefined;
}

const ALIASES: Readonly<Record<string, string>> = {
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

const numbered = (names: string, first: number) => new Map(names.split(' ').map((name, index) => [name, first + index]));

interface Field {
  readonly low: number;
  readonly high: number;
  readonly names: ReadonlyMap<string, number>;
}

const field = (low: number, high: number, names: Field['names'] = new Map()): Field => ({ low, high, names });
const MINUTE = field(0, 59);
const HOUR = field(0, 23);
const DAY = field(1, 31);
const MONTH = field(1, 12, numbered('jan feb mar apr may jun jul aug sep oct nov dec', 1));
const WEEKDAY = field(0, 6, numbered('sun mon tue wed thu fri sat', 0));
const SECOND = field(0, 59);
const YEAR = field(1970, 2099);

const RANDOM = /^([hr])(?:\((\d+)-(\d+)\))?(?:\/(\d+))?$/;
const NTH_WEEKDAY = /^(?:(\w+|[a-z]{3}-[a-z]{3})#|l)(\d+)$/;
const RANGE = /^([^-]+)-([^-/]+)(?:\/(\d+))?$/;

function fail(text: string): never {
  throw new SyntaxError(`"${text}" is not valid in a cron expression`);
}

/** A number between both bounds, the same one for the same expression: each look at the schedule must see the same dates. */
function pick(expression: string, begin: number, end: number): number {
  let hash = 0;
  for (const character of expression) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return begin + (hash % (end - begin + 1));
}

/** `R(0-29)`, `R/15`, `R(0-29)/10`: one number, or a step from one. Prefect refuses the bare `R` and every `H`. */
function resolveRandom(text: string, { low, high }: Field, expression: string): string {
  const match = RANDOM.exec(text);
  if (!match) return text;
  const [, kind, begin, end, step] = match;
  if (kind === 'h' || (begin === undefined && step === undefined) || Number(step) === 0 || (begin !== undefined && Number(begin) >= Number(end))) fail(text);
  const first = Number(begin ?? low);
  if (step === undefined) return String(pick(expression, first, Number(end)));
  return `${pick(expression, first, first + Number(step) - 1)}-${end ?? high}/${step}`;
}

/** The numbers of a range. One that ends before it begins goes around; equal ends mean the whole cycle. */
function expandRange(from: number, to: number, step: number, { low, high }: Field): number[] {
  const numbers: number[] = [];
  const count = (first: number, last: number): void => {
    for (let number = first; number <= last; number += step) numbers.push(number);
  };
  if (from === to) count(low, high);
  else if (from < to) count(from, to);
  else {
    count(from, high);
    const last = numbers.at(-1) ?? from;
    // Where a step crosses the end of the cycle, croniter, hence Prefect, goes on one later than counting would.
    count(last + step > high + 1 && high - last < step ? low + step - (high - last) : low, to);
  }
  return numbers;
}

class FieldValues {
  readonly numbers = new Set<number>();
  readonly nth = new Map<number, Set<number | 'last'>>();
  every = false;
  last = false;
  readonly #field: Field;
  /** 7 is Sunday and day 0 the first only in expressions of some lengths. */
  readonly #synonyms: ReadonlyMap<number, number>;

  constructor(text: string, field: Field, fieldCount: number) {
    this.#field = field;
    this.#synonyms = new Map(field === WEEKDAY && fieldCount === 5 ? [[7, 0]] : field === DAY && fieldCount === 6 ? [[0, 1]] : []);
    if (text === '?' && (field === DAY || field === WEEKDAY)) this.every = true;
    else for (const item of text.split(',')) this.#readItem(item);
  }

  /** True where the list names everything that the field can hold. */
  isComplete(): boolean {
    return this.numbers.size + Number(this.last) === this.#field.high - this.#field.low + 1;
  }

  sorted(): number[] {
    const { low, high } = this.#field;
    return this.every ? Array.from({ length: high - low + 1 }, (_, index) => low + index) : [...this.numbers].sort((a, b) => a - b);
  }

  #readItem(item: string): void {
    const special = this.#field === WEEKDAY ? NTH_WEEKDAY.exec(item) : null;
    if (!special) return this.#readNumbers(item);
    const [, weekdays, number = ''] = special;
    if (weekdays === undefined) return this.#readNumbers(number, 'last');
    const nth = Number(number);
    if (nth < 1 || nth > 5) fail(item);
    this.#readNumbers(weekdays, nth);
  }

  #readNumbers(item: string, nth?: number | 'last'): void {
    const { low, high } = this.#field;
    const range = RANGE.exec(item.replace(/^\*\//, `${low}-${high}/`)) ?? RANGE.exec(item.replace(/^(.+)\/(.+)$/, `$1-${high}/$2`));
    if (range) {
      const [, from = '', to = '', step = '1'] = range;
      const first = this.#toNumber(from);
      const last = this.#field === DAY && to === 'l' ? 31 : this.#toNumber(to);
      if (Number(step) === 0 || Math.max(first, last) > high) fail(item);
      for (const number of expandRange(first, last, Number(step), this.#field)) this.#add(number, nth);
    } else if (item === '*') this.every = true;
    else if (item === 'l' && this.#field === DAY) this.last = true;
    else this.#add(this.#toNumber(item), nth);
  }

  #toNumber(text: string): number {
    const number = /^\d+$/.test(text) ? Number(text) : (this.#field.names.get(text) ?? fail(text));
    return this.#synonyms.get(number) ?? number;
  }

  #add(number: number, nth: number | 'last' | undefined): void {
    if (number < this.#field.low || number > this.#field.high) fail(String(number));
    this.numbers.add(number);
    if (nth !== undefined) this.nth.set(number, (this.nth.get(number) ?? new Set()).add(nth));
  }
}

/** Reads a cron expression. Throws SyntaxError where Prefect refuses it. */
export function parseCron(expression: string): Cron {
  const lower = expression.toLowerCase();
  const fields = (ALIASES[lower] ?? lower).trim().split(/\s+/);
  if (fields.length < 5 || fields.length > 7) throw new SyntaxError('a cron expression has 5, 6 or 7 fields');
  const read = (index: number, field: Field): FieldValues =>
    new FieldValues(resolveRandom(fields[index] ?? '', field, expression), field, fields.length);

  const day = read(2, DAY);
  const weekday = read(4, WEEKDAY);
  if (weekday.nth.size > 0 && !weekday.isComplete() && [...weekday.numbers].some((number) => !weekday.nth.has(number)))
    throw new SyntaxError('weekdays with and without # cannot be mixed');
  // A complete list counts as `*` unless the other day field is a true restriction: then the two are a union.
  const isOpen = (values: FieldValues, other: string | undefined): boolean => values.every || (values.isComplete() && other?.includes('*') === true);

  const year = fields.length === 7 ? read(6, YEAR) : undefined;
  return {
    seconds: fields.length > 5 ? read(5, SECOND).sorted() : [0],
    minutes: read(0, MINUTE).sorted(),
    hours: read(1, HOUR).sorted(),
    daysOfMonth: isOpen(day, fields[4]) ? undefined : new Set<number | 'last'>([...day.numbers, ...(day.last ? ['last' as const] : [])]),
    months: new Set(read(3, MONTH).sorted()),
    weekdays: isOpen(weekday, fields[2]) ? undefined : weekday.numbers,
    nthWeekdays: weekday.nth,
    years: year === undefined || year.every ? undefined : year.numbers,
  };
}
