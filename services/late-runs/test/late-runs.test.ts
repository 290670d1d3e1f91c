import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sqlOf } from '@praetor/database/sql';
import { cancelChildTaskRuns } from '@praetor/late-runs/clean-up-cancellations';
import { crashSilentRuns } from '@praetor/late-runs/crash-silent-runs';
import { heartbeatInterval } from '@praetor/late-runs/heartbeats';
import { createLateRuns } from '@praetor/late-runs/service';
import { type NewFlowRun, createFlowRun } from '@praetor/orchestration/create-flow-run';
import { createTaskRun } from '@praetor/orchestration/create-task-run';
import { noteIntake, readIntake } from '@praetor/orchestration/intake';
import { type FlowRunProposal, setFlowRunState } from '@praetor/orchestration/set-state';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import { parseSettings } from '@praetor/schema/settings';
import { type StateType, proposeState } from '@praetor/schema/state';
import { type Timestamp, addSeconds, now, secondsBetween } from '@praetor/schema/timestamps';
import type { GroupLag } from '@praetor/streams/broker';
import { MemoryBroker } from '@praetor/streams/memory';
import { createTestContext } from '@praetor/test/support/context';
import { startCopies } from '@praetor/test/support/copies';
import { type TestDatabase, createTestDatabase } from '@praetor/test/support/database';
import { until } from '@praetor/test/support/poll';
import { after, before, test } from '@praetor/test/support/postgres-test';

/* Every round is worked by two copies of the service. */

const SETTINGS = {
  PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS: '0.05',
  PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS: '0.05',
  PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS: '0.05',
};

let database: TestDatabase;
let flowId: string;
let deploymentId: string;
before(async () => {
  database = await createTestDatabase();
  [flowId, deploymentId] = [randomUUID(), randomUUID()];
  await database.sql`insert into flow (id, name) values (${flowId}::uuid, 'f')`;
  await database.sql`insert into deployment (id, flow_id, name) values (${deploymentId}::uuid, ${flowId}::uuid, 'd')`;
});
after(() => database[Symbol.asyncDispose]());

const orchestration = orchestrationSettings(parseSettings({}));
const setState = (proposal: FlowRunProposal) => setFlowRunState(database, proposal, orchestration);
const startServices = () => startCopies(2, database.url, createLateRuns, SETTINGS);

async function createRun(fields: Partial<NewFlowRun> = {}, ...then: StateType[]): Promise<string> {
  const { id } = await createFlowRun(database, { flow_id: flowId, state: proposeState('PENDING'), ...fields }, orchestration);
  for (const type of then) await setState({ flowRunId: id, state: proposeState(type) });
  return id;
}

const scheduled = (time: Timestamp, name = 'Scheduled') => ({ state: proposeState('SCHEDULED', { name, details: { scheduled_time: time } }) });

async function statesOf(kind: 'flow_run' | 'task_run', id: string): Promise<string[]> {
  const rows = await database.sql.unsafe<{ name: string }[]>(`select name from ${kind}_state where ${kind}_id = '${id}' order by timestamp, id`);
  return rows.map((row) => row.name);
}

const untilStates = (kind: 'flow_run' | 'task_run', id: string, states: string[]) =>
  until(`${kind} is ${states.join(', ')}`, async () => (await statesOf(kind, id)).join() === states.join());

/** Lets rounds pass in which nothing more should happen. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 300));

test('a run that nobody starts becomes late, once, at the time that it was scheduled for', async () => {
  const due = addSeconds(now(), -60);
  const late = await Promise.all(Array.from({ length: 30 }, () => createRun(scheduled(due))));
  const other = await Promise.all([createRun(scheduled(addSeconds(now(), -5))), createRun(scheduled(due, 'AwaitingRetry')), createRun({}, 'RUNNING')]);
  await using _services = startServices();
  for (const id of late) await untilStates('flow_run', id, ['Scheduled', 'Late']);
  await settle();
  const runs = await database.sql<{ id: string; state_name: string; next_scheduled_start_time: string; expected_start_time: string }[]>`
    select id, state_name, next_scheduled_start_time, expected_start_time from flow_run where id = any(${late}::uuid[])`;
  assert.equal(runs.length, late.length);
  for (const run of runs) {
    assert.deepEqual([run.state_name, run.next_scheduled_start_time, run.expected_start_time], ['Late', due, due]);
    assert.deepEqual(await statesOf('flow_run', run.id), ['Scheduled', 'Late']);
  }
  const events = await database.sql`select from praetor.outbox where body ->> 'event' = 'prefect.flow-run.Late'`;
  assert.equal(events.length, late.length);
  for (const id of other) assert.ok(!(await statesOf('flow_run', id)).includes('Late'));
});

test('a pause that nobody ends in time fails the run', async () => {
  const paused = (timeout: Timestamp) => ({ state: proposeState('PAUSED', { details: { pause_timeout: timeout } }) });
  const [expired, waiting] = [await createRun({}, 'RUNNING'), await createRun({}, 'RUNNING')];
  await setState({ flowRunId: expired, ...paused(addSeconds(now(), -1)) });
  await setState({ flowRunId: waiting, ...paused(addSeconds(now(), 600)) });
  await using _services = startServices();
  await untilStates('flow_run', expired, ['Pending', 'Running', 'Paused', 'Failed']);
  await settle();
  assert.deepEqual(await statesOf('flow_run', waiting), ['Pending', 'Running', 'Paused']);
});

test('a cancellation that nobody confirms is taken for done', async () => {
  const infrastructure = async () => {
    const id = await createRun({ deployment_id: deploymentId }, 'RUNNING');
    await database.sql`update flow_run set infrastructure_pid = '1' where id = ${id}::uuid`;
    await setState({ flowRunId: id, state: proposeState('CANCELLING') });
    return id;
  };
  const [stuck, recent] = [await infrastructure(), await infrastructure()];
  await database.sql`update flow_run set state_timestamp = now() - interval '301 seconds' where id = ${stuck}::uuid`;
  await using _services = startServices();
  await untilStates('flow_run', stuck, ['Pending', 'Running', 'Cancelling', 'Cancelled']);
  await settle();
  assert.deepEqual(await statesOf('flow_run', recent), ['Pending', 'Running', 'Cancelling']);
});

test('what belongs to a cancelled run is cancelled, what is finished stays so', async () => {
  const parent = await createRun({}, 'RUNNING');
  const createTask = async (key: string, type: StateType) =>
    (await createTaskRun(database, { flow_run_id: parent, task_key: key, dynamic_key: '0', state: proposeState(type) }, orchestration)).id;
  const [running, finished, calling] = [await createTask('a', 'RUNNING'), await createTask('b', 'COMPLETED'), await createTask('c', 'RUNNING')];
  const child = await createRun({ parent_task_run_id: calling }, 'RUNNING');
  const remote = await createRun({ parent_task_run_id: calling, deployment_id: deploymentId }, 'RUNNING');
  const done = await createRun({ parent_task_run_id: calling }, 'RUNNING', 'COMPLETED');
  await setState({ flowRunId: parent, state: proposeState('CANCELLED'), policy: 'minimal' });

  await using _services = startServices();
  await untilStates('task_run', running, ['Running', 'Cancelled']);
  await untilStates('flow_run', child, ['Pending', 'Running', 'Cancelled']);
  await untilStates('flow_run', remote, ['Pending', 'Running', 'Cancelling']);
  await settle();
  assert.deepEqual(await statesOf('task_run', running), ['Running', 'Cancelled']);
  assert.deepEqual(await statesOf('task_run', finished), ['Completed']);
  assert.deepEqual(await statesOf('flow_run', done), ['Pending', 'Running', 'Completed']);
  assert.deepEqual(await statesOf('flow_run', remote), ['Pending', 'Running', 'Cancelling']);
});

test('what cannot be settled does not hold up what comes after it', async () => {
  const { sql } = database;
  const parent = await createRun({}, 'RUNNING');
  const { id } = await createTaskRun(database, { flow_run_id: parent, task_key: 'last', dynamic_key: '0', state: proposeState('RUNNING') }, orchestration);
  // Their states are not there, so nobody can tell that they are the ones that were found.
  await sql`
    insert into task_run (id, name, flow_run_id, task_key, dynamic_key, state_type, state_id)
    select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 't', ${parent}::uuid, 'k', n::text, 'RUNNING', gen_random_uuid() from generate_series(1, 400) n`;
  await setState({ flowRunId: parent, state: proposeState('CANCELLED'), policy: 'minimal' });
  {
    await using _services = startServices();
    await untilStates('task_run', id, ['Running', 'Cancelled']);
  }
  await sql`delete from task_run where flow_run_id = ${parent}::uuid`;
});

test('finished task runs of cancelled runs are not even read', async () => {
  const { sql, kysely } = database;
  const parent = await createRun({}, 'RUNNING');
  await setState({ flowRunId: parent, state: proposeState('CANCELLED'), policy: 'minimal' });
  await sql`
    insert into task_run (name, flow_run_id, task_key, dynamic_key, state_type, state_id)
    select 't', ${parent}::uuid, 'k', n::text, 'COMPLETED', gen_random_uuid() from generate_series(1, 20000) n`;
  await sql`analyze task_run`;
  await using broker = new MemoryBroker({ saveDeadLetter: async () => {} });
  const rows = await kysely.transaction().execute(async (transaction) => {
    const own = sqlOf(transaction);
    const context = createTestContext({ ...database, kysely: transaction, sql: own }, broker);
    assert.equal(await cancelChildTaskRuns(context, new AbortController().signal), 0);
    return await own<{ read: number }[]>`select seq_tup_read + idx_tup_fetch as read from pg_stat_xact_user_tables where relname = 'task_run'`;
  });
  assert.ok(rows[0] && rows[0].read < 1000, `${rows[0]?.read} rows were read`);
});

/** An event of a run so many seconds ago, as its subject or as something that the event names. */
async function tell(run: string, event: string, secondsAgo: number, role = ''): Promise<void> {
  const [id, moment, resource] = [randomUUID(), addSeconds(now(), -secondsAgo), `prefect.flow-run.${run}`];
  const subject = role === '' ? resource : 'prefect.task-run.x';
  await database.sql`insert into events (id, occurred, event, resource_id, resource, payload, received, recorded)
    values (${id}::uuid, ${moment}::timestamptz, ${event}, ${subject}, '{}', '{}', ${moment}::timestamptz, now())`;
  await database.sql`insert into event_resources (event_id, occurred, resource_id, resource_role, resource)
    values (${id}::uuid, ${moment}::timestamptz, ${resource}, ${role}, '{}')`;
}

/** A run that is running for so many seconds, with heartbeats so many seconds ago. */
async function runSince(secondsAgo: number, ...heartbeats: number[]): Promise<string> {
  const run = await createRun({}, 'RUNNING');
  await database.sql`update flow_run set state_timestamp = now() - make_interval(secs => ${secondsAgo}) where id = ${run}::uuid`;
  for (const seconds of heartbeats) await tell(run, 'prefect.flow-run.heartbeat', seconds);
  return run;
}

/** Gateways took in events from so many seconds ago to so many seconds ago. */
async function listened(since: number, until: number): Promise<void> {
  await database.sql`delete from praetor.intake`;
  await database.sql`insert into praetor.intake (since, until) values (now() - make_interval(secs => ${since}), now() - make_interval(secs => ${until}))`;
}

const SILENCE = {
  PRAETOR_SERVICES_SILENT_RUNS_LOOP_SECONDS: '0.05',
  PRAETOR_SERVICES_SILENT_RUNS_HEARTBEAT_MULTIPLE: '1',
  PRAETOR_SERVICES_SILENT_RUNS_FALLBACK_HEARTBEAT_SECONDS: '1',
};

test('a run whose heartbeats stop has crashed, and only such a run', async () => {
  await listened(600, 0);
  const silent = await runSince(300, 61, 60);
  const patient = await runSince(300, 160, 60);
  const mute = await runSince(300);
  const restarted = await runSince(100, 261, 260);
  const busy = await runSince(300, 110, 60);
  await tell(busy, 'prefect.task-run.Running', 20, 'flow-run');
  const finished = await createRun({}, 'RUNNING', 'COMPLETED');
  await tell(finished, 'prefect.flow-run.heartbeat', 200);

  const settings = { ...SETTINGS, ...SILENCE };
  {
    await using _off = startCopies(2, database.url, createLateRuns, { ...settings, PRAETOR_SERVICES_SILENT_RUNS_ENABLED: 'false' });
    await settle();
    assert.deepEqual(await statesOf('flow_run', silent), ['Pending', 'Running']);
  }
  await using _services = startCopies(2, database.url, createLateRuns, settings);
  await untilStates('flow_run', silent, ['Pending', 'Running', 'Crashed']);
  await settle();
  const [state] = await database.sql<{ type: string; message: string }[]>`select type, message from flow_run_state where flow_run_id = ${silent}::uuid and name = 'Crashed'`;
  assert.match(`${state?.type} ${state?.message}`, /^CRASHED .*heartbeat every 1 seconds/);
  for (const run of [patient, mute, restarted, busy]) assert.deepEqual(await statesOf('flow_run', run), ['Pending', 'Running']);
  assert.deepEqual(await statesOf('flow_run', finished), ['Pending', 'Running', 'Completed']);
});

/** A broker whose readers are behind. */
class SlowBroker extends MemoryBroker {
  oldestSeconds = 0;
  override async lag(): Promise<GroupLag[]> {
    return [{ topic: 'events', group: 'event-persister', lag: 1, pending: 0, oldestSeconds: this.oldestSeconds }];
  }
}

test('silence means nothing while nobody listened', async () => {
  await using broker = new SlowBroker({ saveDeadLetter: async () => {} });
  const context = createTestContext(database, broker, { ...SILENCE, PRAETOR_SERVICES_SILENT_RUNS_FALLBACK_HEARTBEAT_SECONDS: '100' });
  const round = () => crashSilentRuns(context, new AbortController().signal);
  await database.sql`delete from praetor.intake`;
  const run = await runSince(1000, 951, 950);
  assert.equal(await round(), 0, 'nobody ever told that they listen');
  await listened(2000, 900);
  assert.equal(await round(), 0, 'every gateway is away, since shortly after the run was heard');
  await noteIntake(database.sql);
  assert.equal(await round(), 0, 'a gateway is back');
  await noteIntake(database.sql);
  assert.equal(await round(), 0, 'and stays');
  await listened(50, 0);
  assert.equal(await round(), 0, 'not for long enough');
  await listened(2000, 0);
  broker.oldestSeconds = 900;
  assert.equal(await round(), 0, 'what it sent may wait in the stream');
  broker.oldestSeconds = 0;
  assert.deepEqual(await statesOf('flow_run', run), ['Pending', 'Running']);
  assert.equal(await round(), 1);
  assert.deepEqual(await statesOf('flow_run', run), ['Pending', 'Running', 'Crashed']);
});

test('short gaps of the intake do not count', async () => {
  const intake = async () => {
    const span = await readIntake(database.sql, addSeconds(now(), 60));
    assert.ok(span);
    return span;
  };
  await listened(500, 5);
  const before = await intake();
  await Promise.all(Array.from({ length: 5 }, () => noteIntake(database.sql)));
  const short = await intake();
  assert.equal(short.since, before.since);
  assert.ok(secondsBetween(before.until, short.until) >= 5);
  await listened(500, 16);
  await Promise.all(Array.from({ length: 5 }, () => noteIntake(database.sql)));
  assert.ok(secondsBetween(before.since, (await intake()).since) >= 450);
});

for (const [heartbeats, interval] of [
  [[100], 180],
  [[100, 95], 180],
  [[1000, 100, 90, 80], 30],
  [[400, 340, 280, 220, 215], 60],
] as const)
  test(`heartbeats at ${heartbeats.join(', ')} come every ${interval} seconds`, () => assert.equal(heartbeatInterval(heartbeats, 180), interval));
