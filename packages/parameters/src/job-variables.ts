import { type JsonObject, isJsonObject, parseJson, toJson } from '@praetor/schema/json';
import { findMisfit, findSchemaFault } from './json-schema.ts';
import { memoize } from './memo.ts';

/*
 * Job variables: the base job template of a work pool declares them, with defaults; a deployment and then a run may
 * override them. Required ones must be there only where nothing can be added any more: for a run (facts/rules.md §8).
 */

/** The schema of the variables of a base job template, if it has one. */
function variablesOf(template: JsonObject): JsonObject | undefined {
  const { variables } = template;
  return isJsonObject(variables) && Object.keys(variables).length > 0 ? variables : undefined;
}

function defaultsOf(variables: JsonObject): JsonObject {
  const properties = isJsonObject(variables['properties']) ? Object.entries(variables['properties']) : [];
  return Object.fromEntries(properties.flatMap(([name, property]) => (isJsonObject(property) && 'default' in property ? [[name, property['default']]] : [])));
}

interface Defaults {
  values: JsonObject;
  /** Some default does not fit its own schema; it may be the one of a required variable. */
  someMisfit: boolean;
}

const fittingDefaults = memoize(500, (text): Defaults => {
  const variables = parseJson(text) as JsonObject;
  const defaults = Object.entries(defaultsOf(variables));
  const fitting = defaults.filter(([name, value]) => findMisfit({ [name]: value }, variables, { required: false }) === undefined);
  return { values: Object.fromEntries(fitting), someMisfit: fitting.length < defaults.length };
});

/** What is wrong with the overrides of a deployment (`isComplete` false) or of a deployment and its run (true). */
export function findJobVariableMisfit(template: JsonObject, overrides: JsonObject, { isComplete }: { isComplete: boolean }): string | undefined {
  const variables = variablesOf(template);
  if (variables === undefined) return undefined;
  const fault = findSchemaFault(variables);
  if (fault !== undefined) return fault;
  const { values, someMisfit } = fittingDefaults(toJson(variables));
  return findMisfit({ ...values, ...overrides }, variables, { required: isComplete && !someMisfit, nullForDefault: true });
}

/** What is wrong with the defaults of a base job template. */
export function findDefaultMisfit(template: JsonObject): string | undefined {
  const variables = variablesOf(template);
  if (variables === undefined) return undefined;
  return findSchemaFault(variables) ?? findMisfit(defaultsOf(variables), variables, { required: false, nullForDefault: true });
}

/** The block documents that defaults of a base job template refer to: `{"$ref": {"block_document_id": …}}`. */
export function referencedBlocks(template: JsonObject): string[] {
  const variables = variablesOf(template);
  if (variables === undefined) return [];
  return Object.values(defaultsOf(variables)).flatMap((value) => {
    const reference = isJsonObject(value) ? value['$ref'] : undefined;
    const id = isJsonObject(reference) ? reference['block_document_id'] : undefined;
    return typeof id === 'string' ? [id] : [];
  });
}
