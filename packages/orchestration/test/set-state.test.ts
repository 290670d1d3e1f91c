import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Database } from '@praetor/database/connect';
import { NotFoundError } from '@praetor/schema/errors';
import { flowRunPolicy } from '@praetor/schema/run-policy';
import { type StateCreate, proposeState } from '@praetor/schema/state';
import { addSeconds, now } from '@praetor/schema/timestamps';
import { type TestDatabase, createTestDatabase, openDatabase } from '@praetor/test/support/database';
import { after, before, test } from '@praetor/test/support/postgres-test';
import { type NewFlowRun, createFlowRun } from '../src/create-flow-run.ts';
import { type NewTaskRun, createTaskRun } from '../src/create-task-run.ts';
import { releaseExpiredLeases } from '../src/leases.ts';
import { type FlowRunProposal, type StateChange, type TaskRunProposal, setFlowRunState, setTaskRunState } from '../src/set-state.ts';
import { SETTINGS } from './transitions.ts';

/* set_state on a real Postgres; `gateways` are two pools on it, as two processes would have. */

let database: TestDatabase;
let second: Database;
let flowId: string;
before(async () => {
  database = await createTestDatabase();
  second = openDatabase(database.url);
  flowId = (await insert('flow', { name: 'flow' })) ?? '';
});
after(async () => {
  await second[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function insert(table: 'flow' | 'deployment' | 'concurrency_limit_v2', row: Record<string, unknown>): Promise<string> {
  const id = randomUUID();
  await database.kysely
    .insertInto(table)
    .values({ id, ...row } as never)
    .execute();
  return id;
}

const one = async <T extends object>(query: PromiseLike<T[]>): Promise<T> => {
  const [row] = await query;
  assert.ok(row);
  return row;
};

const create = (fields: Partial<NewFlowRun> = {}) => createFlowRun(database, { flow_id: flowId, state: proposeState('PENDING'), ...fields }, SETTINGS);
const createTask = async (run: NewTaskRun) => (await createTaskRun(database, run, SETTINGS)).id;
const readRun = (id: string) => one(database.kysely.selectFrom('flow_run').selectAll().where('id', '=', id).execute());
const readTask = (id: string) => one(database.kysely.selectFrom('task_run').selectAll().where('id', '=', id).execute());
const statesOf = (id: string) => database.kysely.selectFrom('flow_run_state').selectAll().where('flow_run_id', '=', id).orderBy('timestamp').execute();
/** Proposals with different indices go to different gateways. */
const gateway = (index: number): Database => (index % 2 === 0 ? database : second);
const propose = (flowRunId: string, state: StateCreate, fields: Partial<FlowRunProposal> = {}, index = 0) =>
  setFlowRunState(gateway(index), { flowRunId, state, clientVersion: '3.9.1', ...fields }, SETTINGS);
const proposeTask = (taskRunId: string, state: StateCreate, fields: Partial<TaskRunProposal> = {}, index = 0) =>
  setTaskRunState(gateway(index), { taskRunId, state, ...fields }, SETTINGS);

async function createLimited(limit: number, options: object | null = null): Promise<{ deploymentId: string; limitId: string }> {
  const limitId = await insert('concurrency_limit_v2', {
    name: `limit:${randomUUID()}`,
    active: true,
    limit,
    active_slots: 0,
    denied_slots: 0,
    slot_decay_per_second: 0,
    avg_slot_occupancy_seconds: 2,
  });
  const deploymentId = await insert('deployment', {
    name: randomUUID(),
    flow_id: flowId,
    concurrency_limit_id: limitId,
    concurrency_options: options && JSON.stringify(options),
  });
  return { deploymentId, limitId };
}

const activeSlots = async (limitId: string) =>
  (await one(database.sql<{ active_slots: number }[]>`select active_slots from concurrency_limit_v2 where id = ${limitId}::uuid`)).active_slots;
const leasedSlots = async (limitId: string) =>
  (
    await one(
      database.sql<{ slots: number }[]>`select coalesce(sum(slots), 0)::integer as slots from praetor.lease where resource_ids @> array[${limitId}::uuid]`,
    )
  ).slots;

test('a life cycle: states, columns and events', async () => {
  const { id } = await create({ tags: ['t'] });
  const running = await propose(id, proposeState('RUNNING'));
  const completed = await propose(id, proposeState('COMPLETED', { message: 'done', data: { type: 'reference', n: 1 } }));
  assert.deepEqual([running.result.status, running.isNew, completed.result.state?.data], ['ACCEPT', true, { type: 'reference', n: 1 }]);
  const run = await readRun(id);
  assert.deepEqual([run.state_type, run.state_name, run.run_count, run.state_id], ['COMPLETED', 'Completed', 1, completed.result.state?.id]);
  assert.deepEqual([run.start_time, run.end_time], [running.result.state?.timestamp, completed.result.state?.timestamp]);
  assert.ok(run.total_run_time > 0 && run.total_run_time < 5);
  const states = await statesOf(id);
  assert.deepEqual(
    states.map(({ type }) => type),
    ['PENDING', 'RUNNING', 'COMPLETED'],
  );
  assert.equal(states[2]?.data, null);
  const artifact = await one(
    database.kysely
      .selectFrom('artifact')
      .selectAll()
      .where('id', '=', states[2]?.result_artifact_id ?? '')
      .execute(),
  );
  assert.deepEqual([artifact.data, artifact.flow_run_id, artifact.task_run_id, artifact.key], [{ type: 'reference', n: 1 }, id, null, null]);
  const outbox = await database.kysely
    .selectFrom('praetor.outbox')
    .selectAll()
    .where(
      'id',
      'in',
      states.map((state) => state.id),
    )
    .execute();
  assert.equal(outbox.length, 3);
  assert.deepEqual(
    completed.events.map((event) => event.id),
    [completed.result.state?.id],
  );
});

test('a refusal answers with the current state and its data, and writes nothing', async () => {
  const { id } = await create();
  await propose(id, proposeState('RUNNING'));
  await propose(id, proposeState('COMPLETED', { data: { type: 'reference' } }));
  const before = await readRun(id);
  const { result, isNew, events } = await propose(id, proposeState('RUNNING'));
  assert.deepEqual([result.status, result.state?.type, result.state?.data, isNew, events], ['REJECT', 'COMPLETED', { type: 'reference' }, false, []]);
  assert.deepEqual(await readRun(id), before);
});

test('data that was not persisted is echoed, not stored; plain values are stored', async () => {
  const { id } = await create();
  const { result } = await propose(id, proposeState('RUNNING', { data: { type: 'unpersisted' } }));
  assert.deepEqual(result.state?.data, { type: 'unpersisted' });
  assert.equal((await propose(id, proposeState('PENDING'))).result.state?.data, null);
  await propose(id, proposeState('FAILED', { data: 5 }));
  assert.equal((await propose(id, proposeState('CRASHED'))).result.state?.data, 5);
});

test('an artifact takes its key, type and description from the data', async () => {
  const { id } = await create();
  await propose(id, proposeState('RUNNING', { data: { artifact_key: 'my-key', artifact_type: 'result', artifact_description: 'text', v: 1 } }));
  const artifact = await one(database.kysely.selectFrom('artifact').selectAll().where('flow_run_id', '=', id).execute());
  assert.deepEqual([artifact.key, artifact.type, artifact.description, artifact.data], ['my-key', 'result', 'text', { v: 1 }]);
});

test('a rule that refuses may still mark the run', async () => {
  const { id } = await create();
  await propose(id, proposeState('RUNNING'));
  await propose(id, proposeState('PAUSED', { details: { pause_key: 'k' } }));
  const { result, isNew } = await propose(id, proposeState('PENDING'));
  assert.deepEqual([result.status, isNew], ['REJECT', false]);
  assert.deepEqual(flowRunPolicy.parse((await readRun(id)).empirical_policy).resuming, true);
});

test('a pause deletes stale input under its own keys only', async () => {
  const { id } = await create();
  await propose(id, proposeState('RUNNING'));
  for (const key of ['p-resp', 'p-x', 'other']) await database.kysely.insertInto('flow_run_input').values({ key, value: '1', flow_run_id: id }).execute();
  await propose(id, proposeState('PAUSED', { details: { pause_key: 'k', run_input_keyset: { response: 'p-resp', any: 'p-x' } } }));
  const left = await database.kysely.selectFrom('flow_run_input').select('key').where('flow_run_id', '=', id).execute();
  assert.deepEqual(left, [{ key: 'other' }]);
});

test('an unknown run is not found', async () => {
  await assert.rejects(propose(randomUUID(), proposeState('RUNNING')), NotFoundError);
  await assert.rejects(proposeTask(randomUUID(), proposeState('RUNNING')), NotFoundError);
});

test('a proposal bound to a state comes too late once the run has left it', async () => {
  const { id } = await create();
  const { result } = await propose(id, proposeState('CANCELLING'));
  const bound = { onlyFromStateId: result.state?.id ?? '' };
  const cancelled = await propose(id, proposeState('CANCELLED'), bound);
  const late = await propose(id, proposeState('CANCELLED'), bound);
  assert.deepEqual([cancelled.result.status, late.result.status, late.isNew], ['ACCEPT', 'ABORT', false]);
});

test('of 20 workers that claim a run at once, at two gateways, one gets it', async () => {
  const { id } = await create({ state: proposeState('SCHEDULED') });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => propose(id, proposeState('PENDING'), {}, index)));
  const count = (status: string) => answers.filter(({ result }) => result.status === status).length;
  assert.deepEqual([count('ACCEPT'), count('ABORT')], [1, 19]);
  assert.equal((await statesOf(id)).length, 2);
});

test('proposals that are all accepted are all counted, whoever makes them', async () => {
  const { id } = await create();
  const answers = await Promise.all(Array.from({ length: 24 }, (_, index) => propose(id, proposeState('RUNNING'), {}, index)));
  assert.ok(answers.every(({ result }) => result.status === 'ACCEPT'));
  assert.equal((await readRun(id)).run_count, 24);
  const states = await statesOf(id);
  assert.equal(new Set(states.map(({ timestamp }) => timestamp)).size, 25);
  assert.equal((await database.sql`select id from praetor.outbox where id = any(${states.map((state) => state.id)}::uuid[])`).length, 25);
});

test('a limited deployment: two slots and ten runs', async () => {
  const { deploymentId, limitId } = await createLimited(2);
  const runs = await Promise.all(Array.from({ length: 10 }, () => create({ state: proposeState('SCHEDULED'), deployment_id: deploymentId })));
  const answers = await Promise.all(runs.map(({ id }, index) => propose(id, proposeState('PENDING'), {}, index)));
  const claimed = answers.filter(({ result }) => result.state?.type === 'PENDING');
  assert.equal(claimed.length, 2);
  assert.equal(answers.filter(({ result, isNew }) => result.status === 'REJECT' && result.state?.name === 'AwaitingConcurrencySlot' && isNew).length, 8);
  assert.deepEqual([await activeSlots(limitId), await leasedSlots(limitId)], [2, 2]);

  const [winner] = claimed;
  const id = winner?.result.state?.state_details.flow_run_id ?? '';
  const lease = winner?.result.state?.state_details.deployment_concurrency_lease_id;
  const running = await propose(id, proposeState('RUNNING'));
  assert.equal(running.result.state?.state_details.deployment_concurrency_lease_id, lease);
  // Three clients report the end at once; the slot comes back once.
  await Promise.all((['COMPLETED', 'FAILED', 'CRASHED'] as const).map((type, index) => propose(id, proposeState(type), {}, index)));
  assert.deepEqual([await activeSlots(limitId), await leasedSlots(limitId)], [1, 1]);
});

test('a limit of 0 aborts, CANCEL_NEW cancels', async () => {
  const none = await createLimited(0);
  const { id } = await create({ state: proposeState('SCHEDULED'), deployment_id: none.deploymentId });
  assert.equal((await propose(id, proposeState('PENDING'))).result.status, 'ABORT');
  assert.equal((await readRun(id)).state_type, 'SCHEDULED');

  const { deploymentId } = await createLimited(1, { collision_strategy: 'CANCEL_NEW' });
  const answers: StateChange[] = [];
  for (let index = 0; index < 2; index++) {
    const run = await create({ state: proposeState('SCHEDULED'), deployment_id: deploymentId });
    answers.push(await propose(run.id, proposeState('PENDING')));
  }
  assert.deepEqual(
    answers.map(({ result }) => result.state?.type),
    ['PENDING', 'CANCELLED'],
  );
});

test('a lease that expired while the infrastructure started', async () => {
  const { deploymentId, limitId } = await createLimited(1, { collision_strategy: 'ENQUEUE', grace_period_seconds: 60 });
  const [lost, other] = await Promise.all([
    create({ state: proposeState('SCHEDULED'), deployment_id: deploymentId }),
    create({ state: proposeState('SCHEDULED'), deployment_id: deploymentId }),
  ]);
  const expire = async () => {
    await database.sql`update praetor.lease set expiration = now() - interval '1 second' where resource_ids @> array[${limitId}::uuid]`;
    return await Promise.all([releaseExpiredLeases(database.sql, 100, SETTINGS), releaseExpiredLeases(second.sql, 100, SETTINGS)]);
  };
  const claim = await propose(lost.id, proposeState('PENDING'));
  assert.equal(
    (await expire()).reduce((sum, released) => sum + released),
    1,
  );
  assert.equal(await activeSlots(limitId), 0);

  // Nobody else wanted the slot, so the run takes it again.
  const running = await propose(lost.id, proposeState('RUNNING'));
  const lease = running.result.state?.state_details.deployment_concurrency_lease_id;
  assert.ok(lease && lease !== claim.result.state?.state_details.deployment_concurrency_lease_id);
  assert.deepEqual([await activeSlots(limitId), await leasedSlots(limitId)], [1, 1]);
  await propose(lost.id, proposeState('COMPLETED'));

  // Somebody else took it: the run is cancelled, and the other one's slot stays taken.
  const again = await create({ state: proposeState('SCHEDULED'), deployment_id: deploymentId });
  await propose(again.id, proposeState('PENDING'));
  await expire();
  await propose(other.id, proposeState('PENDING'));
  const cancelled = await propose(again.id, proposeState('RUNNING'));
  assert.deepEqual([cancelled.result.status, cancelled.result.state?.type], ['REJECT', 'CANCELLED']);
  assert.deepEqual([await activeSlots(limitId), await leasedSlots(limitId)], [1, 1]);
});

test('a client too old for leases keeps its slot until its run ends', async () => {
  const { deploymentId, limitId } = await createLimited(2);
  const old = { clientVersion: '3.4.0' };
  const runs = await Promise.all([1, 2].map(() => create({ state: proposeState('SCHEDULED'), deployment_id: deploymentId })));
  for (const { id } of runs) await propose(id, proposeState('PENDING'), old);
  for (const { id } of runs) await propose(id, proposeState('RUNNING'), old);
  assert.deepEqual([await activeSlots(limitId), await leasedSlots(limitId)], [2, 0]);
  for (const { id } of runs) await propose(id, proposeState('COMPLETED'), old);
  assert.equal(await activeSlots(limitId), 0);
});

test('a late run of a full deployment that cancels', async () => {
  const { deploymentId } = await createLimited(1, { collision_strategy: 'CANCEL_NEW' });
  const [first, next] = await Promise.all([1, 2].map(() => create({ state: proposeState('SCHEDULED'), deployment_id: deploymentId })));
  const late = proposeState('SCHEDULED', { name: 'Late', details: { scheduled_time: now() } });
  const marked = await propose(first?.id ?? '', late, { policy: 'mark-late' });
  assert.equal(marked.result.state?.name, 'Late');
  await propose(first?.id ?? '', proposeState('PENDING'));
  const cancelled = await propose(next?.id ?? '', late, { policy: 'mark-late' });
  assert.deepEqual([cancelled.result.status, cancelled.result.state?.type], ['REJECT', 'CANCELLED']);
});

test('a sub-flow moves the task run that stands for it', async () => {
  const parent = await create();
  const task = await createTask({ flow_run_id: parent.id, task_key: 'sub', dynamic_key: '0', state: proposeState('PENDING') });
  const child = await create({ parent_task_run_id: task });
  await propose(child.id, proposeState('RUNNING'));
  await Promise.all([
    propose(child.id, proposeState('COMPLETED', { data: { type: 'reference' } })),
    proposeTask(task, proposeState('PENDING'), { policy: 'minimal' }, 1),
  ]);
  const run = await readTask(task);
  const state = await one(database.kysely.selectFrom('task_run_state').selectAll().where('task_run_id', '=', task).where('type', '=', 'COMPLETED').execute());
  assert.ok(run.run_count === 1 && state.result_artifact_id !== null);
  const { child_flow_run_id, flow_run_id, task_run_id } = state.state_details as Record<string, unknown>;
  assert.deepEqual([child_flow_run_id, flow_run_id, task_run_id], [child.id, parent.id, task]);
});

test('a client of API 0.8.2 gets its failed task runs scheduled again', async () => {
  const flowRun = await create({ empirical_policy: flowRunPolicy.parse({ retries: 1, retry_delay: 5 }) });
  await propose(flowRun.id, proposeState('RUNNING'));
  const task = await createTask({ flow_run_id: flowRun.id, task_key: 't', dynamic_key: '0', state: proposeState('RUNNING') });
  await proposeTask(task, proposeState('FAILED'));
  const { result } = await propose(flowRun.id, proposeState('FAILED'), { apiVersion: '0.8.2' });
  const { state_name, run_count, next_scheduled_start_time } = await readTask(task);
  assert.deepEqual(
    [result.state?.name, state_name, run_count, next_scheduled_start_time],
    ['AwaitingRetry', 'AwaitingRetry', 0, result.state?.state_details.scheduled_time],
  );
});

test('task runs: cache, retries and reruns', async () => {
  const key = { details: { cache_key: randomUUID() } };
  const run = (dynamic_key: string) => createTask({ task_key: 'cached', dynamic_key, state: proposeState('PENDING') });
  const first = await run('1');
  assert.equal((await proposeTask(first, proposeState('RUNNING', key))).result.state?.name, 'Running');
  await proposeTask(first, proposeState('COMPLETED', { ...key, data: { type: 'reference' } }));
  const { result } = await proposeTask(await run('2'), proposeState('RUNNING', key));
  assert.deepEqual([result.status, result.state?.name, result.state?.data], ['REJECT', 'Cached', { type: 'reference' }]);
  const expired = { details: { cache_key: randomUUID(), cache_expiration: addSeconds(now(), -1) } };
  const third = await run('3');
  await proposeTask(third, proposeState('RUNNING'));
  await proposeTask(third, proposeState('COMPLETED', expired));
  assert.equal((await proposeTask(await run('4'), proposeState('RUNNING', expired))).result.status, 'ACCEPT');
});

test('tag limits: ten task runs want two slots, and an end frees one', async () => {
  const tag = randomUUID();
  const limitId = await insert('concurrency_limit_v2', {
    name: `tag:${tag}`,
    active: true,
    limit: 2,
    active_slots: 0,
    denied_slots: 0,
    slot_decay_per_second: 0,
    avg_slot_occupancy_seconds: 2,
  });
  const ids = await Promise.all(
    Array.from({ length: 10 }, (_, index) => createTask({ task_key: 'tagged', dynamic_key: `${tag}${index}`, tags: [tag], state: proposeState('PENDING') })),
  );
  const start = (taskRunId: string, index: number) => proposeTask(taskRunId, proposeState('RUNNING'), {}, index);
  const answers = await Promise.all(ids.map(start));
  assert.deepEqual(
    [answers.filter(({ result }) => result.status === 'ACCEPT').length, answers.filter(({ result }) => result.status === 'WAIT').length],
    [2, 8],
  );
  const winner = ids[answers.findIndex(({ isNew }) => isNew)] ?? '';
  await Promise.all([proposeTask(winner, proposeState('COMPLETED')), proposeTask(winner, proposeState('COMPLETED'), {}, 1)]);
  assert.deepEqual([await activeSlots(limitId), await leasedSlots(limitId)], [1, 1]);
});

test('tag limits of the first generation', async () => {
  const tag = randomUUID();
  await database.sql`insert into concurrency_limit (tag, concurrency_limit) values (${tag}, 1)`;
  const ids = await Promise.all(['a', 'b'].map((key) => createTask({ task_key: 'old', dynamic_key: tag + key, tags: [tag], state: proposeState('PENDING') })));
  const holders = async () =>
    (await one(database.sql<{ active_slots: string[] }[]>`select active_slots from concurrency_limit where tag = ${tag}`)).active_slots;
  const answers = await Promise.all(ids.map((taskRunId, index) => proposeTask(taskRunId, proposeState('RUNNING'), {}, index)));
  const winner = ids[answers.findIndex(({ isNew }) => isNew)] ?? '';
  assert.deepEqual([answers.map(({ result }) => result.status).sort(), await holders()], [['ACCEPT', 'WAIT'], [winner]]);
  await proposeTask(winner, proposeState('FAILED'));
  assert.deepEqual(await holders(), []);
});
