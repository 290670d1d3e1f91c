import type { Arguments } from './arguments.ts';
import { calculate, contains, holds } from './operators.ts';
import type { Comparison } from './syntax.ts';
import { print } from './printing.ts';
import { Callable, Dictionary, Markup, Thing, Tuple, Undefined, type Value, areEqual, isNumber, isText, textOf } from './values.ts';

/* Jinja's tests: `x is odd`. */

interface Test {
  readonly parameters: readonly string[];
  readonly passes: (value: Value, given: Arguments) => boolean;
}

const test = (passes: (value: Value) => boolean): Test => ({ parameters: [], passes });
const comparison = (operator: Comparison): Test => ({ parameters: ['other'], passes: (value, given) => holds(operator, value, given.get('other')) });

const isRemainder = (value: Value, divisor: Value, remainder: bigint): boolean => areEqual(calculate('%', value, divisor), remainder);
const isSequence = (value: Value): boolean => isText(value) || Array.isArray(value) || value instanceof Tuple || value instanceof Dictionary || (value instanceof Thing && value.iterate() !== undefined);

const [equal, unequal, less, lessOrEqual, greater, greaterOrEqual] = (['==', '!=', '<', '<=', '>', '>='] as const).map(comparison) as [Test, Test, Test, Test, Test, Test];

export const TESTS: Readonly<Record<string, Test>> = {
  defined: test((value) => !(value instanceof Undefined)),
  undefined: test((value) => value instanceof Undefined),
  none: test((value) => value === null),
  boolean: test((value) => typeof value === 'boolean'),
  true: test((value) => value === true),
  false: test((value) => value === false),
  integer: test((value) => typeof value === 'bigint'),
  float: test((value) => typeof value === 'number'),
  number: test(isNumber),
  string: test(isText),
  mapping: test((value) => value instanceof Dictionary),
  sequence: test((value) => isSequence(value) || value instanceof Undefined),
  iterable: test((value) => isSequence(value) || value instanceof Undefined),
  callable: test((value) => value instanceof Callable),
  escaped: test((value) => value instanceof Markup),
  lower: test((value) => print(value) !== print(value).toUpperCase() && print(value) === print(value).toLowerCase()),
  upper: test((value) => print(value) !== print(value).toLowerCase() && print(value) === print(value).toUpperCase()),
  odd: test((value) => isRemainder(value, 2n, 1n)),
  even: test((value) => isRemainder(value, 2n, 0n)),
  divisibleby: { parameters: ['num'], passes: (value, given) => isRemainder(value, given.get('num'), 0n) },
  in: { parameters: ['seq'], passes: (value, given) => contains(given.get('seq'), value) },
  sameas: { parameters: ['other'], passes: (value, given) => value === given.get('other') || (isText(value) && areEqual(value, given.get('other')) && textOf(value) !== '') },
  '==': equal,
  '!=': unequal,
  '<': less,
  '<=': lessOrEqual,
  '>': greater,
  '>=': greaterOrEqual,
  eq: equal,
  equalto: equal,
  ne: unequal,
  lt: less,
  lessthan: less,
  le: lessOrEqual,
  gt: greater,
  greaterthan: greater,
  ge: greaterOrEqual,
};
