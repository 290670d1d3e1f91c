import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Event } from '@praetor/schema/event';
import { addSeconds, now } from '@praetor/schema/timestamps';
import { Api } from '@praetor/test/support/api';
import type { Cluster } from '@praetor/test/support/cluster';
import type { TestDatabase } from '@praetor/test/support/database';
import { makeEvent, makeTaskRunEvent } from '@praetor/test/support/events';
import { until } from '@praetor/test/support/poll';
import type { RedisServer } from '@praetor/test/support/redis-server';
import { deliver } from './simulated-client.ts';
import { skip, startVictim } from './victim.ts';

/*
 * Events in any order, some of them several times, from eight clients at once, while one of every service is killed and
 * Redis is restarted: each is stored once, each task run ends in the state that was its last, and automations fire and run
 * deployments exactly as often as one replica would have made them.
 * PRAETOR_TEST_EVENTS asks for more of them.
 */

const EVENTS = Number(process.env['PRAETOR_TEST_EVENTS'] ?? 16_000);
const CLIENTS = 8;
/** One of each is killed while the events come. */
const VICTIMS = ['event-persister', 'automations', 'task-run-recorder', 'api-gateway'] as const;
/** Events between two checkpoints of a client. */
const CHUNK = 100;
const DUPLICATES = 0.1;
/** Half of the events belong to task runs. */
const TASK_RUNS = Math.floor(EVENTS / 6);
const LAST_STATES = ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'] as const;
/** Events that automations watch. */
const MARKS = 210;
const MARKED_THINGS = 3;
const WAIT_SECONDS = 60 + EVENTS / 500;

interface TaskRun {
  id: string;
  lastState: (typeof LAST_STATES)[number];
}

function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((left, right) => left.place - right.place)
    .map(({ item }) => item);
}

/** What one client sends: the given events and some of them again, in any order. */
function* chunksOf(events: readonly Event[]): Generator<Event[]> {
  const sent = shuffle([...events, ...events.filter(() => Math.random() < DUPLICATES)]);
  for (let start = 0; start < sent.length; start += CHUNK) yield sent.slice(start, start + CHUNK);
}

suite(`a flood of ${EVENTS} events`, { skip }, () => {
  const stack = new AsyncDisposableStack();
  let database: TestDatabase;
  let redis: RedisServer;
  let cluster: Cluster;

  test('two of every service start', async () => {
    ({ database, redis, cluster } = stack.use(await startVictim({ gateways: 2, workers: 2 })));
  });

  async function count(statement: ReturnType<TestDatabase['sql']>): Promise<number> {
    const [row] = await database.sql<{ count: number }[]>`select count(*)::integer as count from (${statement}) as rows`;
    return row?.count ?? -1;
  }

  /** Automations on the marked events; gives how often each must fire. */
  async function createAutomations(api: Api): Promise<{ firings: Map<string, number>; deployment: string }> {
    const { id: flow_id } = await api.expect([200, 201], 'POST', '/flows/', { name: 'flood' });
    const { id: deployment } = await api.expect([200, 201], 'POST', '/deployments/', { name: 'flood', flow_id });
    const watch = (more: object) => ({ type: 'event', posture: 'Reactive', expect: ['flood.mark'], ...more });
    const run = { type: 'run-deployment', deployment_id: deployment };
    const perThing = Math.floor(MARKS / MARKED_THINGS);
    const firings = new Map<string, number>();
    for (const [trigger, actions, expected] of [
      [watch({}), [run], MARKS],
      [watch({ threshold: 7 }), [], Math.floor(MARKS / 7)],
      [watch({ threshold: 4, for_each: ['prefect.resource.id'] }), [run], Math.floor(perThing / 4) * MARKED_THINGS],
      [{ type: 'compound', require: 'any', within: null, triggers: [watch({ threshold: 5 }), watch({ threshold: 6 })] }, [], Math.floor(MARKS / 5) + Math.floor(MARKS / 6)],
    ] as const) {
      const { id } = await api.expect(201, 'POST', '/automations/', { name: `fires ${expected} times`, trigger, actions });
      firings.set(id, expected);
    }
    return { firings, deployment };
  }

  test('is stored once and ends in the right states', async () => {
    const { sql } = database;
    const api = new Api(cluster.apiUrl);
    const { firings, deployment } = await createAutomations(api);
    const start = now();
    const taskRuns: TaskRun[] = Array.from({ length: TASK_RUNS }, () => ({ id: randomUUID(), lastState: LAST_STATES[randomInt(LAST_STATES.length)] ?? 'COMPLETED' }));
    const events = taskRuns.flatMap(({ id, lastState }, index) =>
      (['PENDING', 'RUNNING', lastState] as const).map((type, step) => makeTaskRunEvent({ taskRunId: id, flowRunId: null, at: addSeconds(start, index * 0.001 + step * 0.0001), type, name: type })),
    );
    for (let mark = 0; mark < MARKS; mark++) events.push(makeEvent({ event: 'flood.mark', resource: { 'prefect.resource.id': `thing.${mark % MARKED_THINGS}` } }));
    while (events.length < EVENTS) events.push(makeEvent({ event: 'flood.drop' }));
    const shares = Array.from({ length: CLIENTS }, (): Event[] => []);
    for (const [index, event] of shuffle(events).entries()) shares[index % CLIENTS]?.push(event);

    const restartRedis = async () => {
      await redis.kill();
      await cluster.says(false);
      await redis.restart();
      await cluster.says(true);
    };
    const faults = [...VICTIMS.map((service) => () => cluster.killOne(service)), restartRedis];
    const progress = { faultsOver: 0, delivering: 0 };
    const send = async (chunk: readonly Event[]) => {
      progress.delivering++;
      await deliver(`${cluster.apiUrl.replace('http', 'ws')}/events/in`, chunk);
      progress.delivering--;
    };
    // Each client has something new for each fault, and some of it again until that is over: nobody is done before.
    const clients = shares.map(async (share) => {
      const chunks = [...chunksOf(share)];
      const perFault = Math.ceil(chunks.length / faults.length);
      for (let fault = 0; fault < faults.length; fault++) {
        for (const chunk of chunks.splice(0, perFault)) await send(chunk);
        while (progress.faultsOver <= fault) await send(share.slice(0, 5));
      }
    });
    const flooding = Promise.all(clients);
    for (const fault of faults) {
      await Promise.race([flooding, until('every client is at it', async () => progress.delivering === CLIENTS)]);
      assert.equal(progress.delivering, CLIENTS);
      await fault();
      progress.faultsOver++;
    }
    await flooding;

    await until('every event is stored', async () => (await count(sql`select from events where id = any(${events.map(({ id }) => id)}::uuid[])`)) === events.length, WAIT_SECONDS);
    await until('every state is recorded', async () => (await count(sql`select from task_run_state`)) === TASK_RUNS * 3, WAIT_SECONDS);
    const ids = taskRuns.map(({ id }) => id);
    const states = taskRuns.map(({ lastState }) => lastState);
    const right = sql`select from unnest(${ids}::uuid[], ${states}::text[]) as wanted (id, state) join task_run using (id) where task_run.state_type::text = wanted.state`;
    assert.equal(await count(right), TASK_RUNS);
    // What came several times has its resources once, too.
    assert.equal(await count(sql`select from event_resources where event_id = any(${events.map(({ id }) => id)}::uuid[])`), events.length);
    for (const [automation, expected] of firings) {
      const told = sql`select from events where event = 'prefect.automation.triggered' and resource_id = ${`prefect.automation.${automation}`}`;
      await until(`an automation has fired ${expected} times`, async () => (await count(told)) >= expected, WAIT_SECONDS);
      await sleep(1000);
      assert.equal(await count(told), expected);
    }
    await until('every action is done', async () => (await count(sql`select from praetor.automation_action`)) === 0, WAIT_SECONDS);
    const [every, , perThing] = [...firings.values()];
    assert.equal(await count(sql`select from flow_run where deployment_id = ${deployment}::uuid`), (every ?? 0) + (perThing ?? 0));
    assert.equal(await count(sql`select from praetor.dead_letter`), 0);
    assert.equal((await api.post('/task_runs/count')).body, TASK_RUNS);
  });

  test('everything stops', () => stack.disposeAsync());
});
