import { type Json, type JsonObject, isJsonObject } from '@praetor/schema/json';

/* What of a document's data is secret, and what is shown instead (facts/rules.md §12). */

/** Prefect's mask for every secret, whatever its length. */
const MASK = '********';

type Path = readonly string[];

/** The paths of a schema's secret fields (`a.b`); what lies below a secret, or below a wildcard (`a.*`), is secret too. */
export function secretPaths(fields: JsonObject): Path[] {
  const listed = fields['secret_fields'];
  if (!Array.isArray(listed)) return [];
  return listed.filter((field) => typeof field === 'string').map((field) => field.split('.').filter((key) => key !== '*'));
}

function isSecret(path: Path, secrets: readonly Path[]): boolean {
  return secrets.some((secret) => secret.every((key, index) => path[index] === key));
}

/** Replaces the leaves below secret paths; a leaf is anything but a filled object. */
function replaceSecrets(data: JsonObject, secrets: readonly Path[], replace: (leaf: Json, path: Path) => Json, at: Path = []): JsonObject {
  const entries = Object.entries(data).map(([key, value = null]): [string, Json] => {
    const path = [...at, key];
    if (isJsonObject(value) && Object.keys(value).length > 0) return [key, replaceSecrets(value, secrets, replace, path)];
    return [key, isSecret(path, secrets) ? replace(value, path) : value];
  });
  return Object.fromEntries(entries);
}

/** The data with its secrets masked; a secret that is not set stays null. */
export function maskSecrets(data: JsonObject, secrets: readonly Path[]): JsonObject {
  return replaceSecrets(data, secrets, (leaf) => (leaf === null ? null : MASK));
}

function valueAt(data: JsonObject, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((value, key) => (isJsonObject(value) ? value[key] : undefined), data);
}

/** New data in which a mask stands for the secret that is stored there: clients send back what they were shown. */
export function restoreSecrets(data: JsonObject, stored: JsonObject, secrets: readonly Path[]): JsonObject {
  return replaceSecrets(data, secrets, (leaf, path) => (leaf === MASK ? (valueAt(stored, path) ?? leaf) : leaf));
}
