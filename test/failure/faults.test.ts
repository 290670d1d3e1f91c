import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { addSeconds, now } from '@praetor/schema/timestamps';
import { Api } from '@praetor/test/support/api';
import type { Cluster } from '@praetor/test/support/cluster';
import type { TestDatabase } from '@praetor/test/support/database';
import { makeEvent } from '@praetor/test/support/events';
import { until } from '@praetor/test/support/poll';
import type { RedisServer } from '@praetor/test/support/redis-server';
import { type SimulatedRun, simulateRun } from './simulated-client.ts';
import { skip, startVictim } from './victim.ts';

/*
 * Faults under load: two of every service on a private Redis with an append-only file; while hundreds of flow runs are
 * under way, replicas are killed and Redis is restarted. Afterwards everything that was acknowledged is there, once.
 */

const TASKS = 5;
const AT_ONCE = 12;
/** Runs that end between two faults. */
const RUNS_BETWEEN = 40;

/** Clients that do one run after the other until they are told to stop. */
class Load {
  readonly runs: SimulatedRun[] = [];
  readonly #over = new AbortController();
  readonly #clients: Promise<unknown>;
  #atWork = 0;
  #failure: unknown;

  constructor(apiUrl: string, flowId: string) {
    this.#clients = Promise.all(Array.from({ length: AT_ONCE }, () => this.#work(apiUrl, flowId)));
    this.#clients.catch((error: unknown) => (this.#failure = error));
  }

  async #work(apiUrl: string, flowId: string): Promise<void> {
    for (this.#atWork++; !this.#over.signal.aborted; ) this.runs.push(await simulateRun(apiUrl, flowId, TASKS));
    this.#atWork--;
  }

  /** Resolves when so many more runs have ended, and all clients are at the next ones. */
  async goesOn(): Promise<void> {
    const wanted = this.runs.length + RUNS_BETWEEN;
    await until(`${RUNS_BETWEEN} more runs have ended`, async () => {
      if (this.#failure !== undefined) throw this.#failure;
      return this.runs.length >= wanted;
    }, 60);
    assert.equal(this.#atWork, AT_ONCE);
  }

  /** Resolves with all runs when the last of them has ended. */
  async stop(): Promise<readonly SimulatedRun[]> {
    this.#over.abort();
    await this.#clients;
    return this.runs;
  }
}

suite('faults', { skip }, () => {
  const stack = new AsyncDisposableStack();
  let database: TestDatabase;
  let redis: RedisServer;
  let cluster: Cluster;
  let flowId: string;

  test('two of every service start', async () => {
    ({ database, redis, cluster } = stack.use(await startVictim({ gateways: 2, workers: 2, env: { PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS: '1' } })));
    flowId = (await new Api(cluster.apiUrl).expect(201, 'POST', '/flows/', { name: 'faults' })).id;
  });

  async function missingEvents(ids: readonly string[]): Promise<number> {
    const [row] = await database.sql<{ missing: number }[]>`
      select count(*)::integer as missing from unnest(${ids}::uuid[]) wanted (id) where not exists (select from events where events.id = wanted.id)`;
    return row?.missing ?? -1;
  }

  /** Every state of these runs has its event, whose id it shares. */
  async function missingStateEvents(runIds: readonly string[]): Promise<number> {
    const states = await database.sql<{ id: string }[]>`select id from flow_run_state where flow_run_id = any(${runIds}::uuid[])`;
    assert.equal(states.length, runIds.length * 3);
    return await missingEvents(states.map(({ id }) => id));
  }

  /** The ticks go on: a run that nobody started becomes late. */
  async function untilTicked(api: Api): Promise<void> {
    const state = { type: 'SCHEDULED', state_details: { scheduled_time: addSeconds(now(), -60) } };
    const { id } = await api.expect(201, 'POST', '/flow_runs/', { flow_id: flowId, state });
    await until('a run is late', async () => (await api.expect(200, 'GET', `/flow_runs/${id}`)).state_name === 'Late', 60);
  }

  async function countRecorded(taskRunIds: readonly string[]): Promise<number> {
    const [row] = await database.sql<{ count: number }[]>`
      select count(*)::integer as count from task_run where id = any(${taskRunIds}::uuid[]) and state_type = 'COMPLETED'`;
    return row?.count ?? -1;
  }

  test('runs survive the loss of a gateway, a recorder, a persister and a restart of Redis', async (t) => {
    const load = new Load(cluster.apiUrl, flowId);
    for (const service of ['api-gateway', 'task-run-recorder', 'event-persister'] as const) {
      await load.goesOn();
      await cluster.killOne(service);
    }
    await load.goesOn();
    await redis.kill('SIGTERM');
    await cluster.says(false);
    await redis.restart();
    await cluster.says(true);
    await load.goesOn();
    const runs = await load.stop();
    t.diagnostic(`${runs.length} runs`);
    await untilTicked(new Api(cluster.apiUrl));

    const runIds = runs.map((run) => run.id);
    const [completed] = await database.sql<{ count: number }[]>`
      select count(*)::integer as count from flow_run where id = any(${runIds}::uuid[]) and state_type = 'COMPLETED'`;
    assert.equal(completed?.count, runs.length);

    const taskRunIds = runs.flatMap((run) => run.taskRunIds);
    await until('every task run is recorded', async () => (await countRecorded(taskRunIds)) === taskRunIds.length, 60);
    const [states] = await database.sql<{ count: number }[]>`
      select count(*)::integer as count from task_run_state where task_run_id = any(${taskRunIds}::uuid[])`;
    assert.equal(states?.count, taskRunIds.length * 3, 'every state once');
    await until('every acknowledged event is stored', async () => (await missingEvents(runs.flatMap((run) => run.eventIds))) === 0, 60);
    await until('every state has its event', async () => (await missingStateEvents(runIds)) === 0, 60);
    const [letters] = await database.sql<{ count: number }[]>`select count(*)::integer as count from praetor.dead_letter`;
    assert.equal(letters?.count, 0);
  });

  test('no state-change event is lost with all of Redis, and those that were there go on without a restart', async () => {
    const api = new Api(cluster.apiUrl);
    const trigger = { type: 'event', posture: 'Reactive', expect: ['faults.after'] };
    const { id: deployment_id } = await api.expect(201, 'POST', '/deployments/', { name: 'faults', flow_id: flowId });
    await api.expect(201, 'POST', '/automations/', { name: 'after', trigger, actions: [{ type: 'run-deployment', deployment_id }] });
    const survivors = (['task-run-recorder', 'automations', 'late-runs', 'api-gateway'] as const).flatMap((service) => cluster.members(service));
    // Nobody stores what is published now: it is in Redis, which then loses it, and in the outbox.
    for (const persister of cluster.members('event-persister')) await persister.stop('SIGKILL');
    const runIds: string[] = [];
    for (let index = 0; index < 60; index++) {
      const { id } = await api.expect(201, 'POST', '/flow_runs/', { flow_id: flowId, state: { type: 'PENDING' } });
      for (const type of ['RUNNING', 'COMPLETED']) await api.expect(201, 'POST', `/flow_runs/${id}/set_state`, { state: { type } });
      runIds.push(id);
    }
    await redis.flush();
    assert.equal(await missingStateEvents(runIds), runIds.length * 3);
    await Promise.all([cluster.startMember('event-persister'), cluster.startMember('event-persister')]);
    await until('every state has its event', async () => (await missingStateEvents(runIds)) === 0, 90);
    const [outbox] = await database.sql<{ count: number }[]>`select count(*)::integer as count from praetor.outbox`;
    assert.equal(outbox?.count, 0);

    const { taskRunIds } = await simulateRun(cluster.apiUrl, flowId, TASKS);
    await until('the recorders go on', async () => (await countRecorded(taskRunIds)) === TASKS, 60);
    await api.expect(204, 'POST', '/events', [makeEvent({ event: 'faults.after' })]);
    await until('the automations go on', async () => (await api.expect(200, 'POST', '/flow_runs/count', { deployments: { id: { any_: [deployment_id] } } })) === 1, 60);
    await untilTicked(api);
    await cluster.says(true);
    assert.equal(survivors.length, 8);
    assert.ok(survivors.every(({ isRunning }) => isRunning));
  });

  test('everything stops', () => stack.disposeAsync());
});
