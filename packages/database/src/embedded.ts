import { access, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { lockHome } from './embedded/home-lock.ts';
import { createCluster, findPostgres, type PostgresInstallation, runPostgres } from './embedded/postgres.ts';

export { HomeInUseError } from './embedded/home-lock.ts';

type Kind = 'postgres' | 'pglite';

/** A database of this process's own, kept in a folder. */
export interface EmbeddedDatabase extends AsyncDisposable {
  /** For `connect`. */
  readonly url: string;
  readonly kind: Kind;
  /** The processes that serve it now; none for PGlite, which lives in ours. */
  readonly pids: readonly number[];
}

export interface EmbeddedOptions {
  /** The folder that holds everything; created where it is missing. */
  home: string;
  /** Takes what a user should know: a fallback, a restart. */
  log: (line: string) => void;
  /** Default: what the folder already holds, else Postgres where it can run. */
  kind?: Kind | undefined;
}

/** The kernel's limit on the path of a Unix socket is 104 (macOS) or 108 bytes. */
const MAX_SOCKET_FOLDER = 80;

/**
 * Opens the database in a folder, creating it at the first time. Only we can reach it: through a socket in a folder of
 * ours. What was committed survives `kill -9` of this process, of the database's, or of both. Throws HomeInUseError while
 * another process has it open.
 */
export async function openEmbedded({ home, log, kind }: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const folder = resolve(home);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await using opened = new AsyncDisposableStack();
  opened.use(lockHome(folder));
  const socketFolder = await createSocketFolder(folder);
  opened.defer(() => rm(socketFolder, { recursive: true, force: true }));
  const url = `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(socketFolder)}`;

  const installation = await chooseInstallation(folder, kind, log);
  if (installation === undefined) {
    const { runPglite } = await import('./embedded/pglite.ts');
    opened.use(await runPglite(join(folder, 'pglite'), socketFolder));
    return { url: `${url}&shared_session=true`, kind: 'pglite', pids: [], [Symbol.asyncDispose]: disposerOf(opened) };
  }
  const postgres = opened.use(await runPostgres(installation, join(folder, 'postgres'), socketFolder, log));
  return {
    url,
    kind: 'postgres',
    get pids() {
      return postgres.pid === undefined ? [] : [postgres.pid];
    },
    [Symbol.asyncDispose]: disposerOf(opened),
  };
}

/** Postgres with its cluster, or undefined for PGlite. Never leaves data behind for an empty database of the other kind. */
async function chooseInstallation(home: string, kind: Kind | undefined, log: (line: string) => void): Promise<PostgresInstallation | undefined> {
  const cluster = join(home, 'postgres');
  const hasCluster = await exists(cluster);
  if (kind === 'pglite' || (kind === undefined && !hasCluster && (await exists(join(home, 'pglite'))))) return undefined;
  try {
    const installation = await findPostgres(cluster);
    await createCluster(installation, cluster);
    return installation;
  } catch (error) {
    if (kind === 'postgres' || hasCluster) throw error;
    log(`Postgres cannot run here (${reasonOf(error)}): using PGlite, which is slower and not safe against a loss of power.`);
    return undefined;
  }
}

async function createSocketFolder(home: string): Promise<string> {
  const folder = join(home, 'socket');
  if (folder.length > MAX_SOCKET_FOLDER) return await mkdtemp(join(tmpdir(), 'praetor-'));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

function disposerOf(stack: AsyncDisposableStack): () => Promise<void> {
  const moved = stack.move();
  return () => moved.disposeAsync();
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false);
}

/** The line that tells, of what a program that failed has printed. */
function reasonOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n');
  return lines.find((line) => /error:|fatal:/i.test(line)) ?? lines.at(-1) ?? '';
}
