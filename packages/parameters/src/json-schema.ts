import { type ErrorObject, type ValidateFunction, Ajv2020 } from 'ajv/dist/2020.js';
import { type Json, type JsonObject, isJsonObject, toJson } from '@praetor/schema/json';
import { UnprocessableError } from '@praetor/schema/errors';
import { memoize } from './memo.ts';

/*
 * JSON schemas as Prefect's clients write them: draft 2020-12 with the peculiarities of pydantic 1, unknown keywords and
 * formats ignored (facts/rules.md §8). A schema is data from a user: it may be faulty, and it may refer to itself.
 */

export interface SchemaOptions {
  /** Whether all required properties must be there; a deployment may leave some to its runs. */
  required: boolean;
  /** Whether null is good for an optional property that has a default; job variables of old workers need it. */
  nullForDefault?: boolean;
}

/** Reads a value as plain JSON: numbers that are kept as text become numbers, as validation needs them. */
function toPlain(value: unknown): unknown {
  return JSON.parse(toJson(value));
}

function adaptProperty(schema: JsonObject, isRequired: boolean, options: SchemaOptions): JsonObject {
  const { type, items, ...rest } = schema;
  const adapted: JsonObject = { ...rest };
  // pydantic 1 says nothing about null in the type of an optional field.
  const acceptsNull = !isRequired && type !== undefined && type !== 'null' && (options.nullForDefault === true || !('default' in schema));
  if (acceptsNull) adapted['anyOf'] = [{ type }, { type: 'null' }];
  else if (type !== undefined) adapted['type'] = type;
  // … and it writes the types of a tuple as a list.
  if (Array.isArray(items) && !('prefixItems' in schema)) adapted['prefixItems'] = items;
  else if (items !== undefined) adapted['items'] = items;
  return isJsonObject(schema['properties']) ? adaptProperties(adapted, options) : adapted;
}

function adaptProperties(schema: JsonObject, options: SchemaOptions): JsonObject {
  if (!isJsonObject(schema['properties'])) return schema;
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const properties = Object.entries(schema['properties']).map(([name, property]) => [
    name,
    isJsonObject(property) ? adaptProperty(property, required.includes(name), options) : property,
  ]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** A block may be given whole or by reference: `{"$ref": {"block_document_id": …}}`. */
const BLOCK_REFERENCE = {
  type: 'object',
  properties: { $ref: { anyOf: [{ type: 'string' }, { type: 'object', additionalProperties: { type: 'string' }, minProperties: 1 }] } },
  required: ['$ref'],
};

function withoutRequired(schema: JsonObject): JsonObject {
  const prune = (value: Json | undefined): Json | undefined => {
    if (Array.isArray(value)) return value.map((element) => prune(element) ?? null);
    return isJsonObject(value) ? withoutRequired(value) : value;
  };
  const kept = Object.entries(schema).filter(([key, content]) => key !== 'required' || !Array.isArray(content));
  return Object.fromEntries(kept.map(([key, content]) => [key, prune(content)]));
}

function mapDefinitions(schema: JsonObject, map: (definition: JsonObject) => JsonObject): JsonObject {
  if (!isJsonObject(schema['definitions'])) return schema;
  const definitions = Object.entries(schema['definitions']).map(([name, definition]) => [name, isJsonObject(definition) ? map(definition) : definition]);
  return { ...schema, definitions: Object.fromEntries(definitions) };
}

/** The schema in draft 2020-12. */
export function adaptSchema(schema: JsonObject, options: SchemaOptions): JsonObject {
  const adapted = mapDefinitions(adaptProperties(schema, options), (definition) => adaptProperties(definition, options));
  const demanding = options.required ? adapted : withoutRequired(adapted);
  return mapDefinitions(demanding, (definition) => ('block_type_slug' in definition ? { anyOf: [definition, BLOCK_REFERENCE] } : definition));
}

/** A validator, or what is wrong with the schema. */
type Compiled = ValidateFunction | string;

/** Following references that never end exhausts the stack, at compilation or later. */
export function rejectEndless(error: unknown): void {
  if (error instanceof RangeError) throw new UnprocessableError('The schema refers to itself without end.');
}

/** Compiles `[schema, options]`. A compiler of its own for each schema, so that two may carry the same `$id`. */
function compile(key: string): Compiled {
  const [schema, options] = JSON.parse(key) as [JsonObject, SchemaOptions];
  const ajv = new Ajv2020({ strict: false, validateFormats: false, validateSchema: false, meta: false, unicodeRegExp: false, logger: false });
  try {
    return ajv.compile(adaptSchema(schema, options));
  } catch (error) {
    rejectEndless(error);
    return `The schema is faulty: ${error instanceof Error ? error.message : String(error)}.`;
  }
}

const compileOnce = memoize(500, compile);

function describe({ instancePath, message = 'does not fit' }: ErrorObject): string {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
  return path === '' ? `The values do not fit their schema: ${message}.` : `The value of '${path}' does not fit its schema: ${message}.`;
}

/**
 * What keeps `values` from fitting `schema`, in words, or undefined. Throws UnprocessableError for a schema that refers
 * to itself without end.
 */
export function findMisfit(values: JsonObject, schema: JsonObject, options: SchemaOptions): string | undefined {
  const validator = compileOnce(toJson([schema, options]));
  if (typeof validator === 'string') return validator;
  try {
    if (validator(toPlain(values))) return undefined;
  } catch (error) {
    rejectEndless(error);
    throw error;
  }
  const [problem] = validator.errors ?? [];
  return problem && describe(problem);
}

/** Knows the rules of schemas themselves. */
const dialect = new Ajv2020({ strict: false, validateFormats: false, logger: false });

const findFaultOnce = memoize(500, (text): string | undefined => {
  const { $schema: _claimed, ...schema } = JSON.parse(text) as JsonObject;
  if (dialect.validateSchema(schema) === true) return undefined;
  const [problem] = dialect.errors ?? [];
  return `The schema is faulty: '${problem?.instancePath ?? ''}' ${problem?.message ?? ''}.`;
});

/** What is wrong with the schema itself, in words, or undefined. */
export function findSchemaFault(schema: JsonObject): string | undefined {
  return findFaultOnce(toJson(schema));
}
