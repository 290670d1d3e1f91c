import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Api } from '@praetor/test/support/api';
import { until } from '@praetor/test/support/poll';
import type { PrefectClient, Report } from './client.ts';

/* What the real client does with a server, and what the server must show afterwards. One function per way of working. */

export interface Setting {
  api: Api;
  client: PrefectClient;
  /** Runs for the worker of a pool. */
  pooledRuns: number;
}
export type Check = (setting: Setting) => Promise<void>;

const find = (reports: readonly Report[], name: string): Report => {
  const report = reports.find((candidate) => candidate.name === name);
  assert.ok(report, `the scenario reported ${name}`);
  return report;
};

async function readRun(api: Api, id: string) {
  return await api.expect(200, 'GET', `/flow_runs/${id}`);
}

/** Patience is generous: the client's processes share two cores with everything else. */
async function waitForState(api: Api, id: string, stateName: string, seconds = 120): Promise<void> {
  let seen = '';
  const reached = await until(`run in ${stateName}`, async () => (seen = (await readRun(api, id)).state_name) === stateName, seconds).catch(() => false);
  assert.ok(reached, `the run is ${seen}, not ${stateName}`);
}

async function countTaskRuns(api: Api, flowRunId: string, type: string): Promise<number> {
  return await api.expect(200, 'POST', '/task_runs/count', { flow_runs: { id: { any_: [flowRunId] } }, task_runs: { state: { type: { any_: [type] } } } });
}

async function waitForTaskRuns(api: Api, flowRunId: string, type: string, count: number): Promise<void> {
  await until(`${count} task runs ${type}`, async () => (await countTaskRuns(api, flowRunId, type)) === count);
}

/** The names of a run's states, in order. */
async function stateNames(api: Api, kind: 'flow' | 'task', id: string): Promise<string[]> {
  const states = await api.expect(200, 'GET', `/${kind}_run_states/?${kind}_run_id=${id}`);
  return states.map(({ name }: { name: string }) => name);
}

/** Resolves when the states of all task runs of a flow run are these, each run's in order, the runs in the order of their start. */
async function waitForTaskStates(api: Api, flowRunId: string, wanted: string[][]): Promise<void> {
  let seen: string[][] = [];
  const reached = await until('the states of the task runs', async () => {
    const runs = await api.expect(200, 'POST', '/task_runs/filter', { flow_runs: { id: { any_: [flowRunId] } }, sort: 'EXPECTED_START_TIME_ASC' });
    seen = await Promise.all(runs.map(({ id }: { id: string }) => stateNames(api, 'task', id)));
    return isDeepStrictEqual(seen, wanted);
  }).catch(() => false);
  if (!reached) assert.deepEqual(seen, wanted);
}

/** Tasks, sub-flows, retries, failures, mapping, caching, transactions, limits, variables, blocks, artifacts and events, in one client process. */
const flowsInProcess: Check = async ({ api, client }) => {
  const reports = await client.run('flows.py');
  const id = (name: string): string => find(reports, name).id;
  assert.deepEqual(find(reports, 'results'), { name: 'results', three_tasks: 10, parent: 10, flaky_flow: 'done', mapped: 2646700 });

  for (const name of ['three_tasks', 'parent', 'flaky_flow', 'mapped', 'limited', 'small_objects', 'asynchronous'])
    assert.equal((await readRun(api, id(name))).state_type, 'COMPLETED', name);
  assert.equal((await readRun(api, id('failing'))).state_type, 'FAILED');
  assert.equal((await readRun(api, id('flaky_flow'))).run_count, 3);

  await waitForTaskRuns(api, id('three_tasks'), 'COMPLETED', 3);
  await waitForTaskRuns(api, id('mapped'), 'COMPLETED', 200);
  await waitForTaskRuns(api, id('flaky_flow'), 'COMPLETED', 1);
  const [flaky] = await api.expect(200, 'POST', '/task_runs/filter', { flow_runs: { id: { any_: [id('flaky_flow')] } } });
  assert.equal(flaky.run_count, 3);

  assert.deepEqual(find(reports, 'cached'), { name: 'cached', results: [98, 98], computed: [7] });
  const [computed, cached] = [['Pending', 'Running', 'Completed'], ['Pending', 'Running', 'Cached']];
  await waitForTaskStates(api, id('caching_1'), [computed, cached]);
  await waitForTaskStates(api, id('caching_2'), [cached, cached]);
  await waitForTaskRuns(api, id('caching_2'), 'COMPLETED', 2);

  assert.deepEqual(find(reports, 'hooks').hooks, ['committed', 'rolled back']);
  assert.equal((await readRun(api, id('transactions'))).state_type, 'COMPLETED');
  await waitForTaskStates(api, id('transactions'), [computed, [...computed, 'RolledBack']]);
  const { events } = await api.expect(200, 'POST', '/events/filter', { filter: { event: { name: ['prefect.task-run.RolledBack'] }, related: { id: [`prefect.flow-run.${id('transactions')}`] } } });
  assert.equal(events.length, 1);

  const children = await api.expect(200, 'POST', '/flow_runs/filter', { flow_runs: { parent_flow_run_id: { any_: [id('parent')] } } });
  assert.deepEqual(
    children.map((run: { state_type: string }) => run.state_type),
    ['COMPLETED', 'COMPLETED'],
  );

  const loaded = find(reports, 'loaded');
  assert.equal(loaded.variable, "{'a': 1, 'b': 1.0, 'c': 12345678901234567890}");
  assert.deepEqual([loaded.secret, loaded.ports], ['hush', [1, 2]]);
  const artifacts = await api.expect(200, 'POST', '/artifacts/filter', { artifacts: { flow_run_id: { any_: [id('small_objects')] } } });
  const types = artifacts.map((artifact: { type: string }) => artifact.type).filter((type: string) => type !== 'result');
  assert.deepEqual(types.sort(), ['markdown', 'markdown', 'progress', 'table']);

  const limit = await api.expect(200, 'GET', '/v2/concurrency_limits/conformance-limit');
  assert.equal(limit.active_slots, 0, 'the slot came back');
  await until('the logs', async () => {
    const logs = await api.expect(200, 'POST', '/logs/filter', { logs: { flow_run_id: { any_: [id('asynchronous')] } } });
    return logs.some((log: { message: string }) => log.message === 'printed in an async flow');
  });
  await until('the emitted event', async () => {
    const { events } = await api.expect(200, 'POST', '/events/filter', { filter: { event: { name: ['conformance.emitted'] } } });
    return events.some((event: { payload: { n: number } }) => event.payload.n === 1);
  });

  assert.deepEqual(await stateNames(api, 'flow', id('three_tasks')), ['Pending', 'Running', 'Completed']);
  assert.match(await client.cli(['flow-run', 'ls', '--state', 'Completed']), /small-objects.*COMPLETED/);
  assert.match(await client.cli(['flow-run', 'logs', id('asynchronous')]), /printed in an async flow/);
};

async function startRun(api: Api, name: string, body: object = {}): Promise<string> {
  const deployment = await api.expect(200, 'GET', `/deployments/name/${name}`);
  const run = await api.expect(201, 'POST', `/deployments/${deployment.id}/create_flow_run`, { state: { type: 'SCHEDULED' }, ...body });
  return run.id;
}

/** `serve`: runs by hand and by schedule, within a limit, cancelling, pausing for input, suspending. */
const servedFlows: Check = async ({ api, client }) => {
  client.startScenario('served.py');
  await until('the deployments', async () => (await api.get('/deployments/name/suspending/served')).status === 200, 90);

  const output = await client.cli(['deployment', 'run', 'plain/served', '--param', 'n=7']);
  const [, plainId] = /UUID: ([0-9a-f-]{36})/.exec(output) ?? [];
  assert.ok(plainId, output);
  const limited = await Promise.all([startRun(api, 'plain/limited'), startRun(api, 'plain/limited')]);
  const endless = await startRun(api, 'endless/served');
  const pausing = await startRun(api, 'pausing/served');
  const suspending = await startRun(api, 'suspending/served');

  await waitForState(api, plainId, 'Completed');
  assert.deepEqual((await readRun(api, plainId)).parameters, { n: 7 });

  await waitForState(api, endless, 'Running');
  await client.cli(['flow-run', 'cancel', endless]);
  await waitForState(api, endless, 'Cancelled');

  await waitForState(api, pausing, 'Paused');
  assert.equal((await api.expect([200, 201], 'POST', `/flow_runs/${pausing}/resume`, { run_input: { value: 5 } })).status, 'ACCEPT');
  await waitForState(api, pausing, 'Completed');

  await waitForState(api, suspending, 'Suspended');
  assert.equal((await api.expect([200, 201], 'POST', `/flow_runs/${suspending}/resume`, {})).status, 'ACCEPT');
  await waitForState(api, suspending, 'Completed');
  assert.equal((await readRun(api, suspending)).run_count, 1, 'suspending is no second run');

  // Both are due at once: one has the slot, and the other asks for it again until the first has ended.
  for (const id of limited) await waitForState(api, id, 'Completed');
  const [early, late] = await Promise.all(limited.map(async (id) => await api.expect(200, 'GET', `/flow_run_states/?flow_run_id=${id}`)));
  const [first, second] = Date.parse(early.at(-1).timestamp) < Date.parse(late.at(-1).timestamp) ? [early, late] : [late, early];
  const named = (states: { name: string; timestamp: string }[], name: string) => states.filter((state) => state.name === name);
  assert.equal(named(first, 'AwaitingConcurrencySlot').length, 0);
  assert.ok(named(second, 'AwaitingConcurrencySlot').length > 0);
  assert.ok(Date.parse(named(second, 'Pending')[0]?.timestamp ?? '') >= Date.parse(first.at(-1).timestamp), 'they ran one after the other');
  const { global_concurrency_limit, concurrency_options } = await api.expect(200, 'GET', '/deployments/name/plain/limited');
  assert.deepEqual([global_concurrency_limit.limit, global_concurrency_limit.active_slots, concurrency_options.collision_strategy], [1, 0, 'ENQUEUE']);

  await until('scheduled runs complete', async () => {
    const filter = { deployments: { name: { any_: ['scheduled'] } }, flow_runs: { state: { type: { any_: ['COMPLETED'] } } } };
    return (await api.expect(200, 'POST', '/flow_runs/count', filter)) >= 2;
  }, 90);
  assert.match(await client.cli(['deployment', 'ls']), /plain\/served/);
};

/** A process work pool: created, deployed to in both ways, and a worker that does scheduled runs. */
const pooledFlows: Check = async ({ api, client, pooledRuns }) => {
  const pool = `pool-${randomUUID().slice(0, 8)}`;
  await client.cli(['work-pool', 'create', '--type', 'process', pool]);
  await client.run('pooled.py', [pool]);
  await client.cli(['deploy', '--all'], { CONFORMANCE_POOL: pool, CONFORMANCE_DIRECTORY: `${import.meta.dirname}/scenarios` });
  const fromYaml = await api.expect(200, 'GET', '/deployments/name/pooled/from-yaml');
  assert.deepEqual([fromYaml.parameters, fromYaml.tags, fromYaml.work_pool_name], [{ x: 21 }, ['yaml'], pool]);
  assert.deepEqual(fromYaml.schedules.map((schedule: { slug: string }) => schedule.slug).sort(), ['early', 'weekly']);
  const [automation] = await api.expect(200, 'GET', `/automations/related-to/prefect.deployment.${fromYaml.id}`);
  assert.deepEqual([automation.trigger.expect, automation.actions[0].deployment_id], [['zz.happened'], fromYaml.id]);

  client.startCli('worker', 'start', '--pool', pool, '--limit', '4');
  const runs = await Promise.all(Array.from({ length: pooledRuns }, (_, x) => startRun(api, 'pooled/pooled', { parameters: { x } })));
  for (const id of runs) await waitForState(api, id, 'Completed', 300);
  assert.match(await client.cli(['work-pool', 'ls']), new RegExp(pool));
  const { status } = await api.expect(200, 'GET', `/work_pools/${pool}`);
  assert.equal(status, 'READY');
};

/** `.delay()` and `serve`d tasks. */
const backgroundTasks: Check = async ({ api, client }) => {
  client.startScenario('background.py', 'serve');
  const reports = await client.run('background.py', ['delay']);
  assert.deepEqual(find(reports, 'results').results, [0, 1, 8, 27, 64]);
  const { ids, broken } = find(reports, 'delayed');
  for (const id of ids) assert.equal((await api.expect(200, 'GET', `/task_runs/${id}`)).state_type, 'COMPLETED');
  assert.equal((await api.expect(200, 'GET', `/task_runs/${broken}`)).state_type, 'FAILED');
};

/** `prefect events stream` prints what is emitted while it listens. */
const eventStream: Check = async ({ client }) => {
  const stream = client.startCli('events', 'stream');
  const name = `conformance.streamed.${randomUUID()}`;
  await until(
    'the streamed event',
    async () => {
      await client.cli(['event', 'emit', name, '--resource-id', 'conformance.2']);
      return stream.output().includes(name);
    },
    90,
  );
};

/** Automations by the SDK, the CLI and the triggers of deployments. */
const automations: Check = async ({ api, client }) => {
  const reports = await client.run('automations.py');
  assert.partialDeepStrictEqual(reports, [
    { name: 'created', same: true, triggers: 2 },
    { name: 'updated', description: 'changed', within: 30, action: 'cancel-flow-run' },
    { name: 'switched', disabled: false, enabled: true },
    { name: 'deleted', gone: true },
    { name: 'deployed', same: true },
  ]);
  const related = await api.expect(200, 'GET', `/automations/related-to/prefect.deployment.${find(reports, 'deployed').id}`);
  assert.deepEqual(related.map(({ name }: { name: string }) => name).sort(), ['compound', 'simple'], 'applying a deployment again replaces its automations');

  const name = 'conformance-file';
  await client.cli(['automation', 'create', '--from-file', 'automation.yaml']);
  assert.match(await client.cli(['automation', 'ls']), new RegExp(name));
  assert.match(await client.cli(['automation', 'inspect', name]), /description='From a file'/);
  const isEnabled = async () => (await api.expect(200, 'POST', '/automations/filter', { automations: { name: { any_: [name] } } })).map(({ enabled }: { enabled: boolean }) => enabled);
  await client.cli(['automation', 'pause', name]);
  assert.deepEqual(await isEnabled(), [false]);
  await client.cli(['automation', 'resume', name]);
  assert.deepEqual(await isEnabled(), [true]);
  await client.cli(['automation', 'delete', name]);
  assert.deepEqual(await isEnabled(), []);

  client.startScenario('served.py', 'triggered');
  await until('the deployment', async () => (await api.get('/deployments/name/plain/triggered')).status === 200, 90);
  await client.cli(['event', 'emit', 'conformance.start', '--resource-id', 'conformance.3']);
  const run = await until('an event starts a run', async () => (await api.expect(200, 'POST', '/flow_runs/filter', { deployments: { name: { any_: ['triggered'] } }, flows: { name: { any_: ['plain'] } } }))[0], 60);
  await waitForState(api, run.id, 'Completed');
  assert.deepEqual([run.parameters, run.created_by.type], [{ n: 8 }, 'AUTOMATION']);
};

export const checks: Record<string, Check> = {
  'flows in one process': flowsInProcess,
  'served flows': servedFlows,
  'a work pool and its worker': pooledFlows,
  'background tasks': backgroundTasks,
  'the stream of events': eventStream,
  'automations by hand and by deployment': automations,
};
