import addFormats from 'ajv-formats';
import { type DefinedError, type ValidateFunction, Ajv2020 } from 'ajv/dist/2020.js';
import { UnprocessableError } from '@praetor/schema/errors';
import { type JsonObject, isRawJson, toJson } from '@praetor/schema/json';
import { type Marked, type Variables, hydrateOrMark } from './hydration.ts';
import { adaptSchema, findSchemaFault, rejectEndless } from './json-schema.ts';
import { memoize } from './memo.ts';
import { findTemplateFault } from './template.ts';

/* Everything that keeps values from fitting a schema, for a form that shows each problem beside its field. */

export interface Misfit {
  /** Where in the values: names of properties and indexes of elements. */
  path: (string | number)[];
  message: string;
}

/** Their parts are only tried: that none of them fits is one problem, and not why each of them does not. */
const TRYING = new Set(['anyOf', 'oneOf', 'contains']);
/** Told once for an object, whatever the number of its properties. */
const TOLD_ONCE = new Set(['additionalProperties', 'unevaluatedProperties']);
/** These only repeat that a part of theirs does not fit. */
const REPEATING = new Set(['if', 'propertyNames']);

interface Validator {
  schema: JsonObject;
  validate: ValidateFunction;
}

/** Throws UnprocessableError where the text is that of no schema. */
const compileOnce = memoize(100, (text): Validator => {
  const schema = adaptSchema(JSON.parse(text) as JsonObject, { required: true });
  const fault = findSchemaFault(schema);
  if (fault !== undefined) throw new UnprocessableError(`Invalid schema: ${fault}`);
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: false, validateSchema: false, meta: false, unicodeRegExp: false, logger: false });
  addFormats.default(ajv, ['date', 'date-time', 'time', 'email', 'ipv4', 'ipv6', 'uuid', 'regex']);
  try {
    return { schema, validate: ajv.compile(schema) };
  } catch (error) {
    rejectEndless(error);
    throw new UnprocessableError(`Invalid schema: ${error instanceof Error ? error.message : String(error)}`);
  }
});

/** Numbers as numbers, marks as they are. */
function toPlain(value: Marked<symbol>): unknown {
  if (isRawJson(value)) return Number(value.rawJSON);
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, toPlain(field ?? null)]));
}

function listMarks(value: unknown, path: (string | number)[] = []): { path: (string | number)[]; mark: symbol }[] {
  if (typeof value === 'symbol') return [{ path, mark: value }];
  if (Array.isArray(value)) return value.flatMap((element, index) => listMarks(element, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) => listMarks(field, [...path, key]));
}

/** All schemas within a part of a schema, through its references. */
function collectSchemas(part: unknown, root: JsonObject, found = new Set<unknown>()): Set<unknown> {
  if (typeof part !== 'object' || part === null || found.has(part)) return found;
  found.add(part);
  for (const [key, child] of Object.entries(part)) collectSchemas(key === '$ref' ? resolve(child, root) : child, root, found);
  return found;
}

function parsePointer(pointer: string): string[] {
  return pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function resolve(reference: unknown, root: JsonObject): unknown {
  if (typeof reference !== 'string' || !reference.startsWith('#')) return undefined;
  return parsePointer(decodeURIComponent(reference)).reduce<unknown>((value, key) => Reflect.get(Object(value), key), root);
}

/** Errors without those that only say why one of several possibilities was not met; these explain the error that says that none was. */
function dropTried(errors: readonly DefinedError[], root: JsonObject): { error: DefinedError; tried: DefinedError[] }[] {
  const kept: { error: DefinedError; tried: DefinedError[] }[] = [];
  for (const error of errors) {
    if (REPEATING.has(error.keyword)) continue;
    const parts = TRYING.has(error.keyword) ? collectSchemas(error.schema, root) : new Set();
    const isTried = (other: DefinedError) => parts.has(other.parentSchema) && other.instancePath.startsWith(error.instancePath);
    const tried = kept.filter((other) => isTried(other.error));
    kept.splice(0, kept.length, ...kept.filter((other) => !isTried(other.error)));
    const isTold = TOLD_ONCE.has(error.keyword) && kept.some((other) => other.error.keyword === error.keyword && other.error.instancePath === error.instancePath);
    if (!isTold) kept.push({ error, tried: tried.flatMap((other) => [other.error, ...other.tried]) });
  }
  return kept;
}

/** The keys of a pointer; indexes of arrays are numbers. */
function pathOf(pointer: string, values: unknown): (string | number)[] {
  let value = values;
  return parsePointer(pointer).map((part) => {
    const key = Array.isArray(value) ? Number(part) : part;
    value = Reflect.get(Object(value), key);
    return key;
  });
}

function describe(error: DefinedError, tried: readonly DefinedError[]): string {
  if (error.keyword === 'required') return 'is required';
  if (error.keyword === 'enum') return `must be one of ${toJson(error.params.allowedValues)}`;
  if (error.keyword === 'additionalProperties') return `the property '${error.params.additionalProperty}' is not allowed`;
  const types = tried.flatMap((other) => (other.keyword === 'type' && other.instancePath === error.instancePath ? [other.params.type].flat() : []));
  return types.length > 0 && types.length === tried.length ? `must be ${[...new Set(types)].join(' or ')}` : (error.message ?? 'does not fit');
}

/**
 * What keeps values, whose placeholders are filled in first, from fitting a schema. A template that can be rendered later
 * fits everything. Throws UnprocessableError for a faulty schema.
 */
export function listMisfits(values: JsonObject, schema: JsonObject, variables: Variables): Misfit[] {
  const problems = new Map<symbol, string | undefined>();
  const mark = (problem?: string) => {
    const symbol = Symbol('placeholder');
    problems.set(symbol, problem);
    return symbol;
  };
  const hydrated = toPlain(hydrateOrMark<symbol>(values, { variables, render: (template) => mark(findTemplateFault(template)), fail: mark }));
  const { schema: root, validate } = compileOnce(toJson(schema));
  try {
    validate(hydrated);
  } catch (error) {
    rejectEndless(error);
    throw error;
  }
  // Ajv's own keywords have its own errors.
  const errors = dropTried((validate.errors ?? []) as DefinedError[], root).filter(({ error }) => typeof error.data !== 'symbol');
  return [
    ...listMarks(hydrated).flatMap(({ path, mark }) => {
      const message = problems.get(mark);
      return message === undefined ? [] : [{ path, message }];
    }),
    ...errors.map(({ error, tried }) => ({
      path: [...pathOf(error.instancePath, hydrated), ...(error.keyword === 'required' ? [error.params.missingProperty] : [])],
      message: describe(error, tried),
    })),
  ];
}
