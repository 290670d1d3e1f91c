import { randomBytes } from 'node:crypto';
import { type Database, connect } from '@praetor/database/connect';
import { migrate } from '@praetor/database/migrate';

const ADMIN_URL = process.env['PRAETOR_TEST_POSTGRES_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres';

/** A migrated database of its own, dropped when disposed of. */
export interface TestDatabase extends Database {
  readonly url: string;
}

export function openDatabase(url: string): Database {
  return connect(url, { poolSize: 5, statementTimeoutSeconds: 30, applicationName: 'praetor-test' });
}

/** Creates a database for one test file. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `praetor_test_${randomBytes(6).toString('hex')}`;
  const admin = openDatabase(ADMIN_URL);
  await admin.sql.unsafe(`create database ${name}`);
  const url = Object.assign(new URL(ADMIN_URL), { pathname: `/${name}` }).href;
  const database = openDatabase(url);
  await migrate(database);
  return {
    url,
    kysely: database.kysely,
    sql: database.sql,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await admin.sql.unsafe(`drop database if exists ${name} with (force)`);
      await admin[Symbol.asyncDispose]();
    },
  };
}
