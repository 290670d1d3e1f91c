import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, parseEnv } from 'node:util';
import { parse as parseToml } from 'smol-toml';
import { SETTINGS, type Settings, parseSettings } from '@praetor/schema/settings';
import { type SettingValues, SettingsError } from '@praetor/schema/setting';

export interface SettingSources {
  /** Command line without the program. */
  argv?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Folder of `.env`, `praetor.toml` and `prefect.toml`. */
  cwd?: string;
  /** What counts where no source says anything, before the defaults of the settings. */
  fallbacks?: SettingValues;
}

const FLAGS = { port: 'PREFECT_SERVER_API_PORT', host: 'PREFECT_SERVER_API_HOST', home: 'PRAETOR_HOME' } as const;

function fromArguments(argv: readonly string[]): SettingValues {
  const option = { type: 'string' } as const;
  try {
    const { values } = parseArgs({ args: [...argv], options: { port: option, host: option, home: option } });
    return Object.fromEntries(Object.entries(FLAGS).map(([flag, name]) => [name, values[flag as keyof typeof FLAGS]]));
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error));
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** `[server.api] port` is PREFECT_SERVER_API_PORT, as in Prefect; the table `[praetor]` holds our own settings. */
function flatten(table: object, path: readonly string[] = []): [string, unknown][] {
  return Object.entries(table).flatMap(([key, value]: [string, unknown]): [string, unknown][] => {
    const keys = [...path, key];
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return flatten(value, keys);
    return [[(keys[0] === 'praetor' ? keys : ['prefect', ...keys]).join('_').toUpperCase(), value]];
  });
}

function fromToml(path: string): SettingValues {
  const text = readIfPresent(path);
  if (text === undefined) return {};
  try {
    return Object.fromEntries(flatten(parseToml(text)));
  } catch (error) {
    throw new SettingsError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Each name of a setting with all of its names. */
const NAMES = new Map(SETTINGS.flatMap(({ name, aliases }) => [name, ...aliases].map((one): [string, readonly string[]] => [one, [name, ...aliases]])));

/** Later sources win, by whichever name they call a setting; a source that says nothing, or an empty text, hides nothing. */
function overlay(sources: readonly SettingValues[]): SettingValues {
  const values = new Map<string, unknown>();
  for (const source of sources) {
    const given = Object.entries(source).filter(([, value]) => value !== undefined && value !== '');
    for (const [name] of given) for (const other of NAMES.get(name) ?? []) values.delete(other);
    for (const [name, value] of given) values.set(name, value);
  }
  return Object.fromEntries(values);
}

/**
 * The settings of this process. Precedence: flags (--port --host --home), environment, `.env`, `praetor.toml`,
 * `prefect.toml`, defaults. Prefect's profiles are a client's matter and are not read. Throws SettingsError.
 */
export function loadSettings({ argv = process.argv.slice(2), env = process.env, cwd = process.cwd(), fallbacks = {} }: SettingSources = {}): Settings {
  const settings = parseSettings(
    overlay([
      fallbacks,
      fromToml(join(cwd, 'prefect.toml')),
      fromToml(join(cwd, 'praetor.toml')),
      parseEnv(readIfPresent(join(cwd, '.env')) ?? ''),
      env,
      fromArguments(argv),
    ]),
  );
  return { ...settings, home: settings.home.replace(/^~(?=$|\/)/, homedir()) };
}
