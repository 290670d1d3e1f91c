import { BadRequestError } from '@praetor/schema/errors';
import { type Json, type JsonObject, isJsonObject, parseJson } from '@praetor/schema/json';
import { renderTemplate } from './template.ts';

/*
 * Parameters may hold placeholders, `{"__prefect_kind": "jinja", "template": "…"}`, which the server replaces by their
 * value before it stores a deployment or creates a run (facts/rules.md §8).
 */

const KIND = '__prefect_kind';

/** Values of the workspace's variables by name. */
export type Variables = ReadonlyMap<string, Json>;

/** A placeholder that is not filled in yet (the UI leaves such behind): it vanishes from its parent. */
const nothing = Symbol('nothing');
type Hydrated = Json | typeof nothing;

/** True where some placeholder, at any depth, is of this kind (or of any kind). */
export function hasPlaceholder(value: Json | undefined, kind?: string): boolean {
  if (Array.isArray(value)) return value.some((element) => hasPlaceholder(element, kind));
  if (!isJsonObject(value)) return false;
  if (KIND in value && (kind === undefined || value[KIND] === kind)) return true;
  return Object.values(value).some((field) => hasPlaceholder(field, kind));
}

/** The content of a placeholder, which may be another placeholder. */
function contentOf(placeholder: JsonObject, key: string, variables: Variables): Hydrated {
  const content = placeholder[key];
  return isJsonObject(content) ? hydrateValue(content, variables) : (content ?? null);
}

function parseText(text: string): Json {
  try {
    return parseJson(text) as Json;
  } catch (error) {
    throw new BadRequestError(`Invalid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function hydratePlaceholder(placeholder: JsonObject, variables: Variables): Hydrated {
  switch (placeholder[KIND]) {
    case 'none':
      if (!('value' in placeholder)) throw new BadRequestError('A placeholder of kind none needs a value.');
      return hydrateValue(placeholder['value'] ?? null, variables);
    case 'json': {
      if (!('value' in placeholder)) return nothing;
      const content = contentOf(placeholder, 'value', variables);
      return typeof content === 'string' ? parseText(content) : content;
    }
    case 'jinja': {
      if (!('template' in placeholder)) throw new BadRequestError('A placeholder of kind jinja needs a template.');
      const content = contentOf(placeholder, 'template', variables);
      if (content === nothing) return nothing;
      if (typeof content !== 'string') throw new BadRequestError('Invalid Jinja template: a text is needed.');
      return renderTemplate(content);
    }
    case 'workspace_variable': {
      if (!('variable_name' in placeholder)) return nothing;
      const content = contentOf(placeholder, 'variable_name', variables);
      if (content === nothing) return nothing;
      const value = variables.get(String(content));
      if (value === undefined) throw new BadRequestError(`There is no variable '${String(content)}'.`);
      return value;
    }
    default:
      return placeholder['value'] ?? null;
  }
}

function hydrateValue(value: Json, variables: Variables): Hydrated {
  if (Array.isArray(value)) return value.map((element) => hydrateValue(element, variables)).filter((element) => element !== nothing);
  if (!isJsonObject(value)) return value;
  if (KIND in value) return hydratePlaceholder(value, variables);
  const hydrated: JsonObject = {};
  for (const [key, field] of Object.entries(value)) {
    const result = hydrateValue(field ?? null, variables);
    if (result !== nothing) hydrated[key] = result;
  }
  return hydrated;
}

/** Replaces all placeholders by their values. Throws BadRequestError where one cannot be. */
export function hydrate(parameters: JsonObject, variables: Variables): JsonObject {
  if (!hasPlaceholder(parameters)) return parameters;
  const hydrated = hydrateValue(parameters, variables);
  if (hydrated === nothing) return {};
  if (!isJsonObject(hydrated)) throw new BadRequestError('Parameters must be an object.');
  return hydrated;
}
