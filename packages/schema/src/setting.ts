import { z } from 'zod';

/** What a setting is called outside, and what it means. */
export interface SettingDescription {
  /** The environment variable. */
  name: string;
  /** Older names of Prefect's that are understood too. */
  aliases: readonly string[];
  description: string;
  /** The default as text, undefined when there is none. */
  fallback: string | undefined;
}

/** A value as a source gives it: text from the environment, anything from TOML. */
export type SettingValues = Readonly<Record<string, unknown>>;

const descriptions = z.registry<SettingDescription>();

// Prefect moved these groups from PREFECT_API_… to PREFECT_SERVER_… and still reads both.
function formerNames(name: string): string[] {
  return /^PREFECT_SERVER_(?:DATABASE|SERVICES)_/.test(name) ? [name.replace('PREFECT_SERVER_', 'PREFECT_API_')] : [];
}

function printValue(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A setting that always has a value. */
export function setting<T extends z.ZodType>(name: string, schema: T, fallback: z.util.NoUndefined<z.output<T>>, description: string, aliases: readonly string[] = []) {
  const leaf = z._default(schema, fallback);
  descriptions.add(leaf, { name, aliases: [...aliases, ...formerNames(name)], description, fallback: printValue(fallback) });
  return leaf;
}

/** A setting that is undefined unless given. */
export function optionalSetting<T extends z.ZodType>(name: string, schema: T, description: string, aliases: readonly string[] = []) {
  const leaf = z.optional(schema);
  descriptions.add(leaf, { name, aliases: [...aliases, ...formerNames(name)], description, fallback: undefined });
  return leaf;
}

/** Every setting below a schema, in its order, with its path in the parsed settings. */
function* leaves(schema: z.ZodObject, path: readonly string[] = []): Generator<{ path: readonly string[]; info: SettingDescription }> {
  for (const [key, field] of Object.entries(schema.shape)) {
    const info = descriptions.get(field);
    if (info !== undefined) yield { path: [...path, key], info };
    else if (field instanceof z.ZodObject) yield* leaves(field, [...path, key]);
  }
}

export function describeSettings(schema: z.ZodObject): SettingDescription[] {
  return [...leaves(schema)].map(({ info }) => info);
}

/** The values of parsed settings by each of their names. */
export function readValues(schema: z.ZodObject, settings: unknown): Map<string, unknown> {
  return new Map(
    [...leaves(schema)].flatMap(({ path, info }) => {
      const value = path.reduce<unknown>((parent, key) => Reflect.get(Object(parent), key), settings);
      return [info.name, ...info.aliases].map((name): [string, unknown] => [name, value]);
    }),
  );
}

/** Something is wrong with the settings; the message has one line per variable and never shows a value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** The variable that gives this setting its value, if any does. Empty text counts as not given, as it does for Prefect. */
function givenName(info: SettingDescription, values: SettingValues): string | undefined {
  return [info.name, ...info.aliases].find((name) => values[name] !== undefined && values[name] !== '');
}

/** The flat values in the schema's own nesting. */
function nest(schema: z.ZodObject, values: SettingValues): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema.shape).map(([key, field]) => {
      const info = descriptions.get(field);
      if (info === undefined) return [key, field instanceof z.ZodObject ? nest(field, values) : undefined];
      const name = givenName(info, values);
      return [key, name === undefined ? undefined : values[name]];
    }),
  );
}

/**
 * Reads settings out of flat values by environment name; unknown names are ignored, since clients share the same files.
 * Throws SettingsError naming each variable that does not fit.
 */
export function parseValues<T extends z.ZodObject>(schema: T, values: SettingValues): z.output<T> {
  const result = schema.safeParse(nest(schema, values));
  if (result.success) return result.data;
  const all = [...leaves(schema)];
  // What is wrong may be a part of the setting's value, deeper than the setting itself.
  const nameAt = (at: readonly PropertyKey[]) => {
    const found = all.find(({ path }) => path.every((key, index) => key === at[index]));
    return found && (givenName(found.info, values) ?? found.info.name);
  };
  throw new SettingsError(result.error.issues.map((issue) => `${nameAt(issue.path)}: ${issue.message}`).join('\n'));
}
