import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { readShared } from '@praetor/database/shared-reads';
import { createTestDatabase } from '@praetor/test/support/database';
import { test } from '@praetor/test/support/postgres-test';

test('shared reads', async (t) => {
  await using database = await createTestDatabase();
  const { kysely } = database;
  await sql`create sequence runs`.execute(kysely);
  const read = async (seconds = 0.1) => (await readShared(kysely, sql<{ run: number }>`select nextval('runs') as run, pg_sleep(${seconds})::text`))[0]?.run;

  await t.test('those who ask in the same turn share a statement; those who ask while it runs share the next one', async () => {
    const early = [read(), read()];
    await sleep(20);
    assert.deepEqual(await Promise.all([...early, read(), read(), read()]), [1, 1, 2, 2, 2]);
    assert.equal(await read(), 3);
  });

  await t.test('different parameters are different questions', async () => {
    assert.equal(new Set(await Promise.all([read(0.1), read(0.11), read(0.12)])).size, 3);
  });

  await t.test('a failure is for those who shared it, and ends with it', async () => {
    const fail = (text: string) => readShared(kysely, sql<object>`select ${text}::integer, pg_sleep(0.05)`);
    const answers = await Promise.allSettled([fail('x'), fail('x'), fail('x')]);
    assert.deepEqual(answers.map(({ status }) => status), ['rejected', 'rejected', 'rejected']);
    assert.ok(await read());
  });

  await t.test('whoever has written finds what he wrote, whatever others are reading', async () => {
    await sql`create table written (id integer)`.execute(kysely);
    const count = async () => (await readShared(kysely, sql<{ count: number }>`select count(*) as count, pg_sleep(0.01)::text from written`))[0]?.count ?? 0;
    const clients = Array.from({ length: 8 }, async () => {
      for (let turn = 0; turn < 10; turn++) {
        const before = await count();
        await sql`insert into written values (1)`.execute(kysely);
        assert.ok((await count()) > before);
      }
    });
    await Promise.all(clients);
    assert.equal(await count(), 80);
  });
});
