import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestDatabase, createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';
import { until } from '@praetor/test/support/poll';
import { findFreePort } from '@praetor/test/support/ports';
import { installPrefect } from '@praetor/test/support/prefect';
import { findTopologies } from '@praetor/test/support/server';
import type { Twins } from './twin-client.ts';

const START_SECONDS = 180;

/** Loops that change what a sequence has made, at moments of their own; both servers have them switched off. */
const QUIET = Object.fromEntries(
  ['SCHEDULER', 'LATE_RUNS', 'FOREMAN', 'PAUSE_EXPIRATIONS', 'CANCELLATION_CLEANUP', 'REPOSSESSOR'].map((service) => [`PREFECT_SERVER_SERVICES_${service}_ENABLED`, 'false']),
);

/** Both servers on new databases: two of the Postgres where one is reachable, or SQLite and the embedded Postgres. */
export async function startTwins(): Promise<Twins & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const hasPostgres = await isPostgresReachable();
  const openDatabase = async (migrated: boolean) => (hasPostgres ? started.use(await createTestDatabase({ migrated })).url : undefined);
  const real = await startPrefect(started, await openDatabase(false));
  const [standalone] = await findTopologies();
  if (standalone === undefined) throw new Error('There is no way to run Praetor.');
  const ours = started.use(await standalone.start({ ...QUIET, PREFECT_SERVER_DATABASE_CONNECTION_URL: await openDatabase(true) }));
  const owned = started.move();
  return { real, ours: ours.apiUrl, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Both servers on one database, which Praetor has made; the background services are Praetor's. */
export async function startOnOneDatabase(): Promise<Twins & { database: TestDatabase } & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const database = started.use(await createTestDatabase());
  const [standalone] = await findTopologies();
  if (standalone === undefined) throw new Error('There is no way to run Praetor.');
  const ours = started.use(await standalone.start({ ...QUIET, PREFECT_SERVER_DATABASE_CONNECTION_URL: database.url }));
  const real = await startPrefect(started, database.url, ['--no-services']);
  const owned = started.move();
  return { real, ours: ours.apiUrl, database, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Starts the real server, installed on first use; gives the base URL of its API when it is ready. */
async function startPrefect(started: AsyncDisposableStack, databaseUrl?: string, options: readonly string[] = []): Promise<string> {
  const { prefect } = await installPrefect('3.9.1');
  const home = await mkdtemp(path.join(tmpdir(), 'praetor-prefect-'));
  started.defer(() => rm(home, { recursive: true, force: true }));
  const port = await findFreePort();
  const { PREFECT_API_URL: _, ...inherited } = process.env;
  const child = spawn(prefect, ['server', 'start', '--host', '127.0.0.1', '--port', String(port), ...options], {
    env: {
      ...inherited,
      ...QUIET,
      PREFECT_HOME: home,
      PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
      DO_NOT_TRACK: '1',
      ...(databaseUrl !== undefined && { PREFECT_SERVER_DATABASE_CONNECTION_URL: databaseUrl.replace(/^postgres(ql)?:/, 'postgresql+asyncpg:') }),
    },
    stdio: 'ignore',
  });
  const exited = once(child, 'close');
  started.defer(async () => {
    child.kill();
    await exited;
  });
  const url = `http://127.0.0.1:${port}/api`;
  await until(
    'the real server is ready',
    async () => {
      if (child.exitCode !== null) throw new Error(`the real server ended with ${child.exitCode}`);
      return await fetch(`${url}/ready`).then((response) => response.ok, () => false);
    },
    START_SECONDS,
  );
  return url;
}
