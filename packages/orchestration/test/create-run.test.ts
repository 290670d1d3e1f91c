import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { classifyDatabaseError } from '@praetor/database/errors';
import { parseJson } from '@praetor/schema/json';
import { proposeState } from '@praetor/schema/state';
import { type TestDatabase, createTestDatabase } from '@praetor/test/support/database';
import { after, before, test } from '@praetor/test/support/postgres-test';
import { type NewFlowRun, createFlowRun } from '../src/create-flow-run.ts';
import { type NewTaskRun, createTaskRun } from '../src/create-task-run.ts';
import { SETTINGS } from './transitions.ts';

let database: TestDatabase;
const flowId = randomUUID();
before(async () => {
  database = await createTestDatabase();
  await database.kysely.insertInto('flow').values({ id: flowId, name: 'flow', labels: '{"team": "a", "prefect.flow.id": "x"}' }).execute();
});
after(() => database[Symbol.asyncDispose]());

const PENDING = proposeState('PENDING');
const newFlowRun = (run: NewFlowRun) => createFlowRun(database, run, SETTINGS);
const newTaskRun = (run: NewTaskRun) => createTaskRun(database, run, SETTINGS);
const readRun = (id: string) => database.kysely.selectFrom('flow_run').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
const readTask = (id: string) => database.kysely.selectFrom('task_run').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

test('a flow run with nothing but its flow', async () => {
  const { id, created, events } = await newFlowRun({ flow_id: flowId, state: PENDING });
  const run = await readRun(id);
  assert.ok(created);
  assert.match(run.name, /^[a-z]+-[a-z]+$/);
  assert.deepEqual([run.state_type, run.parameters, run.context, run.tags, run.job_variables, run.created_by], ['PENDING', {}, {}, [], null, null]);
  assert.deepEqual(run.labels, { team: 'a', 'prefect.flow.id': flowId });
  assert.deepEqual([run.expected_start_time, run.run_count, run.start_time], [run.state_timestamp, 0, null]);
  const state = await database.kysely.selectFrom('flow_run_state').selectAll().where('flow_run_id', '=', id).executeTakeFirstOrThrow();
  assert.deepEqual([state.id, events.map((event) => event.id)], [run.state_id, [state.id]]);
  assert.equal(id.charAt(14), '4');
  assert.equal(state.id.charAt(14), '7');
});

test('parameters keep their numbers as they were sent', async () => {
  const parameters = parseJson('{"a": 1.0, "b": 12345678901234567890}') as { a: number };
  const { id } = await newFlowRun({ flow_id: flowId, state: PENDING, parameters });
  assert.equal(JSON.stringify((await readRun(id)).parameters), '{"a":1.0,"b":12345678901234567890}');
});

test('a scheduled run of a deployment', async () => {
  const deploymentId = randomUUID();
  await database.kysely.insertInto('deployment').values({ id: deploymentId, name: 'd', flow_id: flowId, labels: '{"team": "b"}' }).execute();
  const state = proposeState('SCHEDULED', { details: { scheduled_time: '2030-01-01T00:00:00+02:00' } });
  const { id } = await newFlowRun({
    flow_id: flowId,
    deployment_id: deploymentId,
    state,
    name: 'mine',
    labels: { mine: 1 },
    created_by: { id: null, type: 'AUTOMATION', display_value: 'a' },
  });
  const run = await readRun(id);
  assert.deepEqual([run.name, run.next_scheduled_start_time, run.expected_start_time], ['mine', '2029-12-31T22:00:00Z', '2029-12-31T22:00:00Z']);
  assert.deepEqual(run.labels, { team: 'b', 'prefect.flow.id': flowId, 'prefect.deployment.id': deploymentId, mine: 1 });
});

test('an idempotency key creates one run, however often and at once it is used', async () => {
  const create = () => newFlowRun({ flow_id: flowId, state: PENDING, idempotency_key: 'once' });
  const answers = await Promise.all(Array.from({ length: 10 }, create));
  assert.deepEqual([answers.filter(({ created }) => created).length, new Set(answers.map(({ id }) => id)).size], [1, 1]);
  const states = await database.kysely
    .selectFrom('flow_run_state')
    .select('id')
    .where('flow_run_id', '=', answers[0]?.id ?? '')
    .execute();
  assert.equal(states.length, 1);
  assert.equal(answers.flatMap(({ events }) => events).length, 1);
});

test('an unknown flow violates a foreign key and leaves nothing behind', async () => {
  await assert.rejects(
    newFlowRun({ flow_id: randomUUID(), state: PENDING, idempotency_key: 'lost' }),
    (error) => classifyDatabaseError(error) === 'foreign_key_violation',
  );
  assert.equal((await database.sql`select from flow_run where idempotency_key = 'lost'`).length, 0);
});

test('a task run of a flow run inherits its labels and is created once per keys', async () => {
  const flowRun = await newFlowRun({ flow_id: flowId, state: PENDING });
  const create = () => newTaskRun({ flow_run_id: flowRun.id, task_key: 'k', dynamic_key: '0', state: PENDING, labels: { mine: true } });
  const answers = await Promise.all(Array.from({ length: 5 }, create));
  assert.deepEqual([answers.filter(({ created }) => created).length, new Set(answers.map(({ id }) => id)).size], [1, 1]);
  const run = await readTask(answers[0]?.id ?? '');
  assert.deepEqual(run.labels, { team: 'a', 'prefect.flow.id': flowId, 'prefect.flow-run.id': flowRun.id, mine: true });
  assert.deepEqual([run.state_name, run.run_count], ['Pending', 0]);
});

test('a task run without a flow run is created once as well, under the id that was asked for', async () => {
  const id = randomUUID();
  const create = () => newTaskRun({ id, task_key: 'k', dynamic_key: '0', state: PENDING });
  const answers = await Promise.all(Array.from({ length: 5 }, create));
  assert.deepEqual([answers.filter(({ created }) => created).length, new Set(answers.map((answer) => answer.id))], [1, new Set([id])]);
});

test('a deferred task run goes into the queue of its task together with its creation', async () => {
  const state = proposeState('SCHEDULED', { details: { deferred: true, task_parameters_id: randomUUID() } });
  const { id } = await newTaskRun({ task_key: 'queued', dynamic_key: '0', state });
  await newTaskRun({ task_key: 'queued', dynamic_key: '0', state });
  const queue = await database.kysely.selectFrom('praetor.task_queue').select(['task_run_id', 'is_retry']).where('task_key', '=', 'queued').execute();
  assert.deepEqual(queue, [{ task_run_id: id, is_retry: false }]);
});

test('a sub-flow run puts its first state on the task run that stands for it', async () => {
  const parent = await newFlowRun({ flow_id: flowId, state: PENDING });
  const task = await newTaskRun({ flow_run_id: parent.id, task_key: 'sub', dynamic_key: '0', state: PENDING });
  const { id } = await newFlowRun({ flow_id: flowId, parent_task_run_id: task.id, state: proposeState('SCHEDULED', { name: 'Soon' }) });
  const { state_name, state_id } = await readTask(task.id);
  const state = await database.kysely.selectFrom('task_run_state').select('state_details').where('id', '=', state_id).executeTakeFirstOrThrow();
  assert.equal(state_name, 'Soon');
  assert.equal((state.state_details as { child_flow_run_id?: string }).child_flow_run_id, id);
});
