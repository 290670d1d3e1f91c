import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { LockedError, UnprocessableError } from '@praetor/schema/errors';
import type { Database } from '@praetor/database/connect';
import { type TestDatabase, createTestDatabase, openDatabase } from '@praetor/test/support/database';
import { untilBlocked } from '@praetor/test/support/locks';
import { after, before, test } from '@praetor/test/support/postgres-test';
import { releaseExpiredLeases, releaseLeases, releaseUnleasedSlot, renewLease } from '../src/leases.ts';
import { acquireSlots, releaseSlots, takeSlots } from '../src/slots.ts';
import { SETTINGS } from './transitions.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database[Symbol.asyncDispose]());

interface Fields {
  name?: string;
  active?: boolean;
  limit?: number;
  active_slots?: number;
  slot_decay_per_second?: number;
  avg_slot_occupancy_seconds?: number;
}

async function createLimit(fields: Fields = {}): Promise<{ id: string; name: string }> {
  const row = {
    id: randomUUID(),
    name: randomUUID(),
    active: true,
    limit: 1,
    active_slots: 0,
    denied_slots: 0,
    slot_decay_per_second: 0,
    avg_slot_occupancy_seconds: 2,
    ...fields,
  };
  await database.kysely.insertInto('concurrency_limit_v2').values(row).execute();
  return row;
}

const read = (id: string) => database.kysely.selectFrom('concurrency_limit_v2').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
const lease = { seconds: 60, holder: null };
const acquire = (names: string[], slots = 1, fields: Partial<Parameters<typeof acquireSlots>[1]> = {}) =>
  acquireSlots(database, { names, slots, mode: 'concurrency', ...fields }, SETTINGS);

test('slots of all limits are taken or of none', async () => {
  const [wide, narrow] = [await createLimit({ limit: 3 }), await createLimit({ limit: 1 })];
  const { limits, leaseId } = await acquire([wide.name, narrow.name, 'unknown']);
  assert.deepEqual([limits.length, leaseId], [2, null]);
  await assert.rejects(acquire([wide.name, narrow.name]), LockedError);
  assert.deepEqual([(await read(wide.id)).active_slots, (await read(narrow.id)).active_slots], [1, 1]);
  assert.deepEqual([(await read(wide.id)).denied_slots, (await read(narrow.id)).denied_slots], [1, 1]);
});

test('inactive limits are listed but take no slot, unknown names are ignored', async () => {
  const inactive = await createLimit({ active: false, limit: 0 });
  assert.deepEqual((await acquire([inactive.name, 'unknown'])).limits, [{ id: inactive.id, name: inactive.name, limit: 0 }]);
  assert.deepEqual(await acquire(['unknown'], 5), { limits: [], leaseId: null });
  assert.equal((await read(inactive.id)).active_slots, 0);
});

test('a lease is given even where there is nothing to hold', async () => {
  const { leaseId } = await acquire(['unknown'], 1, { lease });
  assert.equal(await renewLease(database.sql, leaseId ?? '', 60), true);
});

test('what can never succeed is refused as such', async () => {
  const { name } = await createLimit({ limit: 2 });
  await assert.rejects(acquire([name], 3), UnprocessableError);
  await assert.rejects(acquire([name], 1, { mode: 'rate_limit' }), UnprocessableError);
});

test('many takers of two limits, in any order of names: never more than there is, never a deadlock', async () => {
  const [one, other] = [await createLimit({ limit: 5 }), await createLimit({ limit: 5 })];
  const attempts = Array.from({ length: 20 }, (_, index) => acquire(index % 2 === 0 ? [one.name, other.name] : [other.name, one.name], 1, { lease }));
  const taken = (await Promise.allSettled(attempts)).filter(({ status }) => status === 'fulfilled');
  assert.equal(taken.length, 5);
  assert.deepEqual([(await read(one.id)).active_slots, (await read(other.id)).active_slots], [5, 5]);
});

test('of several asked for at the same time, one that is refused keeps nothing from the next', async () => {
  const [full, free] = [await createLimit({ active_slots: 1 }), await createLimit({ limit: 2 })];
  const outcomes = await Promise.allSettled([acquire(['unknown']), acquire([full.name, free.name]), acquire([free.name], 2)]);
  assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
  assert.deepEqual([(await read(full.id)).denied_slots, (await read(free.id)).denied_slots, (await read(free.id)).active_slots], [1, 1, 2]);
});

test('two servers that take and give back at the same time never exceed a limit, and end with none taken', async () => {
  const { id, name } = await createLimit({ limit: 4 });
  await using other = openDatabase(database.url);
  let most = 0;
  const work = async (server: Database) => {
    for (let round = 0; round < 5; round++) {
      const taken = await acquireSlots(server, { names: [name], slots: 1, mode: 'concurrency', lease }, SETTINGS).catch(() => undefined);
      most = Math.max(most, (await read(id)).active_slots);
      if (taken) assert.equal(await releaseLeases(server.sql, [taken.leaseId ?? ''], SETTINGS), 1);
    }
  };
  await Promise.all(Array.from({ length: 12 }, (_, index) => work(index % 2 === 0 ? database : other)));
  assert.ok(most > 1 && most <= 4, `${most} were taken`);
  assert.equal((await read(id)).active_slots, 0);
});

test('slots of a rate limit come back with time', async () => {
  const { id, name } = await createLimit({ limit: 2, active_slots: 2, slot_decay_per_second: 1 });
  await assert.rejects(acquire([name], 1, { mode: 'rate_limit' }), LockedError);
  await database.sql`update concurrency_limit_v2 set updated = now() - interval '1.5 seconds' where id = ${id}::uuid`;
  await acquire([name], 1, { mode: 'rate_limit' });
  assert.equal((await read(id)).active_slots, 2);
});

test('the time to wait grows with what is refused, up to a bound, and is spread', async () => {
  const wait = async (fields: Fields, random: number) => {
    const { name } = await createLimit({ active_slots: fields.limit ?? 1, ...fields });
    const error = await acquireSlots(database, { names: [name], slots: 1, mode: 'concurrency' }, SETTINGS, () => random).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof LockedError && error.retryAfterSeconds !== null);
    return Number(error.retryAfterSeconds.toFixed(3));
  };
  assert.deepEqual(await Promise.all([0, 0.5, 1].map((random) => wait({ avg_slot_occupancy_seconds: 8 }, random))), [6.014, 7.91, 10.4]);
  assert.equal(await wait({ avg_slot_occupancy_seconds: 8, limit: 4 }, 1), 2.6);
  assert.equal(await wait({ avg_slot_occupancy_seconds: 1000 }, 1), 39);
  assert.equal(await wait({ name: `tag:${randomUUID()}`, avg_slot_occupancy_seconds: 1000 }, 1), 13);
  assert.equal(await wait({ slot_decay_per_second: 0.5, limit: 1 }, 1), 2.6);
});

test('the average occupancy follows what is reported', async () => {
  const { id, name } = await createLimit({ limit: 2, active_slots: 2 });
  await releaseSlots(database, { names: [name, 'unknown'], slots: 1, occupancySeconds: 10 }, SETTINGS);
  const { active_slots, avg_slot_occupancy_seconds } = await read(id);
  assert.deepEqual([active_slots, avg_slot_occupancy_seconds], [1, 4]);
  await releaseSlots(database, { names: [name], slots: 5 }, SETTINGS);
  assert.equal((await read(id)).active_slots, 0);
});

test('a lease is released once, whoever releases it', async () => {
  const limit = await createLimit({ limit: 3 });
  const { leaseId } = await acquire([limit.name], 2, { lease: { seconds: -1, holder: { type: 'task_run', id: randomUUID() } } });
  await acquire([limit.name], 1, { lease });
  const releases = [() => releaseLeases(database.sql, [leaseId ?? ''], SETTINGS), () => releaseExpiredLeases(database.sql, 10, SETTINGS)];
  const released = await Promise.all([...releases, ...releases, ...releases].map((release) => release()));
  assert.equal(
    released.reduce((sum, count) => sum + count),
    1,
  );
  assert.equal((await read(limit.id)).active_slots, 1);
  assert.equal(await renewLease(database.sql, leaseId ?? '', 60), false);
});

test('expired leases of one limit in one batch all count', async () => {
  const limit = await createLimit({ limit: 9 });
  for (let index = 0; index < 3; index++) await acquire([limit.name], 2, { lease: { seconds: -1, holder: null } });
  assert.equal(await releaseExpiredLeases(database.sql, 100, SETTINGS), 3);
  assert.equal((await read(limit.id)).active_slots, 0);
});

test('a renewed lease does not expire', async () => {
  const limit = await createLimit();
  const { leaseId } = await acquire([limit.name], 1, { lease: { seconds: -1, holder: { type: 'flow_run', id: limit.id } } });
  await renewLease(database.sql, leaseId ?? '', 60);
  assert.equal(await releaseExpiredLeases(database.sql, 100, SETTINGS), 0);
  assert.equal((await read(limit.id)).active_slots, 1);
});

test('releasing a slot that nobody leased leaves leased ones alone', async () => {
  const limit = await createLimit({ limit: 3, active_slots: 1 });
  await acquire([limit.name], 1, { lease });
  const release = async () => {
    await database.sql.begin((sql) => releaseUnleasedSlot(sql, limit.id));
    return (await read(limit.id)).active_slots;
  };
  assert.deepEqual([await release(), await release()], [1, 1]);
});

test('a slot that is taken with a lease while one that nobody leased is being released stays taken', async () => {
  const limit = await createLimit({ limit: 2 });
  await acquire([limit.name], 1, { lease });
  let released: Promise<void> | undefined;
  await database.sql.begin(async (sql) => {
    assert.ok(await takeSlots(sql, [limit.id], 1, { id: randomUUID(), ...lease }, SETTINGS));
    released = database.sql.begin((other) => releaseUnleasedSlot(other, limit.id));
    await untilBlocked(database);
  });
  await released;
  assert.equal((await read(limit.id)).active_slots, 2);
});
