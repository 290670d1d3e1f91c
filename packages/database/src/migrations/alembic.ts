import { type QueryExecutorProvider, sql } from 'kysely';

/** The migration of the Python server (3.9.1) whose schema ours is. */
export const ALEMBIC_HEAD = '91e2b8f3d6a4';

/** The Python server's own note of its schema; undefined where it, or we in its stead, never made one. */
export async function readAlembicVersion(db: QueryExecutorProvider): Promise<string | undefined> {
  const { rows } = await sql<{ exists: boolean }>`select to_regclass('alembic_version') is not null as exists`.execute(db);
  if (rows[0]?.exists !== true) return undefined;
  const versions = await sql<{ version_num: string }>`select version_num from alembic_version`.execute(db);
  return versions.rows.map((row) => row.version_num).join(' ') || undefined;
}
