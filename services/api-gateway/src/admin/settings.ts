import { z } from 'zod';
import type { Json, JsonObject } from '@praetor/schema/json';
import { json, jsonObject } from '@praetor/schema/primitives';
import { type Settings, valuesByName } from '@praetor/schema/settings';
import tree from './prefect-settings.json' with { type: 'json' };

/* The settings of the server in Prefect's own nesting, which the web UIs read (facts/hidden-endpoints.md §1). */

interface Field {
  /** The environment variables, as our settings know them too. */
  names: string[];
  /** The value of a server that was told nothing. */
  value: Json;
  schema: JsonObject;
}

interface Section {
  id: string;
  fields: Record<string, Field | Section>;
}

const field = z.object({ names: z.array(z.string()), value: json(), schema: jsonObject() });
const section: z.ZodType<Section> = z.lazy(() => z.object({ id: z.string(), fields: z.record(z.string(), z.union([field, section])) }));

/** Every setting of Prefect's by its place. What Praetor has no use for keeps its default. */
const root = section.parse(tree);

/** What pydantic shows of a secret. */
const MASK = '**********';

/** `P1DT2H`: seconds as pydantic writes a duration. */
export function formatDuration(seconds: number): string {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  const rest = Number((seconds % 60).toFixed(6));
  const time = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${rest ? `${rest}S` : ''}`;
  const text = `P${days ? `${days}D` : ''}${time ? `T${time}` : ''}`;
  return text === 'P' ? 'PT0S' : text;
}

/** The value of a setting as a schema has it: secrets masked, durations as text. */
function show(value: unknown, schema: JsonObject): Json {
  const { format, anyOf, additionalProperties } = schema;
  if (value === undefined || value === null) return null;
  if (format === 'password' || JSON.stringify(anyOf)?.includes('"password"')) return MASK;
  if (format === 'duration' && typeof value === 'number') return formatDuration(value);
  if (additionalProperties !== undefined && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, show(entry, Object(additionalProperties))]));
  return json().parse(value);
}

/** All settings of Prefect's, with the values that Praetor goes by. */
export function dumpSettings(settings: Settings): JsonObject {
  const ours = valuesByName(settings);
  const { host, port, basePath } = settings.api;
  const special = new Map<string, Json>([
    // There is no telemetry to switch on.
    ['PREFECT_SERVER_ANALYTICS_ENABLED', false],
    ['PREFECT_SERVER_API_BASE_PATH', basePath === '/api' ? null : basePath],
    ['PREFECT_SERVER_UI_API_URL', settings.ui.apiUrl ?? `http://${host}:${port}${basePath}`],
  ]);
  const valueOf = ({ names, value, schema }: Field): Json => {
    const name = names.find((known) => special.has(known) || ours.has(known));
    if (name === undefined) return show(value, schema);
    return special.get(name) ?? (special.has(name) ? null : show(ours.get(name), schema));
  };
  const dump = ({ fields }: Section): JsonObject => Object.fromEntries(Object.entries(fields).map(([key, entry]) => [key, 'fields' in entry ? dump(entry) : valueOf(entry)]));
  return dump(root);
}

function describe({ id, fields }: Section): z.ZodType {
  const shape = Object.entries(fields).map(([key, entry]) => [
    key,
    'fields' in entry
      ? describe(entry).optional().meta({ supported_environment_variables: [] })
      : z.unknown().optional().meta({ ...entry.schema, supported_environment_variables: entry.names }),
  ]);
  return z.object(Object.fromEntries(shape)).meta({ id });
}

export const settingsDump = describe(root);
