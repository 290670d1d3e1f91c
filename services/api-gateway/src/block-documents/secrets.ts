import { type Json, type JsonObject, isJsonObject } from '@praetor/schema/json';

/* What of a document's data is secret, and what is shown instead (facts/rules.md §12). */

/** Prefect's mask for every secret, whatever its length. */
const MASK = '********';

/** Where a secret lies. */
export interface SecretPath {
  keys: readonly string[];
  /** `a.*`: everything below, whatever it is; otherwise what is null is shown so. */
  wildcard: boolean;
}

/** The paths of a schema's secret fields (`a.b`); what lies below a secret is secret too. */
export function secretPaths(fields: JsonObject): SecretPath[] {
  const listed = fields['secret_fields'];
  if (!Array.isArray(listed)) return [];
  return listed
    .filter((field) => typeof field === 'string')
    .map((field) => field.split('.'))
    .map((keys) => ({ keys: keys.slice(0, keys.includes('*') ? keys.indexOf('*') : undefined), wildcard: keys.includes('*') }));
}

/** Replaces the leaves below secret paths; a leaf is anything but a filled object. */
function replaceSecrets(data: JsonObject, secrets: readonly SecretPath[], replace: (leaf: Json, path: readonly string[], wildcard: boolean) => Json, at: readonly string[] = []): JsonObject {
  const entries = Object.entries(data).map(([key, value = null]): [string, Json] => {
    const path = [...at, key];
    if (isJsonObject(value) && Object.keys(value).length > 0) return [key, replaceSecrets(value, secrets, replace, path)];
    const covering = secrets.filter(({ keys }) => keys.every((key, index) => path[index] === key));
    return [key, covering.length > 0 ? replace(value, path, covering.some(({ wildcard }) => wildcard)) : value];
  });
  return Object.fromEntries(entries);
}

/** The data with its secrets masked; a secret that is not set stays null, except below a wildcard. */
export function maskSecrets(data: JsonObject, secrets: readonly SecretPath[]): JsonObject {
  return replaceSecrets(data, secrets, (leaf, _path, wildcard) => (leaf === null && !wildcard ? null : MASK));
}

function valueAt(data: JsonObject, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, key) => (isJsonObject(value) ? value[key] : undefined), data);
}

/** New data in which a mask stands for the secret that is stored there: clients send back what they were shown. */
export function restoreSecrets(data: JsonObject, stored: JsonObject, secrets: readonly SecretPath[]): JsonObject {
  return replaceSecrets(data, secrets, (leaf, path) => {
    const secret = leaf === MASK ? valueAt(stored, path) : undefined;
    return secret === undefined ? leaf : secret;
  });
}
