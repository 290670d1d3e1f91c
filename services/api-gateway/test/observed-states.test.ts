import assert from 'node:assert/strict';
import { observedState } from '@praetor/schema/observed-state';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

test('the states that runs have had', async (t) => {
  await using gateway = await startGateway();
  const { api, database } = gateway;
  const list = async (query = '') => observedState.array().parse(await api.expect(200, 'GET', `/observed-states${query}`));
  const names = async (query: string) => (await list(query)).map(({ state_type, state_name }) => `${state_type} ${state_name}`);

  await t.test('are none before there is a run', async () => assert.deepEqual(await list(), []));

  const { sql } = database;
  const [flow] = await sql<{ id: string }[]>`insert into flow (name) values ('etl') returning id`;
  const [run] = await sql<{ id: string }[]>`insert into flow_run (name, flow_id) values ('run', ${flow?.id}) returning id`;
  const [task] = await sql<{ id: string }[]>`insert into task_run (name, flow_run_id, task_key, dynamic_key) values ('task', ${run?.id}, 'k', '1') returning id`;
  const moment = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`;
  const addState = (kind: 'flow' | 'task', type: string, name: string, second: number) =>
    kind === 'flow'
      ? sql`insert into flow_run_state (flow_run_id, type, name, timestamp) values (${run?.id}, ${type}::state_type, ${name}, ${moment(second)})`
      : sql`insert into task_run_state (task_run_id, type, name, timestamp) values (${task?.id}, ${type}::state_type, ${name}, ${moment(second)})`;
  await addState('flow', 'RUNNING', 'Running', 1);
  await addState('task', 'RUNNING', 'Running', 4);
  await addState('task', 'RUNNING', 'Running', 2);
  await addState('flow', 'COMPLETED', 'Weird_100%', 4);
  await addState('flow', 'COMPLETED', 'Cached', 3);
  await addState('task', 'CRASHED', 'Crashed', 5);

  await t.test('are told once each with their first and last moment, the latest first', async () => {
    assert.deepEqual(await list(), [
      { state_type: 'CRASHED', state_name: 'Crashed', first_seen: moment(5), last_seen: moment(5) },
      { state_type: 'COMPLETED', state_name: 'Weird_100%', first_seen: moment(4), last_seen: moment(4) },
      { state_type: 'RUNNING', state_name: 'Running', first_seen: moment(1), last_seen: moment(4) },
      { state_type: 'COMPLETED', state_name: 'Cached', first_seen: moment(3), last_seen: moment(3) },
    ]);
  });

  await t.test('can be sorted by type and name, and cut', async () => {
    assert.deepEqual(await names('?order_by=NAME_ASC'), ['COMPLETED Cached', 'COMPLETED Weird_100%', 'CRASHED Crashed', 'RUNNING Running']);
    assert.deepEqual(await names('?order_by=NAME_ASC&limit=1'), ['COMPLETED Cached']);
  });

  await t.test('are found by how their type or name begins', async () => {
    assert.deepEqual(await names('?query=%20cOmP%20'), ['COMPLETED Weird_100%', 'COMPLETED Cached']);
    assert.deepEqual(await names('?query=ca'), ['COMPLETED Cached']);
    assert.deepEqual(await names('?query=100'), []);
    assert.deepEqual(await names('?query=%25'), []);
    assert.deepEqual(await names('?query=weird_100%25'), ['COMPLETED Weird_100%']);
    assert.equal((await names('?query=%20')).length, 4);
  });

  await t.test('refuse what does not fit', async () => {
    for (const query of ['limit=0', 'limit=201', 'order_by=NAME', `query=${'x'.repeat(101)}`])
      assert.equal((await api.expect(422, 'GET', `/observed-states?${query}`)).exception_detail[0].loc[0], 'query');
    await api.expect(405, 'POST', '/observed-states');
  });

  await t.test('go with their runs', async () => {
    await api.expect(204, 'DELETE', `/flow_runs/${run?.id}`);
    assert.deepEqual(await list(), []);
  });
});
