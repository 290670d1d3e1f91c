import { checkItems, checkTextLength, spendSearch } from './budget.ts';
import { escapeHtml, joinTexts, print } from './printing.ts';
import { formatPercent } from './percent-format.ts';
import type { BinaryOperator, Comparison } from './syntax.ts';
import { Dictionary, Markup, Thing, Tuple, Undefined, type Value, areEqual, compare, isNumber, isText, iterate, raise, textOf, typeName } from './values.ts';

/* Python's operators. */

/** So many bits an int may take. */
const MAXIMUM_BITS = 10_000;
const INTEGER_LIMIT = 2n ** BigInt(MAXIMUM_BITS);

const toNumber = (value: bigint | number | boolean): bigint | number => (typeof value === 'boolean' ? BigInt(value) : value);

const unsupported = (operator: string, left: Value, right: Value): never =>
  raise('TypeError', `unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`);

function divide(left: number, right: number, message: string): number {
  return right === 0 ? raise('ZeroDivisionError', message) : left / right;
}

/** Rounds towards negative infinity, as Python divides. */
function floorDivide(left: bigint, right: bigint): bigint {
  if (right === 0n) return raise('ZeroDivisionError', 'integer division or modulo by zero');
  const quotient = left / right;
  return left % right !== 0n && left < 0n !== right < 0n ? quotient - 1n : quotient;
}

function refuseSize(): never {
  return raise('OverflowError', 'The template makes a number that is too large.');
}

/** An int that may be calculated with: one of JSON may be of any size. */
function bounded(value: bigint): bigint {
  return -INTEGER_LIMIT < value && value < INTEGER_LIMIT ? value : refuseSize();
}

function power(left: bigint, right: bigint): bigint | number {
  if (right < 0n) return left === 0n ? raise('ZeroDivisionError', '0.0 cannot be raised to a negative power') : Number(left) ** Number(right);
  const bits = left.toString(2).length;
  if (bits > 1 && right * BigInt(bits) > MAXIMUM_BITS) return refuseSize();
  return left ** right;
}

function calculateIntegers(operator: BinaryOperator, one: bigint, other: bigint): bigint | number {
  const [left, right] = [bounded(one), bounded(other)];
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return bounded(left * right);
    case '/':
      return divide(Number(left), Number(right), 'division by zero');
    case '//':
      return floorDivide(left, right);
    case '%':
      return left - floorDivide(left, right) * right;
    default:
      return power(left, right);
  }
}

function calculateFloats(operator: BinaryOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return divide(left, right, 'float division by zero');
    case '//':
      return Math.floor(divide(left, right, 'float floor division by zero'));
    case '%':
      return left - Math.floor(divide(left, right, 'float modulo')) * right;
    default:
      return left ** right;
  }
}

function repeat(value: Value, times: Value): Value | undefined {
  if (typeof times !== 'bigint' && typeof times !== 'boolean') return undefined;
  const count = Math.max(0, Number(times));
  if (isText(value)) {
    const text = textOf(value);
    checkTextLength(text.length * count);
    const repeated = text.repeat(count);
    return value instanceof Markup ? new Markup(repeated) : repeated;
  }
  const items = Array.isArray(value) ? value : value instanceof Tuple ? value.items : undefined;
  if (items === undefined) return undefined;
  checkItems(items.length * count);
  if (items.length === 0) return value;
  const repeated = Array.from({ length: count }, () => items).flat();
  return Array.isArray(value) ? repeated : new Tuple(repeated);
}

function add(left: Value, right: Value): Value | undefined {
  if (isText(left) && isText(right)) {
    checkTextLength(textOf(left).length + textOf(right).length);
    return left instanceof Markup || right instanceof Markup ? new Markup(escapeHtml(left) + escapeHtml(right)) : left + right;
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    checkItems(left.length + right.length);
    return [...left, ...right];
  }
  if (!(left instanceof Tuple && right instanceof Tuple)) return undefined;
  checkItems(left.items.length + right.items.length);
  return new Tuple([...left.items, ...right.items]);
}

export function calculate(operator: BinaryOperator, left: Value, right: Value): Value {
  if (left instanceof Undefined) left.fail();
  if (isText(left) && operator === '%') return formatPercent(textOf(left), right);
  if (right instanceof Undefined) right.fail();
  if (isNumber(left) && isNumber(right)) {
    const [one, other] = [toNumber(left), toNumber(right)];
    if (typeof one === 'bigint' && typeof other === 'bigint') return calculateIntegers(operator, one, other);
    return calculateFloats(operator, Number(one), Number(other));
  }
  const thing = left instanceof Thing ? left.calculate(operator, right, false) : right instanceof Thing ? right.calculate(operator, left, true) : undefined;
  const made = thing ?? (operator === '*' ? (repeat(left, right) ?? repeat(right, left)) : operator === '+' ? add(left, right) : undefined);
  return made ?? unsupported(operator, left, right);
}

export function negate(operator: '-' | '+', value: Value): Value {
  if (value instanceof Undefined) value.fail();
  if (!isNumber(value)) return raise('TypeError', `bad operand type for unary ${operator}: '${typeName(value)}'`);
  const number = toNumber(value);
  return operator === '-' ? -number : number;
}

/** `needle in haystack`. */
export function contains(haystack: Value, needle: Value): boolean {
  if (isText(haystack)) {
    if (!isText(needle)) return raise('TypeError', `'in <string>' requires string as left operand, not ${typeName(needle)}`);
    spendSearch(textOf(haystack), textOf(needle));
    return textOf(haystack).includes(textOf(needle));
  }
  if (haystack instanceof Dictionary) return haystack.get(needle) !== undefined;
  if (isNumber(haystack) || haystack === null) return raise('TypeError', `argument of type '${typeName(haystack)}' is not iterable`);
  return iterate(haystack).some((item) => areEqual(item, needle));
}

export function holds(operator: Comparison, left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
      return areEqual(left, right);
    case '!=':
      return !areEqual(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    case '<':
      return compare(left, right) < 0;
    case '<=':
      return compare(left, right) <= 0;
    case '>':
      return compare(left, right) > 0;
    default:
      return compare(left, right) >= 0;
  }
}

/** `a ~ b`: what is printed, one after the other. */
export function concatenate(parts: readonly Value[]): string {
  return joinTexts(parts.map(print));
}
