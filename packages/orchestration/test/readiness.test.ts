import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { connect } from '@praetor/database/connect';
import { type TestDatabase, createTestDatabase } from '@praetor/test/support/database';
import { untilBlocked } from '@praetor/test/support/locks';
import type { ServerEvent } from '../src/lifecycle-events.ts';
import { markDeploymentsPolled, markPoolAlive, markPoolsNotReady, markQueuesPolled } from '../src/readiness.ts';
import { scheduleRuns } from '../src/scheduled-runs.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database[Symbol.asyncDispose]());

/** A pool that is not ready, with a queue and a deployment on it that has a schedule. */
async function insertPool(): Promise<{ pool: string; queue: string; deployment: string }> {
  const { sql } = database;
  const ids = { pool: randomUUID(), queue: randomUUID(), deployment: randomUUID() };
  await sql`insert into work_pool (id, name, type, status) values (${ids.pool}::uuid, ${ids.pool}, 'process', 'NOT_READY')`;
  await sql`insert into work_queue (id, name, work_pool_id) values (${ids.queue}::uuid, 'default', ${ids.pool}::uuid)`;
  await sql`
    with flow as (insert into flow (name) values (${ids.deployment}) returning id)
    insert into deployment (id, name, flow_id, work_queue_id) select ${ids.deployment}::uuid, 'd', id, ${ids.queue}::uuid from flow`;
  await sql`insert into deployment_schedule (deployment_id, schedule, active) values (${ids.deployment}::uuid, '{"interval": 3600, "anchor_date": "2020-01-01T00:00:00Z", "timezone": "UTC"}', true)`;
  return ids;
}

test('a poll, which locks the queue and then its deployments, does not hold up a scheduler, which locks a deployment and then refers to its queue', async () => {
  const { pool, queue, deployment } = await insertPool();
  await using scheduler = connect(database.url, { poolSize: 1, statementTimeoutSeconds: 2, applicationName: 'scheduler' });
  const horizon = { minimumRuns: 3, maximumRuns: 3, minimumSeconds: 0, maximumSeconds: 86_400 };
  await database.kysely.transaction().execute(async (db) => {
    await markPoolAlive(db, pool);
    await markQueuesPolled(db, [queue]);
    assert.equal((await scheduleRuns(scheduler, deployment, { horizon })).length, 3);
    await markDeploymentsPolled(db, { queueIds: [queue] });
  });
});

test('a pool that a worker comes back to while it is being found silent stays ready', async () => {
  const { sql, kysely } = database;
  const { pool } = await insertPool();
  await sql`update work_pool set status = 'READY' where id = ${pool}::uuid`;
  let told: Promise<ServerEvent[]> | undefined;
  await sql.begin(async (holder) => {
    await holder`select from work_pool where id = ${pool}::uuid for no key update`;
    told = kysely.transaction().execute((db) => markPoolsNotReady(db, 60));
    await untilBlocked(database);
    await sql`insert into worker (name, work_pool_id, status, last_heartbeat_time) values ('w', ${pool}::uuid, 'ONLINE', now())`;
    assert.deepEqual(await kysely.transaction().execute((db) => markPoolAlive(db, pool)), []);
  });
  assert.deepEqual(await told, []);
  assert.deepEqual(await sql`select status from work_pool where id = ${pool}::uuid`, [{ status: 'READY' }]);
});
