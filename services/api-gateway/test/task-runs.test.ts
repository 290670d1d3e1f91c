import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { state } from '@praetor/schema/state';
import { taskRun, taskRunSummary } from '@praetor/schema/task-run';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

const UNKNOWN = '00000000-0000-0000-0000-000000000000';

test('task runs', async (t) => {
  await using gateway = await startGateway();
  const { api, database } = gateway;
  const flow = await api.expect(201, 'POST', '/flows/', { name: 'etl' });
  const flowRun = await api.expect(201, 'POST', '/flow_runs/', { flow_id: flow.id, labels: { team: 'x' } });
  let number = 0;
  const create = (body: object = {}) => api.expect(201, 'POST', '/task_runs/', { task_key: 'load', dynamic_key: String(number++), ...body });

  await t.test('are created with what they were given, and read back the same', async () => {
    const body = {
      flow_run_id: flowRun.id,
      task_inputs: { x: [{ input_type: 'task_run', id: UNKNOWN }, { input_type: 'constant', type: 'int' }], y: [] },
      empirical_policy: { retries: 3, retry_delay: [1, 2.5], retry_jitter_factor: 0.5 },
      labels: { a: 1 },
      cache_expiration: '2030-01-01T00:00:00+02:00',
      tags: ['t', 't'],
    };
    const run = await create(body);
    assert.deepEqual(Object.keys(run), taskRun.keyof().options);
    assert.deepEqual(Object.keys(run.state), state.keyof().options);
    assert.partialDeepStrictEqual(run, {
      ...body,
      empirical_policy: { max_retries: 0, ...body.empirical_policy },
      labels: { a: 1, team: 'x', 'prefect.flow.id': flow.id, 'prefect.flow-run.id': flowRun.id },
      cache_expiration: '2029-12-31T22:00:00Z',
      state_type: 'PENDING',
      run_count: 0,
      flow_run_run_count: 0,
      state: { id: run.state_id, state_details: { flow_run_id: flowRun.id, task_run_id: run.id } },
    });
    assert.match(run.name, /^[a-z]+-[a-z]+$/);
    const read = await api.expect(200, 'GET', `/task_runs/${run.id}`);
    assert.deepEqual({ ...read, estimated_start_time_delta: 0 }, { ...run, estimated_start_time_delta: 0 });
  });

  await t.test('are created once per key, with a flow run and without', async () => {
    for (const flow_run_id of [flowRun.id, null]) {
      const body = { task_key: 'once', dynamic_key: '0', flow_run_id };
      const answers = await Promise.all(Array.from({ length: 6 }, () => api.post('/task_runs/', body)));
      assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1);
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 200, 200, 200, 200, 201]);
    }
  });

  await t.test('may bring their id', async () => {
    const id = '0198c0de-0000-7000-8000-000000000001';
    assert.equal((await create({ id })).id, id);
    await api.expect(409, 'POST', '/task_runs/', { id, task_key: 'other', dynamic_key: '0' });
  });

  await t.test('refuse what does not fit', async () => {
    const keys = { task_key: 'x', dynamic_key: '0' };
    for (const body of [{ task_key: 'x' }, { ...keys, task_inputs: { a: [{ input_type: 'bogus' }] } }, { ...keys, extra: 1 }, { ...keys, cache_key: 'x'.repeat(2001) }])
      await api.expect(422, 'POST', '/task_runs/', body);
    await using other = await startGateway({ PREFECT_SERVER_TASKS_MAX_CACHE_KEY_LENGTH: '3000' });
    await other.api.expect(201, 'POST', '/task_runs/', { ...keys, cache_key: 'x'.repeat(3000) });
    assert.deepEqual((await other.api.expect(422, 'POST', '/task_runs/', { ...keys, cache_key: 'x'.repeat(3001) })).exception_detail[0].loc, ['body', 'cache_key']);
    await api.expect(409, 'POST', '/task_runs/', { ...keys, flow_run_id: UNKNOWN });
    assert.deepEqual(await api.expect(404, 'GET', `/task_runs/${UNKNOWN}`), { detail: 'Task not found' });
  });

  await t.test('get new names', async () => {
    const { id } = await create({ name: 'old' });
    await api.expect(204, 'PATCH', `/task_runs/${id}`, { name: 'new' });
    assert.equal((await api.expect(200, 'GET', `/task_runs/${id}`)).name, 'new');
    await api.expect(204, 'PATCH', `/task_runs/${id}`, {});
    assert.equal((await api.expect(200, 'GET', `/task_runs/${id}`)).name, 'new');
    await api.expect(204, 'PATCH', `/task_runs/${id}`, { name: null });
    assert.match((await api.expect(200, 'GET', `/task_runs/${id}`)).name, /^[a-z]+-[a-z]+$/);
    await api.expect(404, 'PATCH', `/task_runs/${UNKNOWN}`, { name: 'x' });
    await api.expect(422, 'PATCH', `/task_runs/${id}`, { tags: [] });
  });

  await t.test('change their state', async () => {
    const { id } = await create();
    const set = (type: string, more: object = {}) => api.expect(201, 'POST', `/task_runs/${id}/set_state`, { state: { type, ...more } });
    assert.partialDeepStrictEqual(await set('RUNNING'), { status: 'ACCEPT', state: { type: 'RUNNING' } });
    assert.partialDeepStrictEqual(await set('COMPLETED', { data: { x: 1 } }), { status: 'ACCEPT', state: { data: { x: 1 } } });
    const run = await api.expect(200, 'GET', `/task_runs/${id}`);
    assert.partialDeepStrictEqual(run, { run_count: 1, state: { type: 'COMPLETED', data: { x: 1 } } });
    assert.ok(run.total_run_time > 0);
    const states = await api.expect(200, 'GET', `/task_run_states/?task_run_id=${id}`);
    assert.deepEqual(states.map(({ type }: { type: string }) => type), ['PENDING', 'RUNNING', 'COMPLETED']);
    assert.deepEqual(await api.expect(200, 'GET', `/task_run_states/${run.state_id}`), run.state);
    assert.ok((await api.expect(404, 'POST', `/task_runs/${UNKNOWN}/set_state`, { state: { type: 'RUNNING' } })).exception_message);
  });

  await t.test('are paged in a shorter form', async () => {
    const page = await api.expect(200, 'POST', '/task_runs/paginate', { limit: 2 });
    assert.deepEqual(Object.keys(page.results[0]), taskRunSummary.keyof().options);
    assert.equal(page.results.length, 2);
    assert.equal(page.count, await api.expect(200, 'POST', '/task_runs/count', {}));
    assert.equal(page.pages, Math.ceil(page.count / 2));
  });

  await t.test('are deleted with their states, logs and slots', async () => {
    await sql`insert into concurrency_limit_v2 (name, active, "limit", active_slots, denied_slots, slot_decay_per_second, avg_slot_occupancy_seconds) values ('tag:db', true, 1, 0, 0, 0, 2)`.execute(database.kysely);
    const { id } = await create({ tags: ['db'] });
    await sql`insert into log (name, level, message, timestamp, task_run_id) values ('x', 20, 'hello', now(), ${id})`.execute(database.kysely);
    await api.expect(201, 'POST', `/task_runs/${id}/set_state`, { state: { type: 'RUNNING' } });
    const taken = async () => (await database.kysely.selectFrom('concurrency_limit_v2').select('active_slots').executeTakeFirstOrThrow()).active_slots;
    assert.equal(await taken(), 1);
    await api.expect(204, 'DELETE', `/task_runs/${id}`);
    assert.equal(await taken(), 0);
    await api.expect(404, 'DELETE', `/task_runs/${id}`);
    assert.deepEqual(await api.expect(200, 'GET', `/task_run_states/?task_run_id=${id}`), []);
    assert.deepEqual(await database.kysely.selectFrom('log').select('id').execute(), []);
  });
});
