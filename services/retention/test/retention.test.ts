import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createRetention } from '@praetor/retention/service';
import type { SettingValues } from '@praetor/schema/setting';
import { startCopies } from '@praetor/test/support/copies';
import { type TestDatabase, createTestDatabase } from '@praetor/test/support/database';
import { limitDeletions } from '@praetor/test/support/deletions';
import { until } from '@praetor/test/support/poll';
import { after, before, beforeEach, test } from '@praetor/test/support/postgres-test';

/* Two copies delete at the same time, batches of three. */

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.sql`truncate flow, events, event_resources, log, artifact, artifact_collection, concurrency_limit_v2, praetor.lease cascade`;
});

const start = (settings: SettingValues = {}) =>
  startCopies(2, database.url, createRetention, {
    PREFECT_SERVER_SERVICES_DB_VACUUM_BATCH_SIZE: '3',
    PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS: '0.2',
    PREFECT_SERVER_SERVICES_DB_VACUUM_ORPHAN_CLEANUP_LOOP_SECONDS: '0.2',
    ...settings,
  });

async function insertEvent(name: string, daysAgo: number): Promise<void> {
  await database.sql`
    with event as (
      insert into events (occurred, event, resource_id, resource, payload, received, recorded)
      values (now() - make_interval(days => ${daysAgo}), ${name}, 'r', '{}', '{}', now(), now()) returning id, occurred
    )
    insert into event_resources (occurred, resource_id, resource_role, resource, event_id) select occurred, 'r', '', '{}', id from event`;
}

/** A run that ended so many days ago, with a log, an artifact and a task run. Gives its id. */
async function insertRun(daysAgo: number, { state = 'COMPLETED', parent = null }: { state?: string; parent?: string | null } = {}): Promise<string> {
  const id = randomUUID();
  const { sql } = database;
  await sql`insert into flow (name) values ('f') on conflict do nothing`;
  await sql`
    insert into flow_run (id, name, flow_id, state_type, end_time, parent_task_run_id)
    select ${id}::uuid, ${id}, id, ${state}::state_type, now() - make_interval(days => ${daysAgo}), ${parent}::uuid from flow`;
  await sql`insert into log (name, level, flow_run_id, message, timestamp) values ('l', 20, ${id}::uuid, 'm', now())`;
  await sql`insert into artifact (flow_run_id, data) values (${id}::uuid, '1')`;
  return id;
}

async function insertTaskRun(flowRunId: string): Promise<string> {
  const id = randomUUID();
  await database.sql`insert into task_run (id, name, flow_run_id, task_key, dynamic_key) values (${id}::uuid, 't', ${flowRunId}::uuid, 'k', '0')`;
  return id;
}

async function count(table: 'events' | 'event_resources' | 'flow_run' | 'task_run' | 'log' | 'artifact' | 'artifact_collection'): Promise<number> {
  const [row] = await database.sql<{ count: number }[]>`select count(*)::int as count from ${database.sql.unsafe(table)}`;
  return row?.count ?? 0;
}

test('events go after a week with their resources, some of them sooner', async () => {
  for (let index = 0; index < 10; index++) await insertEvent('old', 8);
  await insertEvent('chatty', 2);
  await insertEvent('other', 2);
  await insertEvent('chatty', 0);
  await using _retention = start({ PREFECT_SERVER_SERVICES_DB_VACUUM_EVENT_RETENTION_OVERRIDES: '{"chatty": "P1D"}' });
  await until('the old events are gone', async () => (await count('events')) === 2);
  assert.equal(await count('event_resources'), 2);
  const names = await database.sql`select event from events order by event`;
  assert.deepEqual(names, [{ event: 'chatty' }, { event: 'other' }]);
});

test('flow runs stay unless their deletion is asked for', async () => {
  await insertRun(100);
  await insertEvent('old', 8);
  await using _retention = start();
  await until('a round is over', async () => (await count('events')) === 0);
  assert.equal(await count('flow_run'), 1);
});

test('old flow runs go with all that belongs to them', async () => {
  for (let index = 0; index < 7; index++) await insertTaskRun(await insertRun(91));
  await insertRun(89);
  await insertRun(91, { state: 'RUNNING' });
  // A sub-flow that ended long before its parent.
  await insertRun(200, { parent: await insertTaskRun(await insertRun(1)) });
  await using _retention = start({ PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED: 'flow_runs' });
  await until('the old runs are gone', async () => (await count('flow_run')) === 4);
  await until('and so are their logs and artifacts', async () => (await count('log')) === 4 && (await count('artifact')) === 4);
  assert.equal(await count('task_run'), 1);
});

test('logs and artifacts without a run go, and collections point to what is left', async () => {
  const { sql } = database;
  await insertRun(1);
  for (let index = 0; index < 10; index++) await insertRun(1);
  const [latest] = await sql<{ id: string }[]>`insert into artifact (key, data) values ('kept', '"older"') returning id`;
  await sql`insert into artifact_collection (key, latest_id, data) values ('kept', gen_random_uuid(), '"newer"'), ('gone', gen_random_uuid(), '2')`;
  await sql`delete from flow_run where id in (select id from flow_run order by id limit 10)`;
  await using _retention = start({ PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED: 'orphans' });
  await until('what belonged to the runs is gone', async () => (await count('log')) === 1 && (await count('artifact')) === 2);
  await until('the collections are mended', async () => (await count('artifact_collection')) === 1);
  assert.deepEqual(await sql`select key, latest_id, data from artifact_collection`, [{ key: 'kept', latest_id: latest?.id, data: 'older' }]);
});

test('however much belongs to an old run, it goes in small steps', async () => {
  const { sql } = database;
  for (const table of ['log', 'artifact'] as const) await limitDeletions(database, table, 3);
  await limitDeletions(database, 'task_run', 1000);
  const ids = [await insertRun(91), await insertRun(91), await insertRun(91), randomUUID()];
  for (const id of ids) {
    await sql`insert into log (name, level, flow_run_id, message, timestamp) select 'l', 20, ${id}::uuid, 'm', now() from generate_series(1, 10)`;
    await sql`insert into artifact (flow_run_id, data) select ${id}::uuid, '1' from generate_series(1, 10)`;
  }
  await sql`insert into task_run (name, flow_run_id, task_key, dynamic_key) select 't', ${ids[1]}::uuid, 'k', n::text from generate_series(1, 2500) n`;
  await using _retention = start({ PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED: 'flow_runs' });
  await until('the runs are gone', async () => (await count('flow_run')) === 0);
  await until('and so is what belonged to them', async () => (await count('log')) === 0 && (await count('artifact')) === 0);
  assert.equal(await count('task_run'), 0);
});

test('an old run gives back the slots that its task runs never gave back', async () => {
  const { sql } = database;
  const task = await insertTaskRun(await insertRun(91));
  await sql`
    with held as (
      insert into concurrency_limit_v2 (name, active, "limit", active_slots, denied_slots, slot_decay_per_second, avg_slot_occupancy_seconds)
      values ('tag:db', true, 1, 1, 0, 0, 2) returning id
    )
    insert into praetor.lease (id, resource_ids, slots, holder_type, holder_id, expiration)
    select gen_random_uuid(), array[id], 1, 'task_run', ${task}::uuid, now() + interval '100 years' from held`;
  await using _retention = start({ PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED: 'flow_runs' });
  await until('the run is gone', async () => (await count('flow_run')) === 0);
  assert.deepEqual(await sql`select active_slots from concurrency_limit_v2`, [{ active_slots: 0 }]);
});
