import { rm } from 'node:fs/promises';
import { join } from 'node:path';

const LITTLE_MEMORY = ['-c', 'shared_buffers=16MB', '-c', 'wal_buffers=1MB'];

/**
 * Postgres compiled to WebAssembly, within this process, behind a socket. It serves one connection: the messages of several
 * would be mixed. It does not flush to disk, so a loss of power may lose or damage data.
 */
export async function runPglite(dataFolder: string, socketFolder: string): Promise<AsyncDisposable> {
  const [{ PGlite }, { pg_trgm }, { PGLiteSocketServer }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('@electric-sql/pglite/contrib/pg_trgm'),
    import('@electric-sql/pglite-socket'),
  ]);
  const path = join(socketFolder, '.s.PGSQL.5432');
  await rm(path, { force: true });
  const db = await PGlite.create({ dataDir: dataFolder, extensions: { pg_trgm }, startParams: [...PGlite.defaultStartParams, ...LITTLE_MEMORY] });
  const server = new PGLiteSocketServer({ db, path, maxConnections: 1 });
  await server.start();
  return {
    async [Symbol.asyncDispose]() {
      await server.stop();
      await db.close();
    },
  };
}
