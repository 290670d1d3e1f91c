import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Api } from '@praetor/test/support/api';
import type { Cluster } from '@praetor/test/support/cluster';
import type { TestDatabase } from '@praetor/test/support/database';
import { until } from '@praetor/test/support/poll';
import type { RedisServer } from '@praetor/test/support/redis-server';
import { type SimulatedRun, simulateRun } from './simulated-client.ts';
import { skip, startVictim } from './victim.ts';

/*
 * Faults under load: two of every service on a private Redis with an append-only file; while hundreds of flow runs are
 * under way, replicas are killed and Redis is restarted. Afterwards everything that was acknowledged is there, once.
 */

const RUNS = 500;
const TASKS = 5;
const AT_ONCE = 12;

async function simulateRuns(apiUrl: string, flowId: string, count: number): Promise<SimulatedRun[]> {
  const runs: SimulatedRun[] = [];
  let started = 0;
  const worker = async () => {
    while (started++ < count) runs.push(await simulateRun(apiUrl, flowId, TASKS));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return runs;
}

suite('faults', { skip }, () => {
  const stack = new AsyncDisposableStack();
  let database: TestDatabase;
  let redis: RedisServer;
  let cluster: Cluster;
  let flowId: string;

  test('two of every service start', async () => {
    ({ database, redis, cluster } = stack.use(await startVictim({ gateways: 2, workers: 2 })));
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

  test(`${RUNS} runs survive the loss of a gateway, a recorder, a persister and a restart of Redis`, async () => {
    const running = simulateRuns(cluster.apiUrl, flowId, RUNS);
    for (const service of ['api-gateway', 'task-run-recorder', 'event-persister'] as const) {
      await sleep(1000);
      await cluster.killOne(service);
    }
    await redis.kill('SIGTERM');
    await sleep(1500);
    await redis.restart();
    const runs = await running;
    assert.equal(runs.length, RUNS);

    const runIds = runs.map((run) => run.id);
    const [completed] = await database.sql<{ count: number }[]>`
      select count(*)::integer as count from flow_run where id = any(${runIds}::uuid[]) and state_type = 'COMPLETED'`;
    assert.equal(completed?.count, RUNS);

    const taskRunIds = runs.flatMap((run) => run.taskRunIds);
    const recorded = async () => {
      const [row] = await database.sql<{ count: number }[]>`
        select count(*)::integer as count from task_run where id = any(${taskRunIds}::uuid[]) and state_type = 'COMPLETED'`;
      return row?.count;
    };
    await until('every task run is recorded', async () => (await recorded()) === RUNS * TASKS, 60);
    const [states] = await database.sql<{ count: number }[]>`
      select count(*)::integer as count from task_run_state where task_run_id = any(${taskRunIds}::uuid[])`;
    assert.equal(states?.count, RUNS * TASKS * 3, 'every state once');
    await until('every acknowledged event is stored', async () => (await missingEvents(runs.flatMap((run) => run.eventIds))) === 0, 60);
    await until('every state has its event', async () => (await missingStateEvents(runIds)) === 0, 60);
    const [letters] = await database.sql<{ count: number }[]>`select count(*)::integer as count from praetor.dead_letter`;
    assert.equal(letters?.count, 0);
  });

  test('no state-change event is lost with all of Redis', async () => {
    const api = new Api(cluster.apiUrl);
    // Nobody stores what is published now: it is in Redis, which then loses it, and in the outbox.
    for (const persister of cluster.members('event-persister')) await persister.stop('SIGKILL');
    const runIds: string[] = [];
    for (let index = 0; index < 60; index++) {
      const { id } = await api.expect(201, 'POST', '/flow_runs/', { flow_id: flowId, state: { type: 'PENDING' } });
      for (const type of ['RUNNING', 'COMPLETED']) await api.expect(201, 'POST', `/flow_runs/${id}/set_state`, { state: { type } });
      runIds.push(id);
    }
    const admin = new Redis(redis.url);
    await admin.flushall();
    admin.disconnect();
    assert.equal(await missingStateEvents(runIds), runIds.length * 3);
    await Promise.all([cluster.startMember('event-persister'), cluster.startMember('event-persister')]);
    await until('every state has its event', async () => (await missingStateEvents(runIds)) === 0, 90);
    const [outbox] = await database.sql<{ count: number }[]>`select count(*)::integer as count from praetor.outbox`;
    assert.equal(outbox?.count, 0);
  });

  test('everything stops', () => stack.disposeAsync());
});
