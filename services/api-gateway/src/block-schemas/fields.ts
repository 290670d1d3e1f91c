import { createHash } from 'node:crypto';
import { type Json, type JsonObject, isJsonObject } from '@praetor/schema/json';
import { toPythonJson } from './python-json.ts';

/* The JSON schema of a block's fields, and what identifies it (facts/rules.md §12). */

const DEFINITION = '#/definitions/';

/** Without the key at any depth of objects; lists stay as they are, since Prefect does not look into them here. */
function withoutKey(object: JsonObject, unwanted: string): JsonObject {
  const entries = Object.entries(object).filter(([key]) => key !== unwanted);
  return Object.fromEntries(entries.map(([key, value]) => [key, isJsonObject(value) ? withoutKey(value, unwanted) : value]));
}

/** The names of the definitions that a value refers to, at any depth. */
export function referredDefinitions(value: Json | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(referredDefinitions);
  if (!isJsonObject(value)) return [];
  const name = typeof value['$ref'] === 'string' ? [value['$ref'].replace(DEFINITION, '')] : [];
  return [...name, ...Object.values(value).flatMap(referredDefinitions)];
}

/** The definitions that fields refer to, except those of other blocks: these are schemas of their own. */
export function plainDefinitions(fields: JsonObject, definitions: JsonObject): JsonObject {
  const kept: JsonObject = {};
  const collect = (value: JsonObject): void => {
    for (const name of referredDefinitions(value)) {
      const definition = definitions[name];
      if (name in kept || !isJsonObject(definition) || Object.keys(definition).length === 0 || typeof definition['block_type_slug'] === 'string') continue;
      kept[name] = definition;
      collect(definition);
    }
  };
  collect(fields);
  return kept;
}

/** The definitions among the fields, if there are any. */
export function definitionsOf({ definitions }: JsonObject): JsonObject | undefined {
  return isJsonObject(definitions) && Object.keys(definitions).length > 0 ? definitions : undefined;
}

/** The fields with other definitions; with none at all, the key goes too. */
export function withDefinitions({ definitions: _, ...fields }: JsonObject, definitions: JsonObject): JsonObject {
  return Object.keys(definitions).length === 0 ? fields : { ...fields, definitions };
}

/**
 * The checksum of a block schema, from its fields as they are posted. The client computes it too and asks for schemas by
 * it, so both must agree to the byte.
 */
export function schemaChecksum(fields: JsonObject): string {
  const bare = withoutKey(fields, 'secret_fields');
  const definitions = definitionsOf(bare);
  const hashed = definitions === undefined ? bare : withDefinitions(bare, plainDefinitions(bare, definitions));
  return `sha256:${createHash('sha256').update(toPythonJson([[hashed], {}])).digest('hex')}`;
}
