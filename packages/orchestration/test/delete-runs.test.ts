import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { proposeState } from '@praetor/schema/state';
import { type TestDatabase, createTestDatabase } from '@praetor/test/support/database';
import { limitDeletions } from '@praetor/test/support/deletions';
import { untilBlocked } from '@praetor/test/support/locks';
import { after, before, test } from '@praetor/test/support/postgres-test';
import { createFlowRun } from '../src/create-flow-run.ts';
import { createTaskRun } from '../src/create-task-run.ts';
import { deleteFlowRuns } from '../src/delete-runs.ts';
import { setFlowRunState, setTaskRunState } from '../src/set-state.ts';
import { SETTINGS } from './transitions.ts';

let database: TestDatabase;
const flowId = randomUUID();
before(async () => {
  database = await createTestDatabase();
  await database.sql`insert into flow (id, name) values (${flowId}::uuid, 'f')`;
});
after(() => database[Symbol.asyncDispose]());

async function createLimit(name: string): Promise<string> {
  const id = randomUUID();
  await database.sql`
    insert into concurrency_limit_v2 (id, name, active, "limit", active_slots, denied_slots, slot_decay_per_second, avg_slot_occupancy_seconds)
    values (${id}::uuid, ${name}, true, 1, 0, 0, 0, 2)`;
  return id;
}

async function slotsOf(limitId: string): Promise<{ active: number; leased: number }> {
  const [row] = await database.sql<{ active: number; leased: number }[]>`
    select active_slots as active, (select coalesce(sum(slots), 0)::int from praetor.lease where resource_ids @> array[l.id]) as leased
    from concurrency_limit_v2 l where id = ${limitId}::uuid`;
  assert.ok(row);
  return row;
}

const remove = (ids: string[]) => deleteFlowRuns(database, ids, SETTINGS);

/** Deletes a flow run while a change of state is about to take a slot of a limit: it has the run's row, and waits for the limit's. */
async function deleteDuring(change: () => Promise<unknown>, limitId: string, flowRunId: string): Promise<void> {
  let changed: Promise<unknown> | undefined;
  let deleted: Promise<string[]> | undefined;
  await database.sql.begin(async (holder) => {
    await holder`select from concurrency_limit_v2 where id = ${limitId}::uuid for update`;
    changed = change();
    await untilBlocked(database);
    deleted = remove([flowRunId]);
    await untilBlocked(database, 2);
  });
  await changed;
  assert.deepEqual(await deleted, [flowRunId]);
}

test('a run that takes a slot while it is being deleted gives it back', async () => {
  const limitId = await createLimit('deployment');
  const deployment_id = randomUUID();
  await database.sql`insert into deployment (id, name, flow_id, concurrency_limit_id) values (${deployment_id}::uuid, 'd', ${flowId}::uuid, ${limitId}::uuid)`;
  const { id } = await createFlowRun(database, { flow_id: flowId, deployment_id, state: proposeState('SCHEDULED') }, SETTINGS);
  await deleteDuring(() => setFlowRunState(database, { flowRunId: id, state: proposeState('PENDING'), clientVersion: '3.9.1' }, SETTINGS), limitId, id);
  assert.deepEqual(await slotsOf(limitId), { active: 0, leased: 0 });
});

test('so does a task run', async () => {
  const limitId = await createLimit('tag:db');
  const { id } = await createFlowRun(database, { flow_id: flowId, state: proposeState('RUNNING') }, SETTINGS);
  const task = await createTaskRun(database, { flow_run_id: id, task_key: 't', dynamic_key: '0', tags: ['db'], state: proposeState('PENDING') }, SETTINGS);
  await deleteDuring(() => setTaskRunState(database, { taskRunId: task.id, state: proposeState('RUNNING') }, SETTINGS), limitId, id);
  assert.deepEqual(await slotsOf(limitId), { active: 0, leased: 0 });
});

test('a run with very many logs and task runs is deleted in small steps, and nothing is left of it', async () => {
  const { sql } = database;
  await limitDeletions(database, 'log', 5000);
  await limitDeletions(database, 'task_run', 500);
  const { id } = await createFlowRun(database, { flow_id: flowId, state: proposeState('RUNNING') }, SETTINGS);
  await sql`insert into log (name, level, flow_run_id, message, timestamp) select 'l', 20, ${id}::uuid, 'm', now() from generate_series(1, 15000)`;
  await sql`insert into task_run (name, flow_run_id, task_key, dynamic_key) select 't', ${id}::uuid, 'k', n::text from generate_series(1, 1500) n`;
  assert.deepEqual(await remove([id, randomUUID()]), [id]);
  for (const table of ['log', 'task_run', 'flow_run_state']) assert.deepEqual(await sql`select from ${sql.unsafe(table)} where flow_run_id = ${id}::uuid`, []);
  assert.deepEqual(await remove([id]), []);
});
