import type { z } from 'zod';
import { ValidationError, type ValidationProblem } from '@praetor/schema/errors';
import type { JsonObject } from '@praetor/schema/json';

/* Turns what zod found into what pydantic would have said; only requests that are refused come here. */

type Issue = z.core.$ZodIssue;
type Location = (string | number)[];

interface Description {
  type: string;
  msg: string;
  ctx?: JsonObject;
}

/** What stands at a path of a value. The names of members of a union, which are symbols, are no step into it. */
function readPath(input: unknown, path: readonly PropertyKey[]): unknown {
  const keys = path.filter((key) => typeof key !== 'symbol');
  return keys.reduce<unknown>((value, key) => (value === null || typeof value !== 'object' ? undefined : Reflect.get(value, key)), input);
}

function toLocation(path: readonly PropertyKey[]): Location {
  return path.map((key) => (typeof key === 'symbol' ? (key.description ?? '') : key));
}

const TYPE_ERRORS: Readonly<Record<string, Description>> = {
  string: { type: 'string_type', msg: 'Input should be a valid string' },
  array: { type: 'list_type', msg: 'Input should be a valid list' },
  tuple: { type: 'tuple_type', msg: 'Input should be a valid tuple' },
  object: { type: 'model_attributes_type', msg: 'Input should be a valid dictionary or object to extract fields from' },
  record: { type: 'dict_type', msg: 'Input should be a valid dictionary' },
};

const EXCESSIVE_INTEGER: Description = { type: 'int_parsing_size', msg: 'Unable to parse input string as an integer, exceeded maximum size' };

function describeLength(kind: 'min_length' | 'max_length', bound: number, input: unknown): Description {
  const least = kind === 'min_length';
  if (typeof input === 'string')
    return {
      type: least ? 'string_too_short' : 'string_too_long',
      msg: `String should have at ${least ? 'least' : 'most'} ${bound} character${bound === 1 ? '' : 's'}`,
      ctx: { [kind]: bound },
    };
  const actual_length = Array.isArray(input) ? input.length : 0;
  return {
    type: least ? 'too_short' : 'too_long',
    msg: `List should have at ${least ? 'least' : 'most'} ${bound} item${bound === 1 ? '' : 's'} after validation, not ${actual_length}`,
    ctx: { field_type: 'List', [kind]: bound, actual_length },
  };
}

function describeBound(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, input: unknown): Description {
  const [kind, bound] = issue.code === 'too_small' ? (['min_length', Number(issue.minimum)] as const) : (['max_length', Number(issue.maximum)] as const);
  if (issue.origin === 'string' || issue.origin === 'array') return describeLength(kind, bound, input);
  // Zod's own bound of integers: where a double is no longer exact.
  if (Math.abs(bound) >= Number.MAX_SAFE_INTEGER) return EXCESSIVE_INTEGER;
  const [word, short] = issue.code === 'too_small' ? (['greater', 'g'] as const) : (['less', 'l'] as const);
  return issue.inclusive === false
    ? { type: `${word}_than`, msg: `Input should be ${word} than ${bound}`, ctx: { [`${short}t`]: bound } }
    : { type: `${word}_than_equal`, msg: `Input should be ${word} than or equal to ${bound}`, ctx: { [`${short}e`]: bound } };
}

/** Literals and enumerations raise the same issue; this tells them apart. */
const LITERAL = 'literal';
const parameters: z.core.ParseContext<Issue> = { reportInput: true, error: ({ code, inst }) => (code === 'invalid_value' && inst && 'values' in inst._zod.def ? LITERAL : undefined) };

function describeChoice(issue: z.core.$ZodIssueInvalidValue): Description {
  const words = issue.values.map((value) => `'${String(value)}'`);
  const expected = words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  return { type: issue.message === LITERAL ? 'literal_error' : 'enum', msg: `Input should be ${expected}`, ctx: { expected } };
}

function describe(issue: Issue, input: unknown): Description {
  switch (issue.code) {
    case 'invalid_type':
      return input === undefined ? { type: 'missing', msg: 'Field required' } : (TYPE_ERRORS[issue.expected] ?? { type: 'value_error', msg: issue.message });
    case 'too_small':
    case 'too_big':
      return describeBound(issue, input);
    case 'invalid_format': {
      // Zod shows a regular expression with its slashes and flags.
      const pattern = issue.pattern?.replace(/^\/(.*)\/\w*$/s, '$1') ?? issue.format;
      return { type: 'string_pattern_mismatch', msg: `String should match pattern '${pattern}'`, ctx: { pattern } };
    }
    case 'invalid_value':
      return input === undefined ? { type: 'missing', msg: 'Field required' } : describeChoice(issue);
    case 'custom': {
      if (input === undefined) return { type: 'missing', msg: 'Field required' };
      const { type, ctx } = (issue.params ?? {}) as { type?: string; ctx?: JsonObject };
      // pydantic gives the exception of a failed check, which prints as an empty object.
      if (type === undefined) return { type: 'value_error', msg: `Value error, ${issue.message}`, ctx: { error: {} } };
      return { type, msg: issue.message, ...(ctx && { ctx }) };
    }
    default:
      return { type: 'value_error', msg: issue.message };
  }
}

/** A part of a request, where it stands in it, and whether its fields are parameters of their own. */
interface Part {
  value: unknown;
  at: Location;
  hasParameters: boolean;
}

function toProblems(issue: Issue, part: Part, prefix: readonly PropertyKey[] = []): ValidationProblem[] {
  const path = [...prefix, ...issue.path];
  const loc = [...part.at, ...toLocation(path)];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ type: 'extra_forbidden', loc: [...loc, key], msg: 'Extra inputs are not permitted', input: readPath(part.value, [...path, key]) }));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) return issue.errors.flatMap((branch) => branch.flatMap((inner) => toProblems(inner, part, path)));
  const isParameter = part.hasParameters && path.length === 1;
  // A deprecated field is also checked as the one that takes its place, which was not sent.
  const sent = readPath(part.value, path);
  const given = sent === undefined ? issue.input : sent;
  const input = isParameter && given === null ? undefined : given;
  const { type, msg, ctx } = describe(issue, input);
  // A missing field's input is the object that lacks it; nobody knows who lacks a parameter.
  const shown = type !== 'missing' ? input : isParameter ? null : (readPath(part.value, path.slice(0, -1)) ?? null);
  return [{ type, loc, msg, input: shown, ...(ctx && { ctx }) }];
}

const BOUNDS: ReadonlySet<string> = new Set(['too_small', 'too_big', 'invalid_format']);

/** Zod also measures what it has found to be of the wrong type, or too long for its pattern to matter. */
function isFirstAtItsPlace({ code, path }: Issue, index: number, issues: readonly Issue[]): boolean {
  const isSame = (other: Issue) => other.path.length === path.length && other.path.every((key, place) => key === path[place]);
  return !BOUNDS.has(code) || !issues.slice(0, index).some(isSame);
}

/**
 * Parses a part of a request; `at` is where it stands in error locations (`['body']`). Throws ValidationError in
 * pydantic's shape: problems in the order of the schema's fields, unknown keys last.
 */
export function validate<S extends z.ZodType>(schema: S, input: unknown, at: Location, requestBody: unknown): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const hasParameters = schema.meta()?.['parameters'] === true || at[0] !== 'body';
  const part = { value: !hasParameters && input === null ? undefined : input, at, hasParameters };
  const { error = result.error } = schema.safeParse(part.value, parameters);
  throw new ValidationError(
    error.issues.filter(isFirstAtItsPlace).flatMap((issue) => toProblems(issue, part)),
    requestBody,
  );
}
