import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { planDates, scheduleRuns, scheduledRunKey } from '@praetor/orchestration/scheduled-runs';
import { type CronSchedule, type Schedule, schedule } from '@praetor/schema/schedule';
import { addSeconds, now, secondsBetween } from '@praetor/schema/timestamps';
import { createScheduler } from '@praetor/scheduler/service';
import { startCopies } from '@praetor/test/support/copies';
import { type TestDatabase, createTestDatabase } from '@praetor/test/support/database';
import { until } from '@praetor/test/support/poll';
import { after, before, test } from '@praetor/test/support/postgres-test';

const horizon = { minimumRuns: 3, maximumRuns: 100, minimumSeconds: 3600, maximumSeconds: 8_640_000 };
const hourly = (minute = 0): CronSchedule => ({ cron: `${minute} * * * *`, timezone: 'America/New_York', day_or: true });

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database[Symbol.asyncDispose]());

interface NewDeployment {
  paused?: boolean;
  schedules?: { schedule: Schedule; active?: boolean; slug?: string; parameters?: object }[];
}

async function insertDeployment({ paused = false, schedules = [{ schedule: hourly() }] }: NewDeployment = {}): Promise<string> {
  const { sql } = database;
  const id = randomUUID();
  await sql`
    with flow as (insert into flow (name) values (${id}) returning id)
    insert into deployment (id, flow_id, name, paused, version, tags, parameters, labels, work_queue_name)
    select ${id}::uuid, id, 'd', ${paused}, 'v1', '["mine"]', '{"a": 1.0, "b": 1}', '{"team": "x"}', 'q' from flow`;
  for (const given of schedules) await insertSchedule(id, given);
  return id;
}

async function insertSchedule(deploymentId: string, { schedule, active = true, slug, parameters = {} }: NonNullable<NewDeployment['schedules']>[number]): Promise<void> {
  await database.sql`
    insert into deployment_schedule (deployment_id, schedule, active, slug, parameters)
    values (${deploymentId}::uuid, ${JSON.stringify(schedule)}::jsonb, ${active}, ${slug ?? null}, ${JSON.stringify(parameters)}::jsonb)`;
}

const runsOf = (deploymentId: string) => database.sql`select * from flow_run where deployment_id = ${deploymentId}::uuid order by expected_start_time`;

test('a schedule has runs until both minimums are reached, within the maximums', () => {
  const start = '2026-11-21T00:00:00Z';
  const end = addSeconds(start, horizon.maximumSeconds);
  const count = (given: unknown, latest = end): number => planDates(schedule.parse(given), horizon, start, latest).length;
  const interval = (seconds: number) => ({ interval: seconds, anchor_date: start });
  assert.equal(count(interval(10)), 100);
  assert.equal(count(interval(60)), 61);
  assert.equal(count(interval(3600)), 3);
  assert.equal(count(interval(86_400)), 3);
  assert.equal(count(interval(86_400 * 60)), 2);
  assert.equal(count(interval(3600), addSeconds(start, 3600)), 2);
});

test('keys are those of Prefect', () => {
  const key = (date: string) => scheduledRunKey('d', 's', Temporal.ZonedDateTime.from(date));
  assert.equal(key('2026-11-22T00:00:00-05:00[America/New_York]'), 'scheduled d s 2026-11-22 00:00:00-05:00');
  assert.equal(key('2026-11-22T00:00:00.25Z[UTC]'), 'scheduled d s 2026-11-22 00:00:00.250000+00:00');
});

test('a run is made of its deployment and its schedule', async () => {
  const id = await insertDeployment({ schedules: [{ schedule: hourly(), parameters: { b: 2, c: null } }] });
  const created = await scheduleRuns(database, id, { horizon });
  const runs = await runsOf(id);
  assert.deepEqual(new Set(created), new Set(runs.map((run) => run['id'])));
  assert.equal(runs.length, 3);
  const [deployment] = await database.sql`select flow_id, s.id as schedule_id from deployment d join deployment_schedule s on s.deployment_id = d.id where d.id = ${id}::uuid`;
  const [run] = runs;
  assert.ok(deployment && run);
  assert.match(String(run['name']), /^[a-z-]+-[a-z-]+$/);
  assert.deepEqual(
    { ...run, id: null, created: null, updated: null, name: null, state_id: null, state_timestamp: null, total_run_time: Number(run['total_run_time']) },
    {
      ...run,
      id: null,
      created: null,
      updated: null,
      name: null,
      state_id: null,
      state_timestamp: null,
      flow_id: deployment['flow_id'],
      deployment_id: id,
      deployment_version: 'v1',
      work_queue_name: 'q',
      work_queue_id: null,
      job_variables: {},
      tags: ['auto-scheduled', 'mine'],
      parameters: { a: JSON.rawJSON('1.0'), b: 2, c: null },
      labels: { team: 'x', 'prefect.flow.id': deployment['flow_id'], 'prefect.deployment.id': id },
      created_by: { id: deployment['schedule_id'], type: 'SCHEDULE', display_value: 'CronSchedule' },
      auto_scheduled: true,
      state_type: 'SCHEDULED',
      state_name: 'Scheduled',
      run_count: 0,
      start_time: null,
      total_run_time: 0,
      next_scheduled_start_time: run['expected_start_time'],
    },
  );
  const [state] = await database.sql`select * from flow_run_state where flow_run_id = ${run['id']}::uuid`;
  assert.ok(state);
  assert.deepEqual([state['id'], state['type'], state['name'], state['message']], [run['state_id'], 'SCHEDULED', 'Scheduled', 'Flow run scheduled']);
  const { scheduled_time: scheduled } = state['state_details'] as { scheduled_time: string };
  assert.match(scheduled, /-0[45]:00$/);
  assert.equal(secondsBetween(scheduled, String(run['expected_start_time'])), 0);
  assert.equal(run['idempotency_key'], `scheduled ${id} ${String(deployment['schedule_id'])} ${scheduled.replace('T', ' ')}`);
  assert.deepEqual(await database.sql`select id from praetor.outbox`, [], 'no events');
});

test('only active schedules of unpaused deployments have runs', async () => {
  const schedules = [{ schedule: hourly(1), active: false }, { schedule: hourly(2), slug: 'mine' }];
  const [active, paused] = [await insertDeployment({ schedules }), await insertDeployment({ paused: true })];
  assert.equal((await scheduleRuns(database, active, { horizon })).length, 3);
  assert.deepEqual(new Set((await runsOf(active)).map((run) => (run['created_by'] as { display_value: string }).display_value)), new Set(['mine']));
  assert.deepEqual(await scheduleRuns(database, paused, { horizon }), []);
  assert.deepEqual(await scheduleRuns(database, randomUUID(), { horizon }), []);
});

test('a run is created once, however often and by however many', async () => {
  const id = await insertDeployment({ schedules: [hourly(3), hourly(4), hourly(5)].map((given) => ({ schedule: given })) });
  const start = now();
  const created = await Promise.all(Array.from({ length: 8 }, () => scheduleRuns(database, id, { horizon, start, batchSize: 2 })));
  assert.equal(created.flat().length, 9);
  assert.equal((await runsOf(id)).length, 9);
  assert.deepEqual(await scheduleRuns(database, id, { horizon, start }), []);
});

test('a schedule that cannot be read stops no other deployment', async () => {
  await insertDeployment({ schedules: [{ schedule: { ...hourly(), cron: 'nonsense' } }] });
  const good = await insertDeployment();
  const mixed = await insertDeployment({ schedules: [{ schedule: { ...hourly(), cron: 'nonsense' } }, { schedule: hourly(1) }] });
  await using _scheduler = startCopies(1, database.url, createScheduler);
  await until('the good one has runs', async () => (await runsOf(good)).length === 3);
  await until('so has the good schedule of another', async () => (await runsOf(mixed)).length === 3);
});

test('the main loop finds what is missing, page by page', async () => {
  const ids = await Promise.all(Array.from({ length: 7 }, () => insertDeployment()));
  await database.sql`update deployment set updated = now() - interval '1 hour'`;
  await using _scheduler = startCopies(1, database.url, createScheduler, { PREFECT_SERVER_SERVICES_SCHEDULER_DEPLOYMENT_BATCH_SIZE: '2' });
  for (const id of ids) await until('runs', async () => (await runsOf(id)).length === 3);
});

test('two schedulers and a deployment whose schedules change meanwhile: no run twice, none of a vanished schedule', async () => {
  const { sql } = database;
  const id = await insertDeployment();
  const settings = { PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS: '0.01', PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS: '0.01' };
  {
    await using _schedulers = startCopies(2, database.url, createScheduler, settings);
    for (let round = 0; round < 60; round++)
      // What the gateway does when schedules are replaced.
      await sql.begin(async (transaction) => {
        await transaction`select from deployment where id = ${id}::uuid for no key update`;
        await transaction`delete from deployment_schedule where deployment_id = ${id}::uuid`;
        await transaction`
          insert into deployment_schedule (deployment_id, schedule, active)
          select ${id}::uuid, ${JSON.stringify(hourly(round))}::jsonb, true from generate_series(1, 2)`;
        await transaction`update deployment set updated = now() where id = ${id}::uuid`;
        await transaction`delete from flow_run where deployment_id = ${id}::uuid and state_type = 'SCHEDULED' and auto_scheduled and next_scheduled_start_time > now()`;
      });
    await until('the last schedules have runs', async () => (await runsOf(id)).length >= 6);
  }
  const orphans = await sql`
    select from flow_run r where deployment_id = ${id}::uuid and not exists (select from deployment_schedule s where s.id::text = r.created_by ->> 'id')`;
  const doubles = await sql`
    select from flow_run where deployment_id = ${id}::uuid group by created_by ->> 'id', expected_start_time having count(*) > 1`;
  const stateless = await sql`
    select from flow_run r where deployment_id = ${id}::uuid and (select count(*) from flow_run_state s where s.flow_run_id = r.id and s.id = r.state_id) <> 1`;
  assert.deepEqual([orphans.length, doubles.length, stateless.length], [0, 0, 0]);
});
