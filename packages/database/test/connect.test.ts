import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect as connectSocket, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { connect } from '@praetor/database/connect';
import { classifyDatabaseError, retryOnce } from '@praetor/database/errors';
import { parseJson, toJson } from '@praetor/schema/json';
import { createTestDatabase, isPostgresReachable, openDatabase, type TestDatabase } from '@praetor/test/support/database';
import { until } from '@praetor/test/support/poll';

const skip = (await isPostgresReachable()) ? false : 'needs Postgres';

describe('connect', { skip }, () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database[Symbol.asyncDispose]());

  const JSON_TEXTS = ['"text"', '"\\"quoted\\" \\\\ ünï"', '[]', '["a", "b"]', '[1, [2, {"a": null}]]', 'true', 'false', 'null', '{}', '1', '1.0', '12345678901234567890', '{"a": 1.50, "b": -0.1}'];
  for (const text of JSON_TEXTS) {
    test(`jsonb and json keep ${text}`, async () => {
      const value = parseJson(text);
      const name = randomUUID();
      await database.kysely.insertInto('variable').values({ name, value: toJson(value) }).execute();
      const built = await database.kysely.selectFrom('variable').select('value').where('name', '=', name).executeTakeFirstOrThrow();
      assert.equal(toJson(built.value), toJson(value));
      const [written] = await database.sql`select ${toJson(value)}::jsonb as jsonb, ${toJson(value)}::json as json`;
      assert.equal(toJson(written?.['jsonb']), toJson(value));
      assert.equal(toJson(written?.['json']), toJson(value));
    });
  }

  test('SQL null and JSON null are two things', async () => {
    const [row] = await database.sql`select ${null}::jsonb is null as sql_null, ${'null'}::jsonb is null as json_null`;
    assert.deepEqual(row, { sql_null: true, json_null: false });
  });

  test('timestamps keep their microseconds', async () => {
    for (const moment of ['2026-11-21T08:10:29.157970Z', '2026-11-21T08:10:29.000001Z', '2026-11-21T08:10:29Z', '1969-12-31T23:59:59.999999Z']) {
      const row = await database.kysely.insertInto('flow').values({ name: randomUUID(), created: moment }).returning('created').executeTakeFirstOrThrow();
      assert.equal(row.created, moment);
    }
  });

  const INTERVALS = [['1.5 seconds', 1.5], ['0.000001 seconds', 0.000001], ['90061.25 seconds', 90_061.25], ['-2.5 seconds', -2.5], ['2 days 00:00:01', 172_801], ['0 seconds', 0]] as const;
  for (const [text, seconds] of INTERVALS) {
    test(`interval '${text}' is ${seconds} s`, async () => {
      assert.deepEqual(await database.sql`select ${text}::interval as interval`, [{ interval: seconds }]);
    });
  }

  test('numbers are numbers', async () => {
    const [row] = await database.sql`select count(*), sum(1.5::float8) as double, 7::smallint as small, 1.5::numeric as numeric, ${true}::boolean as yes`;
    assert.deepEqual(row, { count: 1, double: 1.5, small: 7, numeric: 1.5, yes: true });
  });

  test('arrays are parameters', async () => {
    const ids = [randomUUID(), randomUUID()];
    for (const id of ids) await database.kysely.insertInto('flow').values({ id, name: id }).execute();
    const built = await database.kysely.selectFrom('flow').select('id').where(sql<boolean>`id = any(${ids}::uuid[])`).orderBy('created').execute();
    assert.deepEqual(built.map((row) => row.id), ids);
    const written = await database.sql`select unnest(${ids}::uuid[]) as id, unnest(${['a,"b"', '{c}']}::text[]) as text`;
    assert.deepEqual(written, [{ id: ids[0], text: 'a,"b"' }, { id: ids[1], text: '{c}' }]);
    assert.deepEqual(await database.sql`select id from flow where id = any(${[]}::uuid[])`, []);
    const lease = { id: randomUUID(), resource_ids: ids, slots: 1, expiration: '2026-11-21T08:10:29Z' };
    const row = await database.kysely.insertInto('praetor.lease').values(lease).returning('resource_ids').executeTakeFirstOrThrow();
    assert.deepEqual(row.resource_ids, ids);
  });

  test('a statement is a part of another', async () => {
    const part = database.sql`n % ${2} = ${1}`;
    assert.deepEqual(await database.sql`select n from generate_series(1, ${4}) n where ${part} and ${database.sql.unsafe('n > 1')}`, [{ n: 3 }]);
  });

  test('a transaction holds for both ways of writing', async () => {
    const name = randomUUID();
    const failed = database.sql.begin(async (transaction) => {
      await transaction`insert into flow (name) values (${name})`;
      throw new Error('undo');
    });
    await assert.rejects(failed, /undo/);
    assert.deepEqual(await database.sql`select from flow where name = ${name}`, []);
  });

  test('many texts cost no memory: they are not all prepared', async () => {
    await using one = connect(database.url, { poolSize: 1, statementTimeoutSeconds: 10, applicationName: 'texts' });
    for (let n = 0; n < 600; n++) await one.sql`select ${n}::integer as ${one.sql.unsafe(`n${n}`)}`;
    const [row] = await one.sql<{ count: number }[]>`select count(*) from pg_prepared_statements`;
    assert.equal(row?.count, 500);
  });

  test('a prepared statement outlives a migration of its table', async () => {
    await database.sql`create table changing (a integer)`;
    const read = () => database.sql`select * from changing where ${true}`;
    await read();
    await database.sql`alter table changing add column b integer`;
    // Connections that had prepared it fail once and are replaced.
    for (let attempt = 0; attempt < 5; attempt++) await Promise.resolve(read()).catch((error: unknown) => assert.equal(classifyDatabaseError(error), 'unavailable'));
    assert.deepEqual(await read(), []);
  });

  test('errors are sorted', async () => {
    const kindOf = async (statement: PromiseLike<unknown>) => classifyDatabaseError(await Promise.resolve(statement).then(() => undefined, (error: unknown) => error));
    await database.sql`insert into flow (name) values ('twice')`;
    assert.equal(await kindOf(database.sql`insert into flow (name) values ('twice')`), 'unique_violation');
    assert.equal(await kindOf(database.sql`insert into deployment (name, flow_id) values ('orphan', ${randomUUID()})`), 'foreign_key_violation');
    assert.equal(await kindOf(database.sql`select ${'x'}::uuid`), 'data');
    assert.equal(await kindOf(database.sql`select ${'a\0b'}::text`), 'data');
    assert.equal(await kindOf(database.sql`select nothing`), 'other');
    assert.equal(classifyDatabaseError(new Error('ours')), undefined);
    await using hasty = connect(database.url, { poolSize: 1, statementTimeoutSeconds: 0.05, applicationName: 'hasty' });
    assert.equal(await kindOf(hasty.sql`select pg_sleep(${5})`), 'unavailable');
    await using nowhere = openDatabase('postgresql://postgres@127.0.0.1:1/none');
    assert.equal(await kindOf(nowhere.sql`select 1`), 'unavailable');
    await using noSocket = openDatabase('postgresql://postgres@/none?host=/nowhere');
    assert.equal(await kindOf(noSocket.sql`select 1`), 'unavailable');
  });

  test('a deadlock is worth one more try', async () => {
    await database.sql`create table pairs as select n from generate_series(1, 2) n`;
    const lockBoth = (first: number, second: number) =>
      retryOnce(() =>
        database.sql.begin(async (transaction) => {
          await transaction`select from pairs where n = ${first} for update`;
          await sleep(100);
          await transaction`select from pairs where n = ${second} for update`;
        }),
      );
    await Promise.all([lockBoth(1, 2), lockBoth(2, 1)]);
  });

  test('waiting for a connection has an end', async () => {
    await using small = connect(database.url, { poolSize: 2, statementTimeoutSeconds: 10, applicationName: 'small', acquireTimeoutSeconds: 0.2 });
    const busy = [small.sql`select pg_sleep(${1})`, small.sql`select pg_sleep(${1})`].map((statement) => Promise.resolve(statement));
    await sleep(100);
    const begun = performance.now();
    await assert.rejects(small.kysely.selectFrom('flow').select('id').execute(), { name: 'DatabaseUnavailableError' });
    assert.ok(performance.now() - begun < 800);
    await Promise.all(busy);
    assert.deepEqual(await small.sql`select 1 as one`, [{ one: 1 }]);
  });

  test('a database can be reached while it is slow, and not when it answers nothing', async () => {
    const { hostname, port } = new URL(database.url);
    const wires: Socket[] = [];
    const proxy = createServer((near) => {
      const far = connectSocket(Number(port || 5432), hostname);
      for (const [one, other] of [[near, far], [far, near]] as const) one.on('error', () => {}).on('close', () => other.destroy()).pipe(other);
      wires.push(near, far);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const url = Object.assign(new URL(database.url), { host: `127.0.0.1:${(proxy.address() as AddressInfo).port}` }).href;
    const pool = connect(url, { poolSize: 2, statementTimeoutSeconds: 1, applicationName: 'slow', acquireTimeoutSeconds: 0.5 });
    assert.equal(await pool.isReachable(), true);
    const keepBusy = () => [1, 2].map((seconds) => Promise.resolve(pool.sql`select pg_sleep(${seconds})`).catch(() => {}));
    for (let round = 0; round < 2; round++) {
      const statements = [...keepBusy(), ...keepBusy()];
      await sleep(100);
      const begun = performance.now();
      assert.equal(await pool.isReachable(), true);
      assert.ok(performance.now() - begun < 500);
      await Promise.all(statements);
    }

    const unanswered = keepBusy();
    await sleep(100);
    for (const wire of wires) wire.unpipe().pause();
    // One second for a statement, and five of grace.
    await until('it counts as away', () => pool.isReachable().then(() => false, () => true), 15);
    for (const wire of wires) wire.destroy();
    proxy.close();
    await Promise.all(unanswered);
    await assert.rejects(pool.isReachable(), { name: 'DatabaseUnavailableError' });
    await pool[Symbol.asyncDispose]();
  });

  test('lost connections fail what they carried and are replaced', async () => {
    const applicationName = `victim-${process.pid}`;
    await using victim = connect(database.url, { poolSize: 4, statementTimeoutSeconds: 10, applicationName });
    await database.sql`create table effects (id uuid)`;
    const works: (() => PromiseLike<unknown>)[] = [
      () => victim.sql`select ${1}::integer, pg_sleep(0.002)`,
      () => victim.kysely.selectFrom('flow').selectAll().limit(1).execute(),
      () => victim.sql.begin(async (transaction) => {
        const id = randomUUID();
        await transaction`insert into effects values (${id})`;
        await transaction`select pg_sleep(0.002)`;
        await transaction`insert into effects values (${id})`;
      }),
    ];
    const end = performance.now() + 1500;
    let done = 0;
    const kinds = new Set<unknown>();
    const workers = Array.from({ length: 12 }, async (_, index) => {
      while (performance.now() < end) {
        try {
          await works[index % works.length]?.();
          done++;
        } catch (error) {
          kinds.add(classifyDatabaseError(error));
        }
      }
    });
    while (performance.now() < end - 400) {
      await sleep(100);
      await database.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${applicationName}`;
    }
    await Promise.all(workers);
    assert.ok(done > 100);
    assert.deepEqual([...kinds], ['unavailable']);
    // No half of a transaction got in, be it alone or by way of another transaction.
    assert.deepEqual(await database.sql`select id from effects group by id having count(*) <> 2`, []);
  });
});
