import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sql } from 'kysely';
import { assertMigrated, IncompatibleDatabaseError, migrate, MIGRATIONS } from '@praetor/database/migrate';
import { UNUSED_INDEXES } from '@praetor/database/migrations/0004_unused_indexes';
import type { Migration } from '@praetor/database/migrations/migration';
import { createTestDatabase, isPostgresReachable, openDatabase } from '@praetor/test/support/database';
import { describeSchema } from './describe-schema.ts';

const skip = (await isPostgresReachable()) ? false : 'needs Postgres';

/** The schema that the Python server 3.9.1 makes, described by `describeSchema`. */
const PREFECT = (await readFile(join(import.meta.dirname, 'prefect-3.9.1-schema.txt'), 'utf8')).trim().split('\n');

/** The same without the indexes that we drop. */
const OURS = PREFECT.filter((line) => !UNUSED_INDEXES.some((name) => line.split(/[^\w]+/).includes(name)));

const newer = (breaking: boolean): Migration => ({
  name: '9999_tomorrow',
  breaking,
  transactional: true,
  up: async (db) => void (await sql`create table praetor.tomorrow ()`.execute(db)),
});

describe('migrate', { skip }, () => {
  test('gives an empty database the schema of Prefect 3.9.1, line by line', async () => {
    await using database = await createTestDatabase({ migrated: false });
    await migrate(database, undefined, MIGRATIONS.slice(0, 1));
    assert.deepEqual(await describeSchema(database.sql), PREFECT);
    await migrate(database);
    assert.deepEqual(await describeSchema(database.sql), OURS);
    assert.equal(PREFECT.length - OURS.length, UNUSED_INDEXES.length);
    assert.deepEqual(await database.sql`select version_num from alembic_version`, [{ version_num: '91e2b8f3d6a4' }]);
    await assertMigrated(database);
  });

  test('adopts a database of Prefect 3.9.1 and adds our tables', async () => {
    await using database = await createTestDatabase();
    await database.sql`drop schema praetor cascade`;
    await database.sql`drop index praetor_ix_flow_run__scheduled_work_queue`;
    await database.sql`insert into flow (name) values ('kept')`;
    const applied: string[] = [];
    await migrate(database, { info: (message) => applied.push(message) });
    assert.equal(applied.length, MIGRATIONS.length);
    assert.deepEqual(await database.sql`select name from flow`, [{ name: 'kept' }]);
    assert.deepEqual(await database.sql`select count(*) from praetor.outbox`, [{ count: 0 }]);
    assert.deepEqual(await describeSchema(database.sql), OURS);
  });

  test('moves limits on tags to where the API finds them, with who holds their slots', async () => {
    await using database = await createTestDatabase();
    const [id, holder, other] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000003'];
    await database.sql`drop schema praetor cascade`;
    await database.sql`
      insert into concurrency_limit (id, tag, concurrency_limit, active_slots)
      values (${id}::uuid, 'old', 2, jsonb_build_array(${holder}::text)), (${other}::uuid, 'both', 2, jsonb_build_array(${holder}::text))`;
    await database.sql`
      insert into concurrency_limit_v2 (active, name, "limit", active_slots, denied_slots, slot_decay_per_second, avg_slot_occupancy_seconds)
      values (true, 'tag:both', 5, 0, 0, 0, 2)`;
    await migrate(database);
    assert.deepEqual(await database.sql`select count(*)::integer as count from concurrency_limit`, [{ count: 0 }]);
    assert.deepEqual(await database.sql`select name, "limit", active_slots from concurrency_limit_v2 order by name`, [
      { name: 'tag:both', limit: 5, active_slots: 0 },
      { name: 'tag:old', limit: 2, active_slots: 1 },
    ]);
    assert.deepEqual(await database.sql`select resource_ids, slots, holder_type, holder_id from praetor.lease`, [
      { resource_ids: [id], slots: 1, holder_type: 'task_run', holder_id: holder },
    ]);
  });

  test('refuses a database of another version of Prefect, and changes nothing in it', async () => {
    await using database = await createTestDatabase({ migrated: false });
    await database.sql`create table alembic_version (version_num varchar(32))`;
    await database.sql`insert into alembic_version values ('d4a7e1c93f52')`;
    await assert.rejects(migrate(database), { name: 'IncompatibleDatabaseError', message: /another version of Prefect \(d4a7e1c93f52\).*91e2b8f3d6a4/ });
    assert.deepEqual(await database.sql`select to_regclass('praetor.outbox') as outbox`, [{ outbox: null }]);
  });

  test('refuses a database that Prefect has taken back and moved on', async () => {
    await using database = await createTestDatabase();
    await database.sql`update alembic_version set version_num = 'ffffffffffff'`;
    await assert.rejects(migrate(database), IncompatibleDatabaseError);
    await assert.rejects(assertMigrated(database), IncompatibleDatabaseError);
  });

  test('refuses to be older than the database, unless what is new does not concern it', async () => {
    await using database = await createTestDatabase();
    await migrate(database, undefined, [...MIGRATIONS, newer(true)]);
    await assert.rejects(migrate(database), { name: 'IncompatibleDatabaseError', message: /newer than this server.*9999_tomorrow/ });
    await assert.rejects(assertMigrated(database), IncompatibleDatabaseError);
    await database.sql`update praetor.migration set breaking = false where name = '9999_tomorrow'`;
    await migrate(database);
    await assertMigrated(database);
  });

  test('is harmless when many run it at once', async () => {
    await using database = await createTestDatabase({ migrated: false });
    const applied: string[] = [];
    const migrators = Array.from({ length: 4 }, () => openDatabase(database.url));
    await Promise.all(migrators.map((migrator) => migrate(migrator, { info: (message) => applied.push(message) })));
    assert.equal(applied.length, MIGRATIONS.length);
    assert.deepEqual(await describeSchema(database.sql), OURS);
    await Promise.all(migrators.map((migrator) => migrator[Symbol.asyncDispose]()));
  });

  test('leaves nothing of a transactional migration that fails, and goes on where it stopped', async () => {
    await using database = await createTestDatabase();
    const failing: Migration = { ...newer(true), up: async (db) => void (await sql.raw('create table praetor.half (); select 1 / 0').execute(db)) };
    await assert.rejects(migrate(database, undefined, [...MIGRATIONS, failing]));
    assert.deepEqual(await database.sql`select to_regclass('praetor.half') as half`, [{ half: null }]);
    await migrate(database, undefined, [...MIGRATIONS, newer(true)]);
    assert.deepEqual(await database.sql`select name from praetor.migration order by name desc limit 1`, [{ name: '9999_tomorrow' }]);
  });

  test('builds an index again that a crash left invalid', async () => {
    await using database = await createTestDatabase();
    const name = 'praetor_ix_flow_run__scheduled_work_queue';
    await database.sql`update pg_index set indisvalid = false where indexrelid = ${name}::regclass`;
    await database.sql`delete from praetor.migration where name = '0003_indexes'`;
    await migrate(database);
    assert.deepEqual(await database.sql`select indisvalid from pg_index where indexrelid = ${name}::regclass`, [{ indisvalid: true }]);
  });

  test('does without the indexes for searches in names where pg_trgm cannot be had', async () => {
    await using database = await createTestDatabase({ migrated: false });
    // The extension would create this function too, and fails.
    await database.sql`create function set_limit(real) returns real language sql return 0`;
    await migrate(database);
    assert.deepEqual(await describeSchema(database.sql), OURS.filter((line) => !line.includes('gin_trgm_ops')));
  });
});
