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

/** A JSON value in which a `Mark` may stand in place of a value. */
export type Marked<Mark> = Json | Mark | Marked<Mark>[] | { [key: string]: Marked<Mark> };
type Hydrated<Mark> = Marked<Mark> | typeof nothing;

/** How placeholders are filled in. */
export interface Hydration<Mark> {
  variables: Variables;
  /** What stands in place of a Jinja template. */
  render: (template: string) => Marked<Mark>;
  /** What stands in place of a placeholder that cannot be filled in, for a reason in words. */
  fail: (problem: string) => Mark;
}

/** True where some placeholder, at any depth, is of this kind (or of any kind). */
export function hasPlaceholder(value: Json | undefined, kind?: string): boolean {
  if (Array.isArray(value)) return value.some((element) => hasPlaceholder(element, kind));
  if (!isJsonObject(value)) return false;
  if (KIND in value && (kind === undefined || value[KIND] === kind)) return true;
  return Object.values(value).some((field) => hasPlaceholder(field, kind));
}

/** The content of a placeholder, which may be another placeholder. */
function contentOf<Mark>(placeholder: JsonObject, key: string, hydration: Hydration<Mark>): Hydrated<Mark> {
  const content = placeholder[key];
  return isJsonObject(content) ? hydrateValue(content, hydration) : (content ?? null);
}

function parseText<Mark>(text: string, { fail }: Hydration<Mark>): Marked<Mark> {
  try {
    return parseJson(text) as Json;
  } catch (error) {
    return fail(`Invalid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function hydratePlaceholder<Mark>(placeholder: JsonObject, hydration: Hydration<Mark>): Hydrated<Mark> {
  const { variables, render, fail } = hydration;
  switch (placeholder[KIND]) {
    case 'none':
      return 'value' in placeholder ? hydrateValue(placeholder['value'] ?? null, hydration) : fail('A placeholder of kind none needs a value.');
    case 'json': {
      if (!('value' in placeholder)) return nothing;
      const content = contentOf(placeholder, 'value', hydration);
      return typeof content === 'string' ? parseText(content, hydration) : content;
    }
    case 'jinja': {
      if (!('template' in placeholder)) return fail('A placeholder of kind jinja needs a template.');
      const content = contentOf(placeholder, 'template', hydration);
      if (content === nothing || typeof content === 'symbol') return content;
      return typeof content === 'string' ? render(content) : fail('Invalid Jinja template: a text is needed.');
    }
    case 'workspace_variable': {
      if (!('variable_name' in placeholder)) return nothing;
      const content = contentOf(placeholder, 'variable_name', hydration);
      if (content === nothing || typeof content === 'symbol') return content;
      const value = variables.get(String(content));
      return value === undefined ? fail(`There is no variable '${String(content)}'.`) : value;
    }
    default:
      return placeholder['value'] ?? null;
  }
}

/** Fills in all placeholders of a value. */
function hydrateValue<Mark>(value: Json, hydration: Hydration<Mark>): Hydrated<Mark> {
  if (Array.isArray(value))
    return value.flatMap((element) => {
      const result = hydrateValue(element, hydration);
      return result === nothing ? [] : [result];
    });
  if (!isJsonObject(value)) return value;
  if (KIND in value) return hydratePlaceholder(value, hydration);
  const hydrated: { [key: string]: Marked<Mark> } = {};
  for (const [key, field] of Object.entries(value)) {
    const result = hydrateValue(field ?? null, hydration);
    if (result !== nothing) hydrated[key] = result;
  }
  return hydrated;
}

/** Replaces all placeholders, or puts marks in the place of those that have no value. */
export function hydrateOrMark<Mark>(parameters: JsonObject, hydration: Hydration<Mark>): Marked<Mark> {
  const hydrated = hydrateValue(parameters, hydration);
  return hydrated === nothing ? {} : hydrated;
}

/**
 * Replaces all placeholders by their values; in templates nothing is defined but the language itself, unless `render` knows
 * more. Throws BadRequestError where one cannot be.
 */
export function hydrate(parameters: JsonObject, variables: Variables, render: (template: string) => string = renderTemplate): JsonObject {
  if (!hasPlaceholder(parameters)) return parameters;
  const fail = (problem: string): never => {
    throw new BadRequestError(problem);
  };
  const hydrated = hydrateOrMark<never>(parameters, { variables, render, fail });
  if (!isJsonObject(hydrated)) throw new BadRequestError('Parameters must be an object.');
  return hydrated;
}
