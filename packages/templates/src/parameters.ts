import { type Json, type JsonObject, isJsonObject, parseJson } from '@praetor/schema/json';
import { findTemplateFault } from './validate.ts';

/* Templates inside of the parameters of a run-deployment action (facts/events.md §7, Templates). */

const KIND = '__prefect_kind';

/** Whether rendering could change a text at all. */
export function isTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%');
}

/** A text that is one single expression keeps the type of its value; any other text stays a text. */
function toPlaceholder(text: string): JsonObject {
  const trimmed = text.trim();
  const isSingle = trimmed.startsWith('{{') && trimmed.endsWith('}}') && trimmed.split('{{').length === 2;
  if (!isSingle) return { [KIND]: 'jinja', template: text };
  return { [KIND]: 'json', value: { [KIND]: 'jinja', template: `{{ ${trimmed.slice(2, -2).trim()} | tojson }}` } };
}

function upgrade(value: Json | undefined): Json {
  if (typeof value === 'string') return isTemplate(value) ? toPlaceholder(value) : value;
  if (Array.isArray(value)) return value.map((element) => (Array.isArray(element) ? element : upgrade(element)));
  return isJsonObject(value) ? upgradeTemplates(value) : (value ?? null);
}

/** A copy of parameters in which plain texts that hold templates are placeholders; what is inside of a placeholder stays. */
export function upgradeTemplates(parameters: JsonObject): JsonObject {
  if (KIND in parameters) return parameters;
  return Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, upgrade(value)]));
}

function faultOfText(text: string): string | undefined {
  try {
    parseJson(text);
    return undefined;
  } catch (error) {
    return `Invalid JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const missing = (key: string) => `Missing '${key}' key in a placeholder`;

/** What is wrong with a placeholder as far as it can be told without rendering it. */
function faultOfPlaceholder(placeholder: JsonObject): string | undefined {
  const inner = (key: string) => {
    const value = placeholder[key];
    return isJsonObject(value) && KIND in value ? faultOfPlaceholder(value) : undefined;
  };
  switch (placeholder[KIND]) {
    case 'none':
      return 'value' in placeholder ? inner('value') : missing('value');
    case 'json':
      return typeof placeholder['value'] === 'string' ? faultOfText(placeholder['value']) : inner('value');
    case 'jinja': {
      const { template } = placeholder;
      if (!('template' in placeholder)) return missing('template');
      if (typeof template !== 'string') return inner('template');
      const fault = findTemplateFault(template);
      return fault && `Invalid jinja: ${fault.message}`;
    }
    default:
      return undefined;
  }
}

/** Like Prefect, does not look into lists. */
function collectFaults(value: JsonObject, path: string): string[] {
  if (KIND in value) {
    const fault = faultOfPlaceholder(value);
    return fault === undefined ? [] : [`${path}${path && ': '}${fault}`];
  }
  return Object.entries(value).flatMap(([key, field]) => (isJsonObject(field) ? collectFaults(field, path === '' ? key : `${path}.${key}`) : []));
}

/** What is wrong with the templates in parameters, if anything is: one line for each. */
export function findParameterFault(parameters: JsonObject): string | undefined {
  const faults = collectFaults(upgradeTemplates(parameters), '');
  return faults.length === 0 ? undefined : faults.join('\n');
}
