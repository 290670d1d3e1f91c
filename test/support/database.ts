import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, connect } from '@praetor/database/connect';
import { migrate } from '@praetor/database/migrate';
import { sqlOf } from '@praetor/database/sql';

const ADMIN_URL = process.env['PRAETOR_TEST_POSTGRES_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
const MIGRATIONS = join(import.meta.dirname, '../../packages/database/src/migrations');
/** One process at a time builds the template. */
const TEMPLATE_LOCK = 4_200_392;

/** A migrated database of its own, dropped when disposed of. */
export interface TestDatabase extends Database {
  readonly url: string;
}

export function openDatabase(url: string): Database {
  return connect(url, { poolSize: 5, statementTimeoutSeconds: 30, applicationName: 'praetor-test' });
}

/** Whether the Postgres for tests answers (PRAETOR_TEST_POSTGRES_URL). */
export async function isPostgresReachable(): Promise<boolean> {
  await using admin = openDatabase(ADMIN_URL);
  return await admin.sql`select 1`.then(() => true, () => false);
}

/** Creates a database for one test file, migrated or empty. Safe in any number of processes at once. */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const name = `praetor_test_${randomBytes(6).toString('hex')}`;
  const admin = openDatabase(ADMIN_URL);
  await admin.sql.unsafe(`create database ${name} template ${migrated ? await prepareTemplate(admin) : 'template1'}`);
  const url = urlOf(name);
  const database = openDatabase(url);
  return {
    url,
    kysely: database.kysely,
    sql: database.sql,
    isReachable: () => database.isReachable(),
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await admin.sql.unsafe(`drop database if exists ${name} with (force)`);
      await admin[Symbol.asyncDispose]();
    },
  };
}

/** The name of a migrated database to copy, made once per state of the migrations: copying takes a tenth of migrating. */
async function prepareTemplate({ kysely, sql }: Database): Promise<string> {
  const template = `praetor_template_${hashMigrations()}`;
  const exists = async () => (await sql`select from pg_database where datname = ${template}`).length > 0;
  if (await exists()) return template;
  return await kysely.connection().execute(async (session) => {
    const locked = sqlOf(session);
    await locked`select pg_advisory_lock(${TEMPLATE_LOCK})`;
    if (!(await exists())) {
      const unfinished = `${template}_unfinished`;
      await sql.unsafe(`drop database if exists ${unfinished} with (force)`);
      await sql.unsafe(`create database ${unfinished}`);
      {
        await using database = openDatabase(urlOf(unfinished));
        await migrate(database);
      }
      await sql.unsafe(`alter database ${unfinished} rename to ${template}`);
    }
    await locked`select pg_advisory_unlock(${TEMPLATE_LOCK})`;
    return template;
  });
}

function hashMigrations(): string {
  const files = readdirSync(MIGRATIONS, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const hash = createHash('sha256');
  for (const file of files.toSorted()) hash.update(readFileSync(join(MIGRATIONS, file)));
  return hash.digest('hex').slice(0, 12);
}

function urlOf(name: string): string {
  return Object.assign(new URL(ADMIN_URL), { pathname: `/${name}` }).href;
}
