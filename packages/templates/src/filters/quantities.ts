import type { Arguments } from '../arguments.ts';
import { formatBraces } from '../brace-format.ts';
import { formatNumber } from '../percent-format.ts';
import { print } from '../printing.ts';
import { Undefined, type Value, isNumber, isText, raise, textOf, typeName } from '../values.ts';
import { type Filter, type Filters, filter } from './filter.ts';
import { toFloat } from './numbers.ts';

/* Fractions, powers of ten, units and bounds: more of what Prefect takes from the library humanize. */

const LARGEST_DENOMINATOR = 1000n;
const MAXIMUM_PRECISION = 100;

/** A fraction as numerator and denominator. */
type Fraction = readonly [bigint, bigint];

/** A float is a fraction whose denominator is a power of two. */
function toFraction(value: number): Fraction {
  let [numerator, denominator] = [value, 1n];
  while (!Number.isInteger(numerator)) [numerator, denominator] = [numerator * 2, denominator * 2n];
  return [BigInt(numerator), denominator];
}

const distance = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * d > b * c ? a * d - b * c : b * c - a * d, b * d];

/** The nearest fraction whose denominator is not too large, by its continued fraction; not below zero. */
function approximate(value: Fraction): Fraction {
  if (value[1] <= LARGEST_DENOMINATOR) return value;
  let [before, last]: [Fraction, Fraction] = [[0n, 1n], [1n, 0n]];
  let [numerator, denominator] = value;
  while (denominator !== 0n) {
    const whole = numerator / denominator;
    const next: Fraction = [before[0] + whole * last[0], before[1] + whole * last[1]];
    if (next[1] > LARGEST_DENOMINATOR) break;
    [before, last] = [last, next];
    [numerator, denominator] = [denominator, numerator - whole * denominator];
  }
  if (denominator === 0n) return last;
  const steps = (LARGEST_DENOMINATOR - before[1]) / last[1];
  const between: Fraction = [before[0] + steps * last[0], before[1] + steps * last[1]];
  const [[one, oneBase], [other, otherBase]] = [distance(last, value), distance(between, value)];
  return one * otherBase <= other * oneBase ? last : between;
}

function describeInfinite(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

function describeFraction(value: number): string {
  const whole = Math.trunc(value);
  const [numerator, denominator] = approximate(toFraction(Math.abs(value - whole)));
  if (denominator === 1n) return (BigInt(whole) + (value < 0 ? -numerator : numerator)).toString();
  if (whole === 0) return `${value < 0 ? '-' : ''}${numerator}/${denominator}`;
  return `${BigInt(whole)} ${numerator}/${denominator}`;
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

function describeScientific(value: number, precision: number): string {
  const [digits, exponent] = formatNumber(value, 'e', Math.min(MAXIMUM_PRECISION, precision)).split('e');
  const raised = String(Number(exponent)).replaceAll(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)] ?? '').replace('-', '⁻');
  return `${digits} x 10${raised}`;
}

const LARGE = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y', 'R', 'Q'];
const SMALL = ['', 'm', 'μ', 'n', 'p', 'f', 'a', 'z', 'y', 'r', 'q'];
/** Signs of angles stand next to their number. */
const CLOSE_UNITS = new Set(['°', '′', '″']);

function describeMetric(value: number, unit: string, precision: number): string {
  const digits = Math.min(MAXIMUM_PRECISION, Math.max(1, precision));
  const rounded = Number(value.toPrecision(digits));
  const exponent = rounded === 0 ? 0 : Number(rounded.toExponential().split('e')[1]);
  if (exponent >= 33 || exponent < -30) return describeScientific(value, precision - 1) + unit;
  const group = Math.floor(exponent / 3);
  const prefix = (group < 0 ? SMALL : LARGE)[Math.abs(group)] ?? '';
  const text = formatNumber(value / 10 ** (group * 3), 'f', Math.max(0, precision - (exponent - group * 3) - 1));
  const space = (unit === '' && prefix === '') || CLOSE_UNITS.has(unit) ? '' : ' ';
  return text + space + prefix + unit;
}

/** Works on numbers, also in texts; what is none is printed as it is. */
const quantity = (parameters: readonly string[], describe: (value: number, given: Arguments) => string): Filter =>
  filter(parameters, (input, given) => {
    if (input instanceof Undefined) return input.fail();
    const value = toFloat(input);
    if (value === undefined) return print(input);
    return Number.isFinite(value) ? describe(value, given) : describeInfinite(value);
  });

/** Numbers only: a text, even of digits, is none. */
function requireNumber(input: Value): number {
  if (input instanceof Undefined) return input.fail();
  return isNumber(input) ? Number(input) : raise('TypeError', `must be real number, not ${typeName(input)}`);
}

function clamp(input: Value, given: Arguments): string {
  const value = input === null ? 0 : requireNumber(input);
  if (input === null || !Number.isFinite(value)) return input === null ? print(input) : describeInfinite(value);
  const [floor, ceil] = [given.or('floor', null), given.or('ceil', null)];
  const format = given.or('format', '{:}');
  const show = (shown: Value): string => (isText(format) ? formatBraces(textOf(format), [shown], new Map()) : raise('ValueError', 'Invalid format. Must be either a valid formatting string, or a function.'));
  if (floor !== null && value < requireNumber(floor)) return given.text('floor_token', '<') + show(floor);
  return ceil !== null && value > requireNumber(ceil) ? given.text('ceil_token', '>') + show(ceil) : show(input);
}

function precisionOf(given: Arguments, fallback: number): number {
  const precision = given.integer('precision', fallback);
  return precision < 0 ? raise('ValueError', 'Invalid format specifier') : precision;
}

export const QUANTITY_FILTERS: Filters = {
  humanize_fractional: quantity([], describeFraction),
  humanize_scientific: quantity(['precision'], (value, given) => describeScientific(value, precisionOf(given, 2))),
  humanize_metric: filter(['unit', 'precision'], (input, given) => {
    const value = requireNumber(input);
    return Number.isFinite(value) ? describeMetric(value, given.text('unit', ''), given.integer('precision', 3)) : describeInfinite(value);
  }),
  humanize_clamp: filter(['floor', 'ceil', 'format', 'floor_token', 'ceil_token'], clamp),
  humanize_decimal_separator: filter([], () => '.'),
  humanize_thousands_separator: filter([], () => ','),
};
