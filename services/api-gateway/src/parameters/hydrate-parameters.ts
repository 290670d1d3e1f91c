import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import type { JsonObject } from '@praetor/schema/json';
import { hasPlaceholder, hydrate } from './hydration.ts';

/** Replaces all placeholders of parameters; variables are read only where one is asked for. Throws BadRequestError. */
export async function hydrateParameters(db: Kysely<Tables>, parameters: JsonObject): Promise<JsonObject> {
  if (!hasPlaceholder(parameters)) return parameters;
  const variables = hasPlaceholder(parameters, 'workspace_variable') ? await db.selectFrom('variable').select(['name', 'value']).execute() : [];
  return hydrate(parameters, new Map(variables.map(({ name, value }) => [name, value])));
}
