import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createLeaseCleanup } from '@praetor/lease-cleanup/service';
import { startCopies } from '@praetor/test/support/copies';
import { type TestDatabase, createTestDatabase } from '@praetor/test/support/database';
import { until } from '@praetor/test/support/poll';
import { after, before, test } from '@praetor/test/support/postgres-test';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database[Symbol.asyncDispose]());

async function insertLimit(activeSlots: number): Promise<string> {
  const id = randomUUID();
  await database.sql`
    insert into concurrency_limit_v2 (id, name, active, "limit", active_slots, denied_slots, slot_decay_per_second, avg_slot_occupancy_seconds)
    values (${id}::uuid, ${id}, true, 1000, ${activeSlots}, 0, 0, 2)`;
  return id;
}

async function insertLeases(limitIds: string[], count: number, slots: number, expiresInSeconds: number): Promise<void> {
  await database.sql`
    insert into praetor.lease (id, resource_ids, slots, expiration)
    select gen_random_uuid(), ${limitIds}::uuid[], ${slots}, now() + make_interval(secs => ${expiresInSeconds}) from generate_series(1, ${count}::int)`;
}

const slotsOf = async (id: string) => (await database.sql<{ active_slots: number }[]>`select active_slots from concurrency_limit_v2 where id = ${id}::uuid`)[0]?.active_slots;
const leases = () => database.sql`select id from praetor.lease`;

test('two cleaners give the slots of expired leases back exactly once', async () => {
  // 250 leases of two slots have expired, so both cleaners work through several batches; one lives.
  const [shared, own] = [await insertLimit(503), await insertLimit(250)];
  await insertLeases([shared], 125, 2, -1);
  await insertLeases([own, shared], 125, 2, -1);
  await insertLeases([shared], 1, 3, 600);
  {
    await using _cleaners = startCopies(2, database.url, createLeaseCleanup, { PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS: '0.05' });
    await until('the expired leases are gone', async () => (await leases()).length === 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.deepEqual([await slotsOf(shared), await slotsOf(own)], [3, 0]);
  assert.equal((await leases()).length, 1);
});

test('a lease renewed in time keeps its slots', async () => {
  const limit = await insertLimit(1);
  await insertLeases([limit], 1, 1, 0.5);
  await database.sql`update praetor.lease set expiration = now() + interval '60 seconds' where ${limit}::uuid = any(resource_ids)`;
  await using _cleaners = startCopies(2, database.url, createLeaseCleanup, { PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS: '0.05' });
  await new Promise((resolve) => setTimeout(resolve, 800));
  assert.equal(await slotsOf(limit), 1);
});
