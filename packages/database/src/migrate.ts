import { type Kysely, type QueryExecutorProvider, sql } from 'kysely';
import type { Database } from './connect.ts';
import { prefectTables } from './migrations/0001_prefect_tables.ts';
import { praetorTables } from './migrations/0002_praetor_tables.ts';
import { ownIndexes } from './migrations/0003_indexes.ts';
import { unusedIndexes } from './migrations/0004_unused_indexes.ts';
import { cleanupMessages } from './migrations/0005_cleanup_messages.ts';
import { automations } from './migrations/0006_automations.ts';
import { observedStates } from './migrations/0007_observed_states.ts';
import { taskWorkers } from './migrations/0008_task_workers.ts';
import { tagLimits } from './migrations/0009_tag_limits.ts';
import { intake } from './migrations/0010_intake.ts';
import { ALEMBIC_HEAD, readAlembicVersion } from './migrations/alembic.ts';
import { IncompatibleDatabaseError, type Migration } from './migrations/migration.ts';
import type { Tables } from './tables.ts';

export { IncompatibleDatabaseError } from './migrations/migration.ts';

export const MIGRATIONS: readonly Migration[] = [prefectTables, praetorTables, ownIndexes, unusedIndexes, cleanupMessages, automations, observedStates, taskWorkers, tagLimits, intake];

/** Any number that nobody else locks. */
const LOCK = 4_200_391;

/**
 * Brings the tables up to date: those of Prefect 3.9.1 (a database which that version made is adopted) and our own. Any
 * number of processes may call it at once; one works and the others wait. Throws IncompatibleDatabaseError where the
 * database belongs to a newer server or to another version of Prefect.
 */
export async function migrate(database: Database, logger?: { info(message: string): void }, migrations = MIGRATIONS): Promise<void> {
  await database.kysely.connection().execute(async (session) => {
    await sql`set statement_timeout = 0`.execute(session);
    await lock(session);
    try {
      await createLedger(session);
      const pending = await findPending(session, migrations);
      for (const migration of pending) {
        await apply(session, migration);
        logger?.info(`Applied migration ${migration.name}`);
      }
    } finally {
      await sql`select pg_advisory_unlock(${sql.lit(LOCK)})`.execute(session);
      await sql`reset statement_timeout`.execute(session);
    }
  });
}

/**
 * Refuses a database that is not ready for this server, for processes that do not migrate themselves: throws
 * IncompatibleDatabaseError where it is newer, of another version of Prefect, or not migrated yet.
 */
export async function assertMigrated(database: Database, migrations = MIGRATIONS): Promise<void> {
  const db = database.kysely;
  const { rows } = await sql<{ exists: boolean }>`select to_regclass('praetor.migration') is not null as exists`.execute(db);
  const pending = rows[0]?.exists === true ? await findPending(db, migrations) : migrations;
  if (pending.length > 0) throw new IncompatibleDatabaseError('The database is not up to date: run `pnpm migrate`.');
}

/*
 * Asks again and again instead of waiting in Postgres: a waiting statement holds a snapshot, and the concurrent index build
 * of the process that has the lock would wait for it, each for the other.
 */
async function lock(session: QueryExecutorProvider): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ locked: boolean }>`select pg_try_advisory_lock(${sql.lit(LOCK)}) as locked`.execute(session);
    if (rows[0]?.locked === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function createLedger(session: QueryExecutorProvider): Promise<void> {
  await sql
    .raw(
      `create schema if not exists praetor;
       create table if not exists praetor.migration (name text primary key, breaking boolean not null, applied timestamptz not null default clock_timestamp())`,
    )
    .execute(session);
}

/** The migrations that the database lacks, in order. */
async function findPending(db: QueryExecutorProvider, migrations: readonly Migration[]): Promise<Migration[]> {
  const { rows: applied } = await sql<{ name: string; breaking: boolean }>`select name, breaking from praetor.migration order by name`.execute(db);
  const unknown = applied.filter(({ name, breaking }) => breaking && !migrations.some((migration) => migration.name === name));
  if (unknown.length > 0) {
    throw new IncompatibleDatabaseError(`The database is newer than this server: it has had ${unknown.map(({ name }) => name).join(', ')}. Start the newer version of Praetor.`);
  }
  const version = await readAlembicVersion(db);
  if (version !== undefined && version !== ALEMBIC_HEAD) {
    throw new IncompatibleDatabaseError(
      `The database is of another version of Prefect (${version}); this server needs ${ALEMBIC_HEAD}: run \`prefect server database upgrade\` of Prefect 3.9.1 on it first.`,
    );
  }
  return migrations.filter((migration) => !applied.some(({ name }) => name === migration.name));
}

/** Applies a migration and notes it, both or neither if it is transactional. */
async function apply(session: Kysely<Tables>, migration: Migration): Promise<void> {
  const work = async (db: QueryExecutorProvider) => {
    await migration.up(db);
    await sql`insert into praetor.migration (name, breaking) values (${migration.name}, ${migration.breaking})`.execute(db);
  };
  await (migration.transactional ? session.transaction().execute(work) : work(session));
}
