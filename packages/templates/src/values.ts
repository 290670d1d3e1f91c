import { isRawJson } from '@praetor/schema/json';
import { spendItems, spendText } from './budget.ts';
import { TemplateError } from './errors.ts';

/*
 * The values of a template. They are Python's, told apart as Python does: an int is a bigint, a float a number, a str a
 * string, a list an array, None null. A template reaches nothing else: no object of JavaScript's own is ever a value.
 */

export type Value = string | bigint | number | boolean | null | Value[] | Undefined | Markup | Tuple | Dictionary | Callable | Thing;

/** A value, or another where there is none; None is one. */
export const either = (value: Value | undefined, fallback: Value): Value => (value === undefined ? fallback : value);

export type Keywords = ReadonlyMap<string, Value>;

export const raise = (kind: string, message: string): never => {
  throw new TemplateError(kind, message);
};

/** A name, attribute or key that is not there. It prints as nothing and may be asked for more of the same, but not be called or counted with. */
export class Undefined {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
  fail(): never {
    return raise('UndefinedError', this.message);
  }
}

/** Text that is escaped already. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export class Tuple {
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

/** What makes two values the same key: `1`, `1.0` and `True` are. */
function hash(key: Value): string {
  spendItems(1);
  if (key instanceof Markup) return hash(key.text);
  if (key instanceof Tuple) {
    const parts = key.items.map(hash);
    // Lengths part them, as quoting what is quoted already would double its size at each depth.
    const joined = parts.map((part) => `${part.length}:${part}`).join('');
    spendText(joined.length);
    return `t${joined}`;
  }
  if (key instanceof Thing) return `s${key.text() ?? key.print()}`;
  switch (typeof key) {
    case 'string':
      spendText(key.length);
      return `s${key}`;
    case 'bigint':
    case 'number':
      return `n${key}`;
    case 'boolean':
      return `n${Number(key)}`;
    default:
      if (key === null) return '0';
      if (key instanceof Undefined) return 'u';
      return raise('TypeError', `unhashable type: '${typeName(key)}'`);
  }
}

export class Dictionary {
  readonly #entries = new Map<string, readonly [Value, Value]>();
  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value);
  }
  /** A key that is there already stays as it is. */
  set(key: Value, value: Value): void {
    const hashed = hash(key);
    this.#entries.set(hashed, [this.#entries.get(hashed)?.[0] ?? key, value]);
  }
  get(key: Value): Value | undefined {
    return this.#entries.get(hash(key))?.[1];
  }
  get size(): number {
    return this.#entries.size;
  }
  entries(): (readonly [Value, Value])[] {
    spendItems(this.#entries.size);
    return [...this.#entries.values()];
  }
}

/** A function, method or macro. */
export class Callable {
  readonly call: (given: readonly Value[], keywords: Keywords) => Value;
  readonly name: string;
  constructor(name: string, call: (given: readonly Value[], keywords: Keywords) => Value) {
    this.name = name;
    this.call = call;
  }
}

/** Anything else that a template may hold: it alone says what of it can be seen. */
export abstract class Thing {
  abstract readonly type: string;
  /** An attribute (`a.name`); undefined where there is none. */
  attribute(_name: string): Value | undefined {
    return undefined;
  }
  /** An item (`a[key]`); undefined where there is none. */
  item(_key: Value): Value | undefined {
    return undefined;
  }
  /** Gives a value to an attribute. */
  assign(_name: string, _value: Value): void {
    raise('TypeError', `cannot assign to an attribute of ${this.type}`);
  }
  /** Calls it as a function; undefined where it is none. */
  invoke(_given: readonly Value[], _keywords: Keywords): Value | undefined {
    return undefined;
  }
  abstract print(): string;
  /** The text that it is, where it is one in all but its print. */
  text(): string | undefined {
    return undefined;
  }
  /** What there is to iterate over; undefined where nothing is. */
  iterate(): readonly Value[] | undefined {
    return undefined;
  }
  /** What `tojson` makes of it. */
  toPlain(): Value {
    return raise('TypeError', `Object of type ${this.type} is not JSON serializable`);
  }
  /** Adding to and subtracting from it; undefined where that makes no sense. */
  calculate(_operator: string, _other: Value, _isRight: boolean): Value | undefined {
    return undefined;
  }
  /** A number to compare it by with others of its type. */
  order(): number | undefined {
    return undefined;
  }
}

/** JSON as values; only an object's own keys count. */
export function fromJson(json: unknown): Value {
  if (Array.isArray(json)) return json.map(fromJson);
  if (isRawJson(json)) return /[.eE]/.test(json.rawJSON) ? Number(json.rawJSON) : BigInt(json.rawJSON);
  switch (typeof json) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return json;
    case 'number':
      return Number.isInteger(json) ? BigInt(json) : json;
    case 'object':
      if (json === null) return null;
      if (json instanceof Thing || json instanceof Dictionary || json instanceof Tuple || json instanceof Markup || json instanceof Callable || json instanceof Undefined) return json;
      return new Dictionary(Object.entries(json).flatMap(([key, value]) => (value === undefined ? [] : [[key, fromJson(value)] as const])));
    default:
      return null;
  }
}

export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Markup) return 'Markup';
  if (value instanceof Tuple) return 'tuple';
  if (value instanceof Dictionary) return 'dict';
  if (value instanceof Callable) return 'function';
  if (value instanceof Thing) return value.type;
  return { string: 'str', bigint: 'int', number: 'float', boolean: 'bool' }[typeof value as 'string' | 'bigint' | 'number' | 'boolean'];
}

export const isText = (value: Value): value is string | Markup => typeof value === 'string' || value instanceof Markup;

export const textOf = (value: string | Markup): string => (value instanceof Markup ? value.text : value);

export const isNumber = (value: Value): value is bigint | number | boolean => typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean';

export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (isText(value)) return textOf(value) !== '';
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Tuple) return value.items.length > 0;
  if (value instanceof Dictionary) return value.size > 0;
  if (value instanceof Thing) return (value.iterate()?.length ?? 1) > 0;
  return Boolean(value);
}

/** By code points, as Python counts. */
export function charactersOf(value: string | Markup): string[] {
  const text = textOf(value);
  spendText(text.length);
  return Array.from(text);
}

/** What a loop goes over. Throws TemplateError where there is nothing to go over. */
export function iterate(value: Value): readonly Value[] {
  if (value instanceof Undefined) return [];
  if (Array.isArray(value)) return value;
  if (value instanceof Tuple) return value.items;
  if (value instanceof Dictionary) return value.entries().map(([key]) => key);
  if (isText(value)) return charactersOf(value);
  const items = value instanceof Thing ? value.iterate() : undefined;
  return items ?? raise('TypeError', `'${typeName(value)}' object is not iterable`);
}

export function areEqual(one: Value, other: Value): boolean {
  spendItems(1);
  if (isNumber(one) && isNumber(other)) {
    // Comparing an int with a float loosely is exact, as in Python.
    const [a, b] = [one, other].map((value) => (typeof value === 'boolean' ? BigInt(value) : value));
    return a == b; // oxlint-disable-line eqeqeq
  }
  if (one instanceof Thing || other instanceof Thing) {
    const [thing, rest] = one instanceof Thing ? [one, other] : [other as Thing, one];
    if (rest instanceof Thing) return thing === rest || (thing.type === rest.type && thing.print() === rest.print());
    return isText(rest) && thing.text() === textOf(rest);
  }
  if (isText(one) && isText(other)) return areEqualTexts(textOf(one), textOf(other));
  if (one instanceof Undefined) return other instanceof Undefined;
  if (one instanceof Dictionary && other instanceof Dictionary)
    return one.size === other.size && one.entries().every(([key, value]) => areEqual(value, either(other.get(key), new Undefined(''))));
  const lists = Array.isArray(one) && Array.isArray(other) ? ([one, other] as const) : one instanceof Tuple && other instanceof Tuple ? ([one.items, other.items] as const) : undefined;
  if (lists !== undefined) return lists[0].length === lists[1].length && lists[0].every((item, index) => areEqual(item, lists[1][index] ?? null));
  return one === other;
}

function areEqualTexts(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  spendText(one.length);
  return one === other;
}

/** Negative, zero or positive. Throws TemplateError for what has no order. */
export function compare(one: Value, other: Value): number {
  spendItems(1);
  if (one instanceof Undefined) one.fail();
  if (other instanceof Undefined) other.fail();
  if (isNumber(one) && isNumber(other)) return one < other ? -1 : one > other ? 1 : 0;
  if (isText(one) && isText(other)) return compareTexts(textOf(one), textOf(other));
  if (one instanceof Thing && other instanceof Thing && one.type === other.type) {
    const [a, b] = [one.order(), other.order()];
    if (a !== undefined && b !== undefined) return a - b;
  }
  const [a, b] = Array.isArray(one) && Array.isArray(other) ? [one, other] : one instanceof Tuple && other instanceof Tuple ? [one.items, other.items] : [];
  if (a === undefined || b === undefined) return raise('TypeError', `'<' not supported between instances of '${typeName(one)}' and '${typeName(other)}'`);
  for (const [index, item] of a.entries()) {
    const counterpart = b[index];
    if (counterpart === undefined) return 1;
    if (!areEqual(item, counterpart)) return compare(item, counterpart);
  }
  return a.length - b.length;
}

/** By code points. */
function compareTexts(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  let index = 0;
  while (index < length && one.charCodeAt(index) === other.charCodeAt(index)) index += 1;
  spendText(index);
  return (one.codePointAt(index) ?? -1) - (other.codePointAt(index) ?? -1);
}
