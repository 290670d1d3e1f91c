import type { Arguments } from '../arguments.ts';
import { checkItems, spend, spendText } from '../budget.ts';
import { findAttribute, getItem } from '../methods.ts';
import { calculate } from '../operators.ts';
import { joinTexts, print } from '../printing.ts';
import { Dictionary, Tuple, Undefined, type Value, areEqual, compare, either, isText, isTrue, iterate, raise, textOf, typeName } from '../values.ts';
import { type Filter, type FilterContext, type Filters, filter, openFilter } from './filter.ts';

/* Jinja's filters over lists and dictionaries. */

const NONE = new Undefined('No item: the sequence was empty.');

/** What is false has no items, even if it is no list. */
const iterateTrue = (input: Value): readonly Value[] => (isTrue(input) ? iterate(input) : []);

/** Reads `a.b.0` of an item; a fallback takes the place of what is not there. */
function reader(attribute: Value | undefined, fallback?: Value): (item: Value) => Value {
  if (attribute === undefined || attribute === null) return (item) => item;
  const path: Value[] = isText(attribute) ? textOf(attribute).split('.').map((part) => (/^\d{1,15}$/.test(part) ? BigInt(part) : part)) : [attribute];
  return (item) =>
    path.reduce<Value>((value, key) => {
      spend();
      const found = getItem(value, key);
      return found instanceof Undefined ? (fallback ?? found) : found;
    }, item);
}

function ignoreCase(value: Value): Value {
  if (!isText(value)) return value;
  const text = textOf(value);
  spendText(text.length);
  return text.toLowerCase();
}

/** What items are compared by: their attribute, and texts without regard to case unless asked. */
function keyOf(given: Arguments): (item: Value) => Value {
  const read = reader(given.find('attribute'));
  return isTrue(given.or('case_sensitive', false)) ? read : (item) => ignoreCase(read(item));
}

function sorted(items: readonly Value[], keys: readonly ((item: Value) => Value)[], isReverse: boolean): Value[] {
  const order = (one: Value, other: Value) => {
    for (const key of keys) {
      const [left, right] = [key(one), key(other)];
      // What is equal needs no order: two things that lack the attribute are.
      if (areEqual(left, right)) continue;
      const result = compare(left, right);
      if (result !== 0) return result;
    }
    return 0;
  };
  return items.toSorted(isReverse ? (one, other) => order(other, one) : order);
}

function sort(input: Value, given: Arguments): Value {
  const attribute = given.find('attribute');
  const attributes = isText(attribute ?? null) ? print(attribute ?? '').split(',') : [attribute];
  const isSensitive = isTrue(given.or('case_sensitive', false));
  const keys = attributes.map((name) => {
    const read = reader(typeof name === 'string' ? name.trim() : name);
    return isSensitive ? read : (item: Value) => ignoreCase(read(item));
  });
  return sorted(iterate(input), keys, isTrue(given.or('reverse', false)));
}

function sortDictionary(input: Value, given: Arguments): Value {
  if (!(input instanceof Dictionary)) return raise('AttributeError', `'${typeName(input)}' object has no attribute 'items'`);
  const by = given.text('by', 'key') === 'value' ? 1 : 0;
  const isSensitive = isTrue(given.or('case_sensitive', false));
  const key = (pair: Value) => (isSensitive ? (iterate(pair)[by] ?? null) : ignoreCase(iterate(pair)[by] ?? null));
  return sorted(input.entries().map((entry) => new Tuple(entry)), [key], isTrue(given.or('reverse', false)));
}

function extreme(sign: 1 | -1): Filter {
  return filter(['case_sensitive', 'attribute'], (input, given) => {
    const key = keyOf(given);
    const [first, ...others] = iterate(input);
    if (first === undefined) return NONE;
    return others.reduce((best, item) => (compare(key(item), key(best)) * sign > 0 ? item : best), first);
  });
}

function unique(input: Value, given: Arguments): Value[] {
  const key = keyOf(given);
  const firsts = new Dictionary();
  for (const item of iterate(input)) {
    const value = key(item);
    if (firsts.get(value) === undefined) firsts.set(value, item);
  }
  return firsts.entries().map(([, item]) => item);
}

function groupBy(input: Value, given: Arguments): Value {
  const read = reader(given.get('attribute'), given.find('default'));
  const key = isTrue(given.or('case_sensitive', false)) ? read : (item: Value) => ignoreCase(read(item));
  const groups: { key: Value; items: Value[] }[] = [];
  for (const item of sorted(iterate(input), [key], false)) {
    const last = groups.at(-1);
    if (last !== undefined && areEqual(key(last.items[0] ?? null), key(item))) last.items.push(item);
    else groups.push({ key: read(item), items: [item] });
  }
  return groups.map((group) => new Tuple([group.key, group.items]));
}

function join(input: Value, given: Arguments): Value {
  const read = reader(given.find('attribute'));
  const texts = iterate(input).map((item) => print(read(item)));
  return joinTexts(texts, print(given.or('d', '')));
}

/** Rows of so many items, the last one filled up. */
function batch(input: Value, given: Arguments): Value {
  const items = iterate(input);
  const size = given.integer('linecount');
  if (size < 1) return raise('ValueError', 'a batch holds at least one item');
  checkItems(size);
  const fill = given.or('fill_with', null);
  const rows: Value[][] = [];
  for (let start = 0; start < items.length; start += size) rows.push(items.slice(start, start + size));
  const last = rows.at(-1);
  if (last !== undefined && fill !== null) while (last.length < size) last.push(fill);
  return rows;
}

/** So many columns of about the same length. */
function columns(input: Value, given: Arguments): Value {
  const items = iterate(input);
  const count = checkItems(given.integer('slices'));
  if (count < 1) return raise('ZeroDivisionError', 'integer division or modulo by zero');
  const fill = given.or('fill_with', null);
  const [length, longer] = [Math.floor(items.length / count), items.length % count];
  let start = 0;
  return Array.from({ length: count }, (_, index) => {
    const end = start + length + (index < longer ? 1 : 0);
    const column = items.slice(start, end);
    start = end;
    return fill !== null && index >= longer ? [...column, fill] : column;
  });
}

/** `select('odd')`, `rejectattr('name', 'equalto', 'x')`: keeps what passes a test, or is true, or the opposite. */
function selection(keeps: boolean, byAttribute: boolean): Filter {
  return openFilter([], (input, given, context) => {
    const [attribute, ...others] = byAttribute ? given.rest : [null, ...given.rest];
    if (byAttribute && attribute === undefined) return raise('FilterArgumentError', 'Missing parameter for attribute name');
    const read = byAttribute ? reader(attribute) : (item: Value) => item;
    const [test, ...testArguments] = others;
    const passes = (item: Value) => (test === undefined ? isTrue(read(item)) : context.applyTest(print(test), read(item), testArguments, given.keywords));
    return iterateTrue(input).filter((item) => passes(item) === keeps);
  });
}

function map(input: Value, given: Arguments, context: FilterContext): Value {
  const attribute = given.keywords.get('attribute');
  if (given.rest.length === 0 && attribute !== undefined) return iterateTrue(input).map(reader(attribute, given.keywords.get('default')));
  const [name, ...others] = given.rest;
  if (name === undefined) return raise('FilterArgumentError', 'map requires a filter argument');
  return iterateTrue(input).map((item) => context.applyFilter(print(name), item, others, given.keywords));
}

function length(input: Value): Value {
  if (input instanceof Dictionary) return BigInt(input.size);
  if (input === null || typeof input === 'number' || typeof input === 'bigint' || typeof input === 'boolean') return raise('TypeError', `object of type '${typeName(input)}' has no len()`);
  return BigInt(iterate(input).length);
}

const fallback = filter(['default_value', 'boolean'], (input, given) =>
  input instanceof Undefined || (isTrue(given.or('boolean', false)) && !isTrue(input)) ? given.or('default_value', '') : input,
);

const lengthFilter = filter([], length);

export const SEQUENCE_FILTERS: Filters = {
  default: fallback,
  d: fallback,
  length: lengthFilter,
  count: lengthFilter,
  list: filter([], (input) => [...iterate(input)]),
  items: filter([], (input) => {
    if (input instanceof Undefined) return [];
    return input instanceof Dictionary ? input.entries().map((entry) => new Tuple(entry)) : raise('TypeError', 'Can only get item pairs from a mapping.');
  }),
  first: filter([], (input) => either(iterate(input)[0], NONE)),
  last: filter([], (input) => either(iterate(input).at(-1), NONE)),
  random: filter([], (input) => either(iterate(input)[Math.floor(Math.random() * iterate(input).length)], NONE)),
  reverse: filter([], (input) => {
    const reversed = iterate(input).toReversed();
    return isText(input) ? reversed.join('') : reversed;
  }),
  sum: filter(['attribute', 'start'], (input, given) => {
    const read = reader(given.find('attribute'));
    return iterate(input).reduce<Value>((sum, item) => calculate('+', sum, read(item)), given.or('start', 0n));
  }),
  join: filter(['d', 'attribute'], join),
  sort: filter(['reverse', 'case_sensitive', 'attribute'], sort),
  dictsort: filter(['case_sensitive', 'by', 'reverse'], sortDictionary),
  unique: filter(['case_sensitive', 'attribute'], unique),
  min: extreme(-1),
  max: extreme(1),
  groupby: filter(['attribute', 'default', 'case_sensitive'], groupBy),
  batch: filter(['linecount', 'fill_with'], batch),
  slice: filter(['slices', 'fill_with'], columns),
  map: openFilter([], map),
  select: selection(true, false),
  reject: selection(false, false),
  selectattr: selection(true, true),
  rejectattr: selection(false, true),
  attr: filter(['name'], (input, given) => findAttribute(input, given.text('name'))),
};
