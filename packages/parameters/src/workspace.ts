import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import type { JsonObject } from '@praetor/schema/json';
import { type Variables, hasPlaceholder, hydrate } from './hydration.ts';

/** The workspace's variables, read only where a placeholder asks for one. */
export async function readVariables(db: Kysely<Tables>, parameters: JsonObject): Promise<Variables> {
  if (!hasPlaceholder(parameters, 'workspace_variable')) return new Map();
  const variables = await db.selectFrom('variable').select(['name', 'value']).execute();
  return new Map(variables.map(({ name, value }) => [name, value]));
}

/** Replaces the placeholders of parameters by their values, templates by what `render` makes of them. Throws BadRequestError. */
export async function hydrateParameters(db: Kysely<Tables>, parameters: JsonObject, render?: (template: string) => string): Promise<JsonObject> {
  return hydrate(parameters, await readVariables(db, parameters), render);
}
