import { calculate } from '../operators.ts';
import { Undefined, type Value, isNumber, isText, raise, textOf, typeName } from '../values.ts';
import { type Filters, filter } from './filter.ts';

/* Jinja's filters that make numbers. */

const PREFIXES: Readonly<Record<string, RegExp>> = { 2: /^0b/i, 8: /^0o/i, 16: /^0x/i };

/** As Python's `int(text, base)`. */
function parseInteger(text: string, base: number): bigint | undefined {
  const trimmed = text.trim().replaceAll(/(?<=\d)_(?=\d)/g, '');
  const sign = trimmed.startsWith('-') ? -1n : 1n;
  const digits = trimmed.replace(/^[-+]/, '').replace(PREFIXES[base] ?? /^$/, '').toLowerCase();
  if (digits === '' || digits.length > 4000 || base < 2 || base > 36) return undefined;
  let value = 0n;
  for (const digit of digits) {
    const number = Number.parseInt(digit, base);
    if (Number.isNaN(number)) return undefined;
    value = value * BigInt(base) + BigInt(number);
  }
  return sign * value;
}

const FLOAT = /^\s*[-+]?(?:(?:\d[\d_]*(?:\.(?:\d[\d_]*)?)?|\.\d[\d_]*)(?:e[-+]?\d+)?|inf|infinity|nan)\s*$/i;

/** As Python's `float(text)`. */
function parseFloatText(text: string): number | undefined {
  if (!FLOAT.test(text)) return undefined;
  const trimmed = text.trim().toLowerCase().replaceAll('_', '');
  if (trimmed.includes('inf')) return trimmed.startsWith('-') ? -Infinity : Infinity;
  return Number(trimmed.replace(/^\+/, ''));
}

const truncateFloat = (value: number | undefined): bigint | undefined => (value !== undefined && Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined);

function toInteger(value: Value, base: number): bigint | undefined {
  if (isText(value)) return parseInteger(textOf(value), base) ?? truncateFloat(parseFloatText(textOf(value)));
  if (typeof value === 'number') return truncateFloat(value);
  return isNumber(value) ? BigInt(value) : undefined;
}

/** The number that a value is or tells; undefined for what is none. */
export function toFloat(value: Value): number | undefined {
  if (isText(value)) return parseFloatText(textOf(value));
  return isNumber(value) ? Number(value) : undefined;
}

const requireDefined = (value: Value): Value => (value instanceof Undefined ? value.fail() : value);

/** As Python's `float(value)`. Throws TemplateError for what is no number. */
export function requireFloat(value: Value): number {
  if (value instanceof Undefined) return value.fail();
  return toFloat(value) ?? (isText(value) ? raise('ValueError', `could not convert string to float: '${textOf(value)}'`) : raise('TypeError', `float() argument must be a string or a real number, not '${typeName(value)}'`));
}

/** Halves go to the even neighbour, as in Python. */
function roundHalfEven(value: number, precision: number): number {
  const scaled = value * 10 ** precision;
  const floor = Math.floor(scaled);
  const exact = Math.abs(scaled - floor - 0.5) < Number.EPSILON * Math.max(1, Math.abs(scaled));
  // A binary fraction is seldom a half exactly: its decimal expansion decides.
  const isHalf = exact && (precision <= 0 || Number.isInteger(value * 2 ** 20));
  const rounded = isHalf ? floor + (floor % 2 === 0 ? 0 : 1) : precision > 0 && precision <= 100 ? Number(value.toFixed(precision)) * 10 ** precision : Math.round(scaled);
  return Number.isFinite(scaled) ? Number((rounded / 10 ** precision).toFixed(Math.min(100, Math.max(0, precision)))) : value;
}

function round(value: Value, precision: number, method: string): Value {
  if (value instanceof Undefined) value.fail();
  if (!isNumber(value)) return raise('TypeError', `type ${typeName(value)} doesn't define __round__ method`);
  if (method === 'ceil' || method === 'floor') return Math[method](Number(value) * 10 ** precision) / 10 ** precision;
  if (method !== 'common') return raise('FilterArgumentError', 'method must be common, ceil or floor');
  if (typeof value === 'number') return roundHalfEven(value, precision);
  return precision >= 0 ? BigInt(value) : BigInt(roundHalfEven(Number(value), precision));
}

export const NUMBER_FILTERS: Filters = {
  int: filter(['default', 'base'], (input, given) => toInteger(requireDefined(input), given.integer('base', 10)) ?? given.or('default', 0n)),
  float: filter(['default'], (input, given) => toFloat(requireDefined(input)) ?? given.or('default', 0)),
  round: filter(['precision', 'method'], (input, given) => round(input, given.integer('precision', 0), given.text('method', 'common'))),
  abs: filter([], (input) => {
    if (!isNumber(input)) return raise('TypeError', `bad operand type for abs(): '${typeName(input)}'`);
    if (typeof input === 'boolean') return BigInt(input);
    return Number(input) < 0 ? calculate('*', input, -1n) : input;
  }),
};
