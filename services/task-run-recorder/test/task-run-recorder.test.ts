import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { receiveEvent } from '@praetor/schema/event';
import { addSeconds } from '@praetor/schema/timestamps';
import type { DeadLetter } from '@praetor/streams/broker';
import { createBroker } from '@praetor/streams/create-broker';
import { recordEvents } from '@praetor/task-run-recorder/record-events';
import { createTaskRunRecorder } from '@praetor/task-run-recorder/service';
import { type TaskRunEvent, readTaskRunEvent } from '@praetor/task-run-recorder/task-run-event';
import { createTestContext, runServices } from '@praetor/test/support/context';
import { type TestDatabase, createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';
import { makeTaskRunEvent } from '@praetor/test/support/events';
import { until } from '@praetor/test/support/poll';
import { RedisServer, isRedisServerInstalled } from '@praetor/test/support/redis-server';

const START = '2026-11-21T08:00:00Z';
const skip = (await isPostgresReachable()) ? false : 'needs Postgres';
const skipRedis = (await isRedisServerInstalled()) ? false : 'needs redis-server';

describe('the task-run recorder', { skip }, () => {
  let database: TestDatabase;
  let redis: RedisServer | undefined;
  let flowRunId: string;

  async function createFlowRun(id: string = randomUUID()): Promise<string> {
    await database.sql`insert into flow (name) values ('f') on conflict do nothing`;
    await database.sql`insert into flow_run (id, name, flow_id) select ${id}::uuid, 'r', id from flow`;
    return id;
  }

  before(async () => {
    database = await createTestDatabase();
    if (!skipRedis) redis = await RedisServer.start();
    flowRunId = await createFlowRun();
  });
  after(async () => {
    await database[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  interface Step extends Omit<Parameters<typeof makeTaskRunEvent>[0], 'at' | 'flowRunId'> {
    /** Default: the flow run of this test. */
    flowRun?: string | null;
    /** Seconds after START. */
    at: number;
  }

  /** The text of what a client reports about one step of a task run. */
  function report({ flowRun = flowRunId, at, ...step }: Step): string {
    return receiveEvent(makeTaskRunEvent({ ...step, flowRunId: flowRun, at: addSeconds(START, at) })) ?? '';
  }

  const read = (text: string): TaskRunEvent => readTaskRunEvent(text) ?? assert.fail('ignored');
  const record = (...steps: Step[]) => recordEvents(database.sql, steps.map((step) => read(report(step))));
  async function readRun(id: string) {
    const [row] = await database.sql`select * from task_run where id = ${id}::uuid`;
    return row;
  }
  const readStates = (id: string) => database.sql`select * from task_run_state where task_run_id = ${id}::uuid order by timestamp`;

  test('events of other things, and those that the server orchestrates, are ignored', () => {
    const text = report({ taskRunId: randomUUID(), at: 0 });
    assert.ok(readTaskRunEvent(text));
    assert.equal(readTaskRunEvent(text.replace('"event":"prefect.task-run', '"event":"prefect.flow-run')), undefined);
    assert.equal(readTaskRunEvent(text.replace('"client"', '"server"')), undefined);
    assert.throws(() => readTaskRunEvent(text.replace('"dynamic_key"', '"other_key"')));
  });

  test('a run takes the columns of its newest state; older ones only join its history', async () => {
    const id = randomUUID();
    await record({ taskRunId: id, at: 2, type: 'COMPLETED', run: { run_count: 1, end_time: addSeconds(START, 2), total_run_time: 1.25 } });
    await record({ taskRunId: id, at: 0, type: 'PENDING', run: { run_count: 0, name: 'old' } }, { taskRunId: id, at: 1, run: { run_count: 1, start_time: addSeconds(START, 1) } });
    const run = await readRun(id);
    assert.deepEqual(
      [run?.['name'], run?.['state_type'], run?.['state_name'], run?.['state_timestamp'], run?.['run_count'], run?.['end_time'], run?.['total_run_time'], run?.['flow_run_id']],
      ['add-1', 'COMPLETED', 'Completed', addSeconds(START, 2), 1, addSeconds(START, 2), 1.25, flowRunId],
    );
    const states = await readStates(id);
    assert.deepEqual(states.map((state) => state['type']), ['PENDING', 'RUNNING', 'COMPLETED']);
    assert.equal(run?.['state_id'], states[2]?.['id']);
  });

  test('keys that an event does not send leave their columns; null empties them', async () => {
    const id = randomUUID();
    await record({ taskRunId: id, at: 0, run: { start_time: START, end_time: START, tags: ['a'], cache_key: 'k' } });
    await record({ taskRunId: id, at: 1, run: { end_time: null, tags: undefined } });
    const run = await readRun(id);
    assert.deepEqual([run?.['start_time'], run?.['end_time'], run?.['tags'], run?.['cache_key']], [START, null, ['a'], 'k']);
  });

  test('state details get the ids of the run and its flow run', async () => {
    const id = randomUUID();
    await record({ taskRunId: id, at: 0, type: 'SCHEDULED', name: 'AwaitingRetry', details: { scheduled_time: START, retriable: true } });
    const [state] = await readStates(id);
    // What is as it is by default is not stored.
    assert.deepEqual(state?.['state_details'], { task_run_id: id, flow_run_id: flowRunId, scheduled_time: START, retriable: true });
    assert.equal(state?.['name'], 'AwaitingRetry');
  });

  test('a second id with the same keys is folded into the first run, also within one batch', async () => {
    for (const batches of [1, 2]) {
      const [first, second] = [randomUUID(), randomUUID()];
      const run = { dynamic_key: `retried-${batches}` };
      const steps: Step[] = [
        { taskRunId: first, at: 0, type: 'FAILED', run },
        { taskRunId: second, at: 1, type: 'COMPLETED', run },
      ];
      if (batches === 1) await record(...steps.toReversed());
      else for (const step of steps) await record(step);
      assert.equal(await readRun(second), undefined);
      assert.equal((await readRun(first))?.['state_type'], 'COMPLETED');
      const states = await readStates(first);
      assert.deepEqual(states.map((state) => Object(state['state_details']).task_run_id), [first, first]);
    }
  });

  test('a background task whose events differ in their flow run stays one run', async () => {
    const id = randomUUID();
    await record({ taskRunId: id, at: 0, type: 'SCHEDULED' });
    await record({ taskRunId: id, flowRun: null, at: 1 }, { taskRunId: id, flowRun: null, at: 2, type: 'COMPLETED' });
    const run = await readRun(id);
    assert.deepEqual([run?.['state_type'], run?.['flow_run_id']], ['COMPLETED', null]);
    assert.equal((await readStates(id)).length, 3);
  });

  test('events whose flow run does not exist are given back, the others are recorded', async () => {
    const [orphan, other] = [randomUUID(), randomUUID()];
    const missing = await record({ taskRunId: orphan, flowRun: randomUUID(), at: 0 }, { taskRunId: other, at: 0 });
    assert.deepEqual(missing.map((event) => event.taskRunId), [orphan]);
    assert.ok(await readRun(other));
  });

  test('what is looked for among many runs is found by indexes', async () => {
    const known = randomUUID();
    await record({ taskRunId: known, at: 0, type: 'PENDING' });
    await database.sql`insert into task_run (flow_run_id, name, task_key, dynamic_key) select ${flowRunId}::uuid, 'r', 'many', n::text from generate_series(1, 20000) n`;
    await database.sql`analyze task_run`;
    await database.sql.begin(async (sql) => {
      // What the connection has counted and not told yet is among it.
      const count = () => sql`select seq_scan from pg_stat_xact_user_tables where relid = 'task_run'::regclass`;
      const before = await count();
      await recordEvents(sql, [read(report({ taskRunId: known, at: 1 })), read(report({ taskRunId: randomUUID(), at: 1 }))]);
      assert.deepEqual(await count(), before);
    });
  });

  /** Runs through five states, some of them told under two ids, as texts. */
  function makeHistories(count: number): string[] {
    return Array.from({ length: count }).flatMap((_, index) => {
      const [id, again] = [randomUUID(), randomUUID()];
      const run = { dynamic_key: id };
      return [
        report({ taskRunId: id, at: 0, type: 'PENDING', run: { ...run, run_count: 0 } }),
        report({ taskRunId: id, at: 1, run: { ...run, run_count: 1, start_time: addSeconds(START, 1) } }),
        report({ taskRunId: id, at: 2, type: 'SCHEDULED', name: 'AwaitingRetry', run: { ...run, run_count: 1, start_time: addSeconds(START, 1) } }),
        report({ taskRunId: id, at: 3, name: 'Retrying', run: { ...run, run_count: 2, start_time: addSeconds(START, 1) } }),
        report({ taskRunId: index % 10 === 0 ? again : id, at: 4, type: 'COMPLETED', run: { ...run, run_count: 2, start_time: addSeconds(START, 1), end_time: addSeconds(START, 4), total_run_time: 2 } }),
      ];
    });
  }

  const shuffle = <T>(list: readonly T[]): T[] => list.map((value) => ({ value, at: Math.random() })).sort((a, b) => a.at - b.at).map(({ value }) => value);

  async function assertHistories(count: number): Promise<void> {
    const runs = await database.sql`
      select t.id, state_type, run_count, t.start_time, end_time, (select count(*) from task_run_state s where s.task_run_id = t.id) as states,
        (select name from task_run_state s where s.id = t.state_id and s.task_run_id = t.id) as state from task_run t where flow_run_id = ${flowRunId}::uuid`;
    assert.equal(runs.length, count);
    for (const { id: _, ...run } of runs)
      assert.deepEqual(run, { state_type: 'COMPLETED', run_count: 2, start_time: addSeconds(START, 1), end_time: addSeconds(START, 4), states: 5, state: 'Completed' });
  }

  test('four recorders with the same events in any order end at the same rows, without a deadlock', async () => {
    flowRunId = await createFlowRun();
    const events = makeHistories(200).map(read);
    const deadlocks = async () => (await database.sql<{ deadlocks: number }[]>`select deadlocks from pg_stat_database where datname = current_database()`)[0]?.deadlocks;
    const before = await deadlocks();
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const mine = shuffle(events);
        while (mine.length > 0) await recordEvents(database.sql, mine.splice(0, 1 + Math.floor(Math.random() * 60)));
      }),
    );
    await assertHistories(200);
    assert.equal(await deadlocks(), before);
  });

  for (const kind of ['redis', 'memory'] as const)
    test(`${kind}: two recorders share shuffled and repeated events; what has no flow run becomes a dead letter`, { skip: kind === 'redis' && skipRedis }, async () => {
      flowRunId = await createFlowRun();
      const letters: DeadLetter[] = [];
      await using broker = createBroker({
        ...(kind === 'redis' && { redis: { url: redis?.url ?? '', keyPrefix: randomUUID() } }),
        saveDeadLetter: async (letter) => void letters.push(letter),
        onError: () => {},
      });
      const texts = makeHistories(100);
      const orphan = report({ taskRunId: randomUUID(), flowRun: randomUUID(), at: 0 });
      const lateFlowRun = randomUUID();
      const early = report({ taskRunId: randomUUID(), flowRun: lateFlowRun, at: 0 });
      await using services = runServices(createTaskRunRecorder(createTestContext(database, broker)), createTaskRunRecorder(createTestContext(database, broker)));
      assert.ok(services);
      // Not awaited: in memory a publication is complete only when the persister, which is not here, has it too.
      broker.publish('events', shuffle([...texts, ...texts, orphan, early])).catch(() => {});
      await createFlowRun(lateFlowRun);
      await until('the orphan is given up', async () => letters.length === 1);
      assert.deepEqual([letters[0]?.data, letters[0]?.attempts, letters[0]?.error.includes('does not exist')], [orphan, 5, true]);
      await until('all is recorded', async () => (await broker.lag()).find((lag) => lag.group === 'task-run-recorder')?.pending === 0);
      await assertHistories(100);
      const [late] = await database.sql<{ count: number }[]>`select count(*) from task_run where flow_run_id = ${lateFlowRun}::uuid`;
      assert.equal(late?.count, 1);
    });
});
