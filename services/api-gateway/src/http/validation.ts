import type { z } from 'zod';
import { ValidationError, type ValidationProblem } from '@praetor/schema/errors';
import type { JsonObject } from '@praetor/schema/json';

type Issue = z.core.$ZodIssue;
type Location = (string | number)[];

function readPath(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value === null || typeof value !== 'object' ? undefined : Reflect.get(value, key)), input);
}

const TYPE_ERRORS: Record<string, [type: string, message: string]> = {
  string: ['string_type', 'Input should be a valid string'],
  number: ['float_type', 'Input should be a valid number'],
  int: ['int_type', 'Input should be a valid integer'],
  boolean: ['bool_type', 'Input should be a valid boolean'],
  array: ['list_type', 'Input should be a valid list'],
  object: ['model_attributes_type', 'Input should be a valid dictionary or object to extract fields from'],
  record: ['dict_type', 'Input should be a valid dictionary'],
};

/** Text where a number was wanted: pydantic tries to parse it first and says that this failed. */
const PARSE_ERRORS: Record<string, [type: string, message: string]> = {
  number: ['float_parsing', 'Input should be a valid number, unable to parse string as a number'],
  int: ['int_parsing', 'Input should be a valid integer, unable to parse string as an integer'],
  boolean: ['bool_parsing', 'Input should be a valid boolean, unable to interpret input'],
};

function describe(issue: Issue, input: unknown): { type: string; msg: string; ctx?: JsonObject } {
  switch (issue.code) {
    case 'invalid_type': {
      if (input === undefined) return { type: 'missing', msg: 'Field required' };
      // A non-integral number and an int type: pydantic calls that int_from_float.
      if (issue.expected === 'int' && typeof input === 'number') return { type: 'int_from_float', msg: 'Input should be a valid integer, got a number with a fractional part' };
      const known = (typeof input === 'string' ? PARSE_ERRORS[issue.expected] : undefined) ?? TYPE_ERRORS[issue.expected];
      const [type, msg] = known ?? ['value_error', issue.message];
      return { type, msg };
    }
    case 'too_small': {
      const bound = Number(issue.minimum);
      if (issue.origin === 'string') return { type: 'string_too_short', msg: `String should have at least ${bound} character${bound === 1 ? '' : 's'}`, ctx: { min_length: bound } };
      if (issue.origin === 'array') return { type: 'too_short', msg: `List should have at least ${bound} item${bound === 1 ? '' : 's'} after validation, not 0`, ctx: { field_type: 'List', min_length: bound, actual_length: Array.isArray(input) ? input.length : 0 } };
      return issue.inclusive === false
        ? { type: 'greater_than', msg: `Input should be greater than ${bound}`, ctx: { gt: bound } }
        : { type: 'greater_than_equal', msg: `Input should be greater than or equal to ${bound}`, ctx: { ge: bound } };
    }
    case 'too_big': {
      const bound = Number(issue.maximum);
      if (issue.origin === 'string') return { type: 'string_too_long', msg: `String should have at most ${bound} character${bound === 1 ? '' : 's'}`, ctx: { max_length: bound } };
      if (issue.origin === 'array') return { type: 'too_long', msg: `List should have at most ${bound} items after validation, not ${Array.isArray(input) ? input.length : 0}`, ctx: { field_type: 'List', max_length: bound, actual_length: Array.isArray(input) ? input.length : 0 } };
      return issue.inclusive === false
        ? { type: 'less_than', msg: `Input should be less than ${bound}`, ctx: { lt: bound } }
        : { type: 'less_than_equal', msg: `Input should be less than or equal to ${bound}`, ctx: { le: bound } };
    }
    case 'invalid_format': {
      // Zod shows a regular expression with its slashes and flags.
      const pattern = issue.pattern?.replace(/^\/(.*)\/\w*$/s, '$1') ?? issue.format;
      return { type: 'string_pattern_mismatch', msg: `String should match pattern '${pattern}'`, ctx: { pattern } };
    }
    case 'invalid_value': {
      const words = issue.values.map((value) => `'${String(value)}'`);
      const expected = words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
      return { type: 'enum', msg: `Input should be ${expected}`, ctx: { expected } };
    }
    case 'custom': {
      const { type, ctx } = (issue.params ?? {}) as { type?: string; ctx?: JsonObject };
      // pydantic gives the exception of a failed check, which prints as an empty object.
      if (type === undefined) return { type: 'value_error', msg: `Value error, ${issue.message}`, ctx: { error: {} } };
      return { type, msg: issue.message, ...(ctx && { ctx }) };
    }
    default:
      return { type: 'value_error', msg: issue.message };
  }
}

function toProblems(issue: Issue, root: unknown, at: Location, prefix: readonly PropertyKey[]): ValidationProblem[] {
  const path = [...prefix, ...issue.path];
  const loc = [...at, ...path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ type: 'extra_forbidden', loc: [...loc, key], msg: 'Extra inputs are not permitted', input: readPath(root, [...path, key]) }));
  if (issue.code === 'invalid_union' && issue.errors.length > 0)
    return issue.errors.flatMap((branch) => branch.flatMap((inner) => toProblems(inner, root, at, path)));
  const input = readPath(root, path);
  const { type, msg, ctx } = describe(issue, input);
  // A missing field's input is the object that lacks it.
  const shown = type === 'missing' ? (readPath(root, path.slice(0, -1)) ?? null) : input;
  return [{ type, loc, msg, input: shown, ...(ctx && { ctx }) }];
}

/** Parses a part of a request; `at` is where it stands in error locations (`['body']`). Throws ValidationError in pydantic's shape. */
export function validate<S extends z.ZodType>(schema: S, input: unknown, at: Location, requestBody: unknown): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new ValidationError(
    result.error.issues.flatMap((issue) => toProblems(issue, input, at, [])),
    requestBody,
  );
}
