import { Arguments } from './arguments.ts';
import { checkItems, checkTextLength, spendItems, spendSearch, spendText } from './budget.ts';
import { joinTexts, print } from './printing.ts';
import { formatBraces } from './brace-format.ts';
import { Callable, Dictionary, Markup, Thing, Tuple, Undefined, type Value, areEqual, charactersOf, either, isText, iterate, raise, textOf, typeName } from './values.ts';

/* The methods of texts, lists and dictionaries that a template may call: none of them changes anything. */

type Method<T> = readonly [parameters: readonly string[], work: (self: T, given: Arguments) => Value];
type Methods<T> = Readonly<Record<string, Method<T>>>;

const method = <T>(parameters: readonly string[], work: (self: T, given: Arguments) => Value): Method<T> => [parameters, work];

const titleCase = (text: string): string => text.replaceAll(/\p{L}+/gu, (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());
export const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase();

/** Removes characters of a set, or white space, from one end or both. */
export function strip(text: string, characters: string | undefined, ends: 'both' | 'start' | 'end' = 'both'): string {
  const set = characters === undefined ? undefined : new Set(characters);
  const isStripped = (character: string) => set?.has(character) ?? /\s/.test(character);
  let [start, end] = [0, text.length];
  if (ends !== 'end') while (start < end && isStripped(text.charAt(start))) start += 1;
  if (ends !== 'start') while (end > start && isStripped(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** Cuts at a separator, or at white space; `limit` cuts at most, from the start or the end. */
function split(text: string, separator: string | undefined, limit: number, fromEnd: boolean): string[] {
  if (separator === '') return raise('ValueError', 'empty separator');
  const glue = separator ?? ' ';
  spendSearch(text, glue);
  const parts = separator === undefined ? text.split(/\s+/).filter((part) => part !== '') : text.split(separator);
  checkItems(parts.length);
  if (limit < 0 || parts.length <= limit + 1) return parts;
  return fromEnd ? [parts.slice(0, parts.length - limit).join(glue), ...parts.slice(parts.length - limit)] : [...parts.slice(0, limit), parts.slice(limit).join(glue)];
}

const pad = (text: string, given: Arguments, work: (width: number, fill: string) => string): string => {
  const width = checkTextLength(given.integer('width'));
  const fill = given.text('fillchar', ' ');
  return fill.length === 1 ? work(width, fill) : raise('TypeError', 'The fill character must be exactly one character long');
};

export function center(text: string, width: number, fill = ' '): string {
  const missing = Math.max(0, checkTextLength(width) - text.length);
  // Python puts the odd space to the left where the width is odd.
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return fill.repeat(left) + text + fill.repeat(missing - left);
}

/** How often a part stands in a text. */
export function count(text: string, part: string): number {
  spendSearch(text, part);
  return part === '' ? text.length + 1 : text.split(part).length - 1;
}

/** Whether one of the affixes, a text or a tuple of them, passes. */
function someAffix(given: Arguments, passes: (affix: string) => boolean): boolean {
  const affix = given.get('affix');
  const affixes = affix instanceof Tuple ? affix.items.map(print) : [given.text('affix')];
  return affixes.some((each) => {
    spendText(each.length);
    return passes(each);
  });
}

function replace(text: string, from: string, to: string, limit: number): string {
  spendSearch(text, from);
  const parts = from === '' ? ['', ...charactersOf(text), ''] : text.split(from);
  const replaced = limit < 0 ? parts.length - 1 : Math.min(limit, parts.length - 1);
  checkTextLength(text.length + replaced * to.length);
  return parts.slice(0, replaced + 1).join(to) + (replaced + 1 < parts.length ? from + parts.slice(replaced + 1).join(from) : '');
}

/** The first place of a part in a text, or the last one. */
function search(text: string, part: string, isLast = false): number {
  spendSearch(text, part);
  return isLast ? text.lastIndexOf(part) : text.indexOf(part);
}

function partition(text: string, separator: string, at: number, fallback: readonly [string, string, string]): Tuple {
  return new Tuple(at < 0 ? fallback : [text.slice(0, at), separator, text.slice(at + separator.length)]);
}

const every = (pattern: RegExp) => method<string>([], (text) => pattern.test(text));

const TEXT_METHODS: Methods<string> = {
  upper: method([], (text) => text.toUpperCase()),
  lower: method([], (text) => text.toLowerCase()),
  casefold: method([], (text) => text.toLowerCase()),
  title: method([], titleCase),
  capitalize: method([], capitalize),
  swapcase: method([], (text) => text.replaceAll(/\p{L}/gu, (letter) => (letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()))),
  strip: method(['chars'], (text, given) => strip(text, given.optionalText('chars'))),
  lstrip: method(['chars'], (text, given) => strip(text, given.optionalText('chars'), 'start')),
  rstrip: method(['chars'], (text, given) => strip(text, given.optionalText('chars'), 'end')),
  startswith: method(['affix'], (text, given) => someAffix(given, (affix) => text.startsWith(affix))),
  endswith: method(['affix'], (text, given) => someAffix(given, (affix) => text.endsWith(affix))),
  removeprefix: method(['affix'], (text, given) => (text.startsWith(given.text('affix')) ? text.slice(given.text('affix').length) : text)),
  removesuffix: method(['affix'], (text, given) => (given.text('affix') !== '' && text.endsWith(given.text('affix')) ? text.slice(0, -given.text('affix').length) : text)),
  replace: method(['old', 'new', 'count'], (text, given) => replace(text, given.text('old'), given.text('new'), given.integer('count', -1))),
  split: method(['sep', 'maxsplit'], (text, given) => split(text, given.optionalText('sep'), given.integer('maxsplit', -1), false)),
  rsplit: method(['sep', 'maxsplit'], (text, given) => split(text, given.optionalText('sep'), given.integer('maxsplit', -1), true)),
  splitlines: method([], (text) => text.replace(/\r?\n$/, '').split(/\r\n|\r|\n/)),
  partition: method(['sep'], (text, given) => partition(text, given.text('sep'), search(text, given.text('sep')), [text, '', ''])),
  rpartition: method(['sep'], (text, given) => partition(text, given.text('sep'), search(text, given.text('sep'), true), ['', '', text])),
  join: method(['iterable'], (text, given) => {
    const parts = iterate(given.get('iterable')).map((item) => (isText(item) ? textOf(item) : raise('TypeError', `expected str instance, ${typeName(item)} found`)));
    return joinTexts(parts, text);
  }),
  find: method(['sub'], (text, given) => BigInt(search(text, given.text('sub')))),
  rfind: method(['sub'], (text, given) => BigInt(search(text, given.text('sub'), true))),
  index: method(['sub'], (text, given) => {
    const index = search(text, given.text('sub'));
    return index < 0 ? raise('ValueError', 'substring not found') : BigInt(index);
  }),
  count: method(['sub'], (text, given) => BigInt(count(text, given.text('sub')))),
  center: method(['width', 'fillchar'], (text, given) => pad(text, given, (width, fill) => center(text, width, fill))),
  ljust: method(['width', 'fillchar'], (text, given) => pad(text, given, (width, fill) => text.padEnd(width, fill))),
  rjust: method(['width', 'fillchar'], (text, given) => pad(text, given, (width, fill) => text.padStart(width, fill))),
  zfill: method(['width'], (text, given) => {
    const sign = /^[-+]/.exec(text)?.[0] ?? '';
    return sign + text.slice(sign.length).padStart(checkTextLength(given.integer('width')) - sign.length, '0');
  }),
  isdigit: every(/^\p{Nd}+$/u),
  isdecimal: every(/^\p{Nd}+$/u),
  isnumeric: every(/^\p{N}+$/u),
  isalpha: every(/^\p{L}+$/u),
  isalnum: every(/^[\p{L}\p{N}]+$/u),
  isspace: every(/^\s+$/),
  isupper: method([], (text) => text !== text.toLowerCase() && text === text.toUpperCase()),
  islower: method([], (text) => text !== text.toUpperCase() && text === text.toLowerCase()),
};

const LIST_METHODS: Methods<readonly Value[]> = {
  index: method(['value'], (items, given) => {
    const index = items.findIndex((item) => areEqual(item, given.get('value')));
    return index < 0 ? raise('ValueError', 'value is not in list') : BigInt(index);
  }),
  count: method(['value'], (items, given) => BigInt(items.filter((item) => areEqual(item, given.get('value'))).length)),
  copy: method([], (items) => [...items]),
};

const DICTIONARY_METHODS: Methods<Dictionary> = {
  get: method(['key', 'default'], (dictionary, given) => either(dictionary.get(given.get('key')), either(given.find('default'), null))),
  items: method([], (dictionary) => dictionary.entries().map((entry) => new Tuple(entry))),
  keys: method([], (dictionary) => dictionary.entries().map(([key]) => key)),
  values: method([], (dictionary) => dictionary.entries().map(([, value]) => value)),
  copy: method([], (dictionary) => dictionary),
};

function bind<T>(methods: Methods<T>, name: string, self: T): Callable | undefined {
  const found = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (found === undefined) return undefined;
  const [parameters, work] = found;
  return new Callable(name, (given, keywords) => work(self, new Arguments(name, parameters, given, keywords)));
}

/** A method of a value, bound to it; undefined where it has none of this name. */
export function findMethod(value: Value, name: string): Callable | undefined {
  if (isText(value)) {
    const text = textOf(value);
    if (name === 'format') return new Callable(name, (given, keywords) => formatBraces(text, given, keywords));
    const bound = bind(TEXT_METHODS, name, text);
    if (bound === undefined || !(value instanceof Markup)) return bound;
    return new Callable(name, (given, keywords) => {
      const made = bound.call(given, keywords);
      return typeof made === 'string' ? new Markup(made) : made;
    });
  }
  if (Array.isArray(value)) return bind(LIST_METHODS, name, value);
  if (value instanceof Tuple) return bind(LIST_METHODS, name, value.items);
  return value instanceof Dictionary ? bind(DICTIONARY_METHODS, name, value) : undefined;
}

/** What `value.name` is, or `value[key]`: an attribute counts first, or the item. An unknown one is undefined. */
export function getAttribute(value: Value, name: string): Value {
  if (value instanceof Undefined) return value;
  const own = findAttribute(value, name);
  return own instanceof Undefined ? either(itemOf(value, name), own) : own;
}

/** An attribute or method, without looking for an item of the name. What begins with an underscore is nobody's business. */
export function findAttribute(value: Value, name: string): Value {
  if (value instanceof Undefined) return value;
  const found = name.startsWith('_') ? undefined : isThing(value) ? attributeOf(value, name) : findMethod(value, name);
  return either(found, new Undefined(`'${typeName(value)} object' has no attribute '${name}'`));
}

export function getItem(value: Value, key: Value): Value {
  if (value instanceof Undefined) return value;
  const item = itemOf(value, key);
  if (item !== undefined) return item;
  const attribute = isText(key) ? findAttribute(value, textOf(key)) : undefined;
  return attribute === undefined || attribute instanceof Undefined ? new Undefined(`'${typeName(value)} object' has no element ${print(key)}`) : attribute;
}

/** A thing that is a text has the methods of one. */
function attributeOf(thing: Thing, name: string): Value | undefined {
  const attribute = thing.attribute(name);
  const text = thing.text();
  return attribute === undefined && text !== undefined ? findMethod(text, name) : attribute;
}

function isThing(value: Value): value is Thing {
  return value instanceof Thing;
}

function itemOf(value: Value, key: Value): Value | undefined {
  if (value instanceof Dictionary) return isHashable(key) ? value.get(key) : undefined;
  if (isThing(value)) return value.item(key);
  if (typeof key !== 'bigint' && typeof key !== 'boolean') return undefined;
  return indexable(value)?.at(Number(key));
}

/** What has items by number: characters of a text too. */
function indexable(value: Value): readonly Value[] | undefined {
  if (isText(value)) return charactersOf(value);
  if (Array.isArray(value)) return value;
  return value instanceof Tuple ? value.items : undefined;
}

const isHashable = (key: Value): boolean => !Array.isArray(key) && !(key instanceof Dictionary) && !(key instanceof Undefined);

/** Python's slices. Throws TemplateError for what has none. */
export function slice(value: Value, bounds: readonly (Value | null)[]): Value {
  if (value instanceof Undefined) return value;
  const [start, stop, step = null] = bounds.map((bound) => (bound === null ? null : typeof bound === 'bigint' ? Number(bound) : raise('TypeError', 'slice indices must be integers or None')));
  const stride = step ?? 1;
  if (stride === 0) return raise('ValueError', 'slice step cannot be zero');
  const items = indexable(value);
  if (items === undefined) return new Undefined(`'${typeName(value)} object' cannot be sliced`);
  const { length } = items;
  const clamp = (index: number, low: number, high: number) => Math.min(Math.max(index < 0 ? index + length : index, low), high);
  const first = start == null ? (stride > 0 ? 0 : length - 1) : stride > 0 ? clamp(start, 0, length) : clamp(start, -1, length - 1);
  const last = stop == null ? (stride > 0 ? length : -1) : stride > 0 ? clamp(stop, 0, length) : clamp(stop, -1, length - 1);
  const chosen: Value[] = [];
  for (let index = first; stride > 0 ? index < last : index > last; index += stride) chosen.push(items[index] ?? null);
  spendItems(chosen.length);
  if (isText(value)) return value instanceof Markup ? new Markup(chosen.join('')) : chosen.join('');
  return Array.isArray(value) ? chosen : new Tuple(chosen);
}
