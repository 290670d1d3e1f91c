import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createForeman } from '@praetor/foreman/service';
import { insertEvents } from '@praetor/orchestration/lifecycle-events';
import { markDeploymentsPolled, markPoolAlive, markQueuesPolled } from '@praetor/orchestration/readiness';
import type { ReceivedEvent } from '@praetor/schema/event';
import { startCopies } from '@praetor/test/support/copies';
import { type TestDatabase, createTestDatabase } from '@praetor/test/support/database';
import { until } from '@praetor/test/support/poll';
import { after, before, beforeEach, test } from '@praetor/test/support/postgres-test';

/* Every look around is taken by two foremen. */

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.sql`truncate flow, work_pool, praetor.outbox cascade`;
});

/** A pool with one queue and a deployment on it, all of them ready; the queue and the deployment were polled so long ago. */
async function insertPool({ status = 'READY', polledSecondsAgo = 61 }: { status?: string; polledSecondsAgo?: number } = {}) {
  const { sql } = database;
  const ids = { pool: randomUUID(), queue: randomUUID(), deployment: randomUUID() };
  await sql`
    insert into work_pool (id, name, type, status, is_paused) values (${ids.pool}::uuid, ${ids.pool}, 'process', ${status}, ${status === 'PAUSED'})`;
  await sql`
    insert into work_queue (id, name, work_pool_id, status, last_polled)
    values (${ids.queue}::uuid, 'default', ${ids.pool}::uuid, 'READY', now() - make_interval(secs => ${polledSecondsAgo}))`;
  await sql`
    with flow as (insert into flow (name) values (${ids.deployment}) returning id)
    insert into deployment (id, name, flow_id, status, work_queue_id, last_polled)
    select ${ids.deployment}::uuid, 'd', id, 'READY', ${ids.queue}::uuid, now() - make_interval(secs => ${polledSecondsAgo}) from flow`;
  return ids;
}

async function insertWorker(poolId: string, heartbeatSecondsAgo: number, intervalSeconds: number | null): Promise<string> {
  const id = randomUUID();
  await database.sql`
    insert into worker (id, name, work_pool_id, status, last_heartbeat_time, heartbeat_interval_seconds)
    values (${id}::uuid, ${id}, ${poolId}::uuid, 'ONLINE', now() - make_interval(secs => ${heartbeatSecondsAgo}), ${intervalSeconds})`;
  return id;
}

const startForemen = () => startCopies(2, database.url, createForeman, { PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS: '0.05' });
const settle = () => new Promise((resolve) => setTimeout(resolve, 400));

async function statusOf(table: 'work_pool' | 'work_queue' | 'deployment' | 'worker', id: string): Promise<string | undefined> {
  const [row] = await database.sql.unsafe<{ status: string }[]>(`select status from ${table} where id = '${id}'`);
  return row?.status;
}

async function events(): Promise<ReceivedEvent[]> {
  const rows = await database.sql<{ body: ReceivedEvent }[]>`select body from praetor.outbox order by created, id`;
  return rows.map((row) => row.body);
}

test('silence makes pool, queue and deployment not ready, and is told once', async () => {
  const { pool, queue, deployment } = await insertPool();
  {
    await using _foremen = startForemen();
    await until('all are not ready', async () => (await events()).length >= 3);
    await settle();
  }
  assert.deepEqual([await statusOf('work_pool', pool), await statusOf('work_queue', queue), await statusOf('deployment', deployment)], ['NOT_READY', 'NOT_READY', 'NOT_READY']);
  const told = await events();
  assert.deepEqual(
    told.map((event) => [event.event, event.resource['prefect.resource.id']]).sort(),
    [
      ['prefect.deployment.not-ready', `prefect.deployment.${deployment}`],
      ['prefect.work-pool.not-ready', `prefect.work-pool.${pool}`],
      ['prefect.work-queue.not-ready', `prefect.work-queue.${queue}`],
    ],
  );
  const ofDeployment = told.find((event) => event.event.startsWith('prefect.deployment'));
  assert.deepEqual(
    ofDeployment?.related.map((resource) => resource['prefect.resource.role']),
    ['flow', 'work-queue', 'work-pool'],
  );
});

test('a poll of the last minute keeps all of them ready, without a worker', async () => {
  const { pool, queue, deployment } = await insertPool({ polledSecondsAgo: 50 });
  await using _foremen = startForemen();
  await settle();
  assert.deepEqual([await statusOf('work_pool', pool), await statusOf('work_queue', queue), await statusOf('deployment', deployment)], ['READY', 'READY', 'READY']);
  assert.deepEqual(await events(), []);
});

test('a worker that misses three heartbeats is offline, silently; the last one takes the pool with it', async () => {
  const [served, left] = [await insertPool(), await insertPool()];
  const punctual = await insertWorker(served.pool, 89, null);
  const slow = await insertWorker(served.pool, 299, 100);
  const gone = await insertWorker(left.pool, 31, 10);
  await using _foremen = startForemen();
  await until('the pool is not ready', async () => (await statusOf('work_pool', left.pool)) === 'NOT_READY');
  await settle();
  assert.deepEqual([await statusOf('worker', punctual), await statusOf('worker', slow), await statusOf('worker', gone)], ['ONLINE', 'ONLINE', 'OFFLINE']);
  assert.equal(await statusOf('work_pool', served.pool), 'READY');
  assert.equal((await events()).filter((event) => event.event === 'prefect.work-pool.not-ready').length, 1);
});

test('what is paused stays so', async () => {
  const { pool } = await insertPool({ status: 'PAUSED' });
  await using _foremen = startForemen();
  await settle();
  assert.equal(await statusOf('work_pool', pool), 'PAUSED');
  assert.deepEqual(await database.kysely.transaction().execute((db) => markPoolAlive(db, pool)), []);
  assert.equal(await statusOf('work_pool', pool), 'PAUSED');
});

test('a sign of life makes them ready again, told once by many callers; the event of the pool follows the last one', async () => {
  const { pool, queue, deployment } = await insertPool();
  {
    await using _foremen = startForemen();
    await until('all are not ready', async () => (await events()).length >= 3);
  }
  const notReady = (await events()).find((event) => event.event === 'prefect.work-pool.not-ready');
  const [before] = await database.sql`select updated from deployment where id = ${deployment}::uuid`;
  await Promise.all(
    Array.from({ length: 4 }, () =>
      database.kysely.transaction().execute(async (db) => {
        const told = [...(await markPoolAlive(db, pool)), ...(await markQueuesPolled(db, [queue])), ...(await markDeploymentsPolled(db, { queueIds: [queue] }))];
        await insertEvents(db, told);
      }),
    ),
  );
  assert.deepEqual([await statusOf('work_pool', pool), await statusOf('work_queue', queue), await statusOf('deployment', deployment)], ['READY', 'READY', 'READY']);
  const ready = (await events()).filter((event) => event.event.endsWith('.ready'));
  assert.deepEqual(ready.map((event) => event.event).sort(), ['prefect.deployment.ready', 'prefect.work-pool.ready', 'prefect.work-queue.ready']);
  assert.equal(ready.find((event) => event.event === 'prefect.work-pool.ready')?.follows, notReady?.id);
  const [pooled] = await database.sql`select last_status_event_id from work_pool where id = ${pool}::uuid`;
  assert.equal(pooled?.['last_status_event_id'], ready.find((event) => event.event === 'prefect.work-pool.ready')?.id);
  assert.deepEqual(await database.sql`select updated from deployment where id = ${deployment}::uuid`, [before], 'a poll is no change that the scheduler should see');
});

/** Lets changes of pools fail for this reason, the first one alone or all of them, until disposed of. */
async function failPools(code: string, often: 'once' | 'always'): Promise<AsyncDisposable> {
  const { sql } = database;
  await sql.unsafe('create sequence pool_changes');
  await sql.unsafe(`
    create function fail_pools() returns trigger language plpgsql as $$ begin
      if nextval('pool_changes') = 1 or ${often === 'always'} then raise exception 'as if' using errcode = '${code}'; end if;
      return new;
    end $$`);
  await sql.unsafe('create trigger fail_pools before update on work_pool for each row execute function fail_pools()');
  return {
    async [Symbol.asyncDispose]() {
      await sql.unsafe('drop function fail_pools cascade');
      await sql.unsafe('drop sequence pool_changes');
    },
  };
}

test('what ends in a deadlock is done again at once', async () => {
  const { pool } = await insertPool();
  await using _deadlock = await failPools('40P01', 'once');
  await using _foreman = startCopies(1, database.url, createForeman, { PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS: '60' });
  await until('the pool is not ready', async () => (await statusOf('work_pool', pool)) === 'NOT_READY');
  assert.equal((await events()).filter((event) => event.event === 'prefect.work-pool.not-ready').length, 1);
});

test('a step that fails does not hold up the others', async () => {
  const { pool, queue, deployment } = await insertPool();
  await using _failure = await failPools('P0001', 'always');
  await using _foremen = startForemen();
  await until('queue and deployment are not ready', async () => (await events()).length >= 2);
  assert.deepEqual([await statusOf('work_pool', pool), await statusOf('work_queue', queue), await statusOf('deployment', deployment)], ['READY', 'NOT_READY', 'NOT_READY']);
});
