import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { flowRun, flowRunInput } from '@praetor/schema/flow-run';
import { state } from '@praetor/schema/state';
import { test } from '@praetor/test/support/postgres-test';
import { type TestGateway, startGateway } from './support.ts';

const UNKNOWN = '00000000-0000-0000-0000-000000000000';

async function createFlow({ api }: TestGateway, name = 'etl'): Promise<string> {
  return (await api.expect([200, 201], 'POST', '/flows/', { name })).id;
}

async function createRun({ api }: TestGateway, body: object | string) {
  return await api.expect(201, 'POST', '/flow_runs/', body);
}

async function accept({ api }: TestGateway, id: string, ...types: string[]): Promise<void> {
  for (const type of types) assert.equal((await api.expect(201, 'POST', `/flow_runs/${id}/set_state`, { state: { type } })).status, 'ACCEPT');
}

test('flow runs', async (t) => {
  await using gateway = await startGateway();
  const { api, database, published } = gateway;
  const flow_id = await createFlow(gateway);

  await t.test('are created PENDING with a name, and read back the same', async () => {
    const run = await createRun(gateway, { flow_id });
    assert.deepEqual(Object.keys(run), flowRun.keyof().options);
    assert.deepEqual(Object.keys(run.state), state.keyof().options);
    assert.match(run.name, /^[a-z]+-[a-z]+$/);
    assert.partialDeepStrictEqual(run, {
      state_type: 'PENDING',
      state_name: 'Pending',
      run_count: 0,
      parameters: {},
      tags: [],
      job_variables: {},
      created_by: null,
      labels: { 'prefect.flow.id': flow_id },
      empirical_policy: { retries: null, pause_keys: [], resuming: false, retry_type: null },
      state: { id: run.state_id, type: 'PENDING', message: null, data: null, state_details: { flow_run_id: run.id, scheduled_time: null } },
    });
    const read = await api.expect(200, 'GET', `/flow_runs/${run.id}`);
    assert.deepEqual({ ...read, estimated_start_time_delta: 0 }, { ...run, estimated_start_time_delta: 0 });
    assert.deepEqual(await api.expect(404, 'GET', `/flow_runs/${UNKNOWN}`), { detail: 'Flow run not found' });
  });

  await t.test('keep what they were created with, exactly', async () => {
    const body = `{"flow_id":"${flow_id}","name":"","tags":["a","a"],"labels":{"k":1.5},"parameters":{"one":1.0,"big":12345678901234567890123},"context":{"x":[null]},"empirical_policy":{"retries":2},"job_variables":{"image":"x"},"state":{"type":"SCHEDULED","state_details":{"scheduled_time":"2030-01-01T00:00:00+02:00"}}}`;
    const { id } = await createRun(gateway, body);
    const text = await (await fetch(`${api.url}/flow_runs/${id}`)).text();
    assert.match(text, /"parameters":\{"big":12345678901234567890123,"one":1\.0\}/);
    assert.partialDeepStrictEqual(JSON.parse(text), {
      tags: ['a', 'a'],
      labels: { k: 1.5, 'prefect.flow.id': flow_id },
      context: { x: [null] },
      empirical_policy: { max_retries: 0, retries: 2 },
      job_variables: { image: 'x' },
      expected_start_time: '2029-12-31T22:00:00Z',
      next_scheduled_start_time: '2029-12-31T22:00:00Z',
      state: { state_details: { scheduled_time: '2030-01-01T00:00:00+02:00' } },
    });
  });

  await t.test('may say beside their SCHEDULED state when they are due', async () => {
    const run = await createRun(gateway, { flow_id, state: { type: 'SCHEDULED' }, next_scheduled_start_time: '2031-05-05T05:05:05Z' });
    assert.equal(run.next_scheduled_start_time, '2031-05-05T05:05:05Z');
    assert.equal(run.state.state_details.scheduled_time, '2031-05-05T05:05:05Z');
  });

  await t.test('are created once per idempotency key, also by many clients at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.post('/flow_runs/', { flow_id, idempotency_key: 'once' })));
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    assert.equal(answers.filter(({ status }) => status === 200).length, 7);
  });

  await t.test('say which automation created them', async () => {
    const headers = { 'prefect-automation-id': UNKNOWN, 'prefect-automation-name': Buffer.from('zombies & co').toString('base64') };
    const { body } = await api.request('POST', '/flow_runs/', { flow_id }, headers);
    assert.deepEqual(body.created_by, { id: UNKNOWN, type: 'AUTOMATION', display_value: 'zombies & co' });
  });

  await t.test('go into the queue of a pool', async () => {
    await sql`insert into work_pool (name, type) values ('pool', 'process')`.execute(database.kysely);
    await sql`insert into work_queue (name, work_pool_id) select queue, id from work_pool, unnest(array['default', 'fast']) queue where work_pool.name = 'pool'`.execute(database.kysely);
    await sql`update work_pool set default_queue_id = (select id from work_queue where name = 'default')`.execute(database.kysely);
    assert.partialDeepStrictEqual(await createRun(gateway, { flow_id, work_pool_name: 'pool' }), { work_pool_name: 'pool', work_queue_name: 'default' });
    const run = await createRun(gateway, { flow_id, work_pool_name: 'pool', work_queue_name: 'fast' });
    assert.equal(run.work_queue_name, 'fast');
    assert.ok(run.work_queue_id && run.work_pool_id);
    await api.expect(404, 'POST', '/flow_runs/', { flow_id, work_pool_name: 'nope' });
    await api.expect(404, 'POST', '/flow_runs/', { flow_id, work_pool_name: 'pool', work_queue_name: 'nope' });
  });

  await t.test('refuse what does not fit', async () => {
    for (const body of [{}, { flow_id, tags: null }, { flow_id, parameters: null }, { flow_id, extra: 1 }, { flow_id: 'x' }, { flow_id, state: { type: 'RUNNING', id: UNKNOWN } }])
      await api.expect(422, 'POST', '/flow_runs/', body);
    await api.expect(422, 'POST', '/flow_runs/', { flow_id, parameters: { text: 'x'.repeat(524_288) } });
    await api.expect(409, 'POST', '/flow_runs/', { flow_id: UNKNOWN });
  });

  await t.test('are changed field by field', async () => {
    const run = await createRun(gateway, { flow_id, name: 'first', tags: ['a'], parameters: { a: 1 } });
    await api.expect(204, 'PATCH', `/flow_runs/${run.id}`, { tags: ['b'], infrastructure_pid: 'host:1' });
    await api.expect(204, 'PATCH', `/flow_runs/${run.id}`, { empirical_policy: { retries: 3 } });
    const changed = await api.expect(200, 'GET', `/flow_runs/${run.id}`);
    assert.partialDeepStrictEqual(changed, { name: 'first', tags: ['b'], parameters: { a: 1 }, infrastructure_pid: 'host:1', empirical_policy: { retries: 3, pause_keys: [] } });
    assert.ok(changed.updated > run.updated);
    await api.expect(204, 'PATCH', `/flow_runs/${run.id}`, { name: null });
    assert.match((await api.expect(200, 'GET', `/flow_runs/${run.id}`)).name, /^[a-z]+-[a-z]+$/);
    await api.expect(204, 'PATCH', `/flow_runs/${run.id}/labels`, { team: 'x' });
    assert.deepEqual((await api.expect(200, 'GET', `/flow_runs/${run.id}`)).labels, { team: 'x', 'prefect.flow.id': flow_id });
    await api.expect(400, 'PATCH', `/flow_runs/${run.id}`, { job_variables: { a: 1 } });
    await api.expect(404, 'PATCH', `/flow_runs/${UNKNOWN}`, { name: 'x' });
    await api.expect(422, 'PATCH', `/flow_runs/${run.id}`, { state: {} });
    assert.ok((await api.expect(404, 'PATCH', `/flow_runs/${UNKNOWN}/labels`, { a: 1 })).exception_message);
  });

  await t.test('change their state, and tell it', async () => {
    const run = await createRun(gateway, { flow_id, state: { type: 'SCHEDULED' } });
    published.events.length = 0;
    const headers = { 'user-agent': 'prefect/3.9.1 (API 0.8.4)', 'x-prefect-api-version': '0.8.4' };
    const pending = await api.request('POST', `/flow_runs/${run.id}/set_state`, { state: { type: 'PENDING' } }, headers);
    assert.equal(pending.status, 201);
    assert.partialDeepStrictEqual(pending.body, { status: 'ACCEPT', details: { type: 'accept_details' }, state: { type: 'PENDING' } });
    const again = await api.expect(200, 'POST', `/flow_runs/${run.id}/set_state`, { state: { type: 'PENDING' } });
    assert.equal(again.status, 'ABORT');
    await accept(gateway, run.id, 'RUNNING');
    const running = await api.expect(200, 'GET', `/flow_runs/${run.id}`);
    assert.ok(running.estimated_run_time > 0 && running.total_run_time === 0);
    await api.expect(201, 'POST', `/flow_runs/${run.id}/set_state`, { state: { type: 'COMPLETED', data: { type: 'x' }, message: 'done' } });
    const completed = await api.expect(200, 'GET', `/flow_runs/${run.id}`);
    assert.partialDeepStrictEqual(completed, { run_count: 1, state: { type: 'COMPLETED', data: { type: 'x' }, message: 'done' } });
    assert.ok(completed.total_run_time > 0 && completed.total_run_time === completed.estimated_run_time);
    assert.deepEqual((published.events as { event: string }[]).map(({ event }) => event), ['Pending', 'Running', 'Completed'].map((name) => `prefect.flow-run.${name}`));

    const states = await api.expect(200, 'GET', `/flow_run_states/?flow_run_id=${run.id}`);
    assert.deepEqual(states.map(({ type }: { type: string }) => type), ['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED']);
    assert.deepEqual(states.at(-1), completed.state);
    assert.deepEqual(await api.expect(200, 'GET', `/flow_run_states/${completed.state_id}`), completed.state);
    assert.deepEqual(await api.expect(404, 'GET', `/flow_run_states/${UNKNOWN}`), { detail: 'Flow run state not found' });
    await api.expect(422, 'GET', '/flow_run_states/');
    assert.ok((await api.expect(404, 'POST', `/flow_runs/${UNKNOWN}/set_state`, { state: { type: 'PENDING' } })).exception_message);
  });

  await t.test('change their states in bulk', async () => {
    const runs = [await createRun(gateway, { flow_id, tags: ['bulk'] }), await createRun(gateway, { flow_id, tags: ['bulk'] })];
    const flow_runs = { tags: { all_: ['bulk'] } };
    const { results } = await api.expect(200, 'POST', '/flow_runs/bulk_set_state', { flow_runs, state: { type: 'CANCELLED' } });
    assert.deepEqual(results.map((result: { flow_run_id: string }) => result.flow_run_id).toSorted(), runs.map(({ id }) => id).toSorted());
    for (const result of results) assert.partialDeepStrictEqual(result, { status: 'ACCEPT', state: { type: 'CANCELLED' } });
    const refused = await api.expect(200, 'POST', '/flow_runs/bulk_set_state', { flow_runs, state: { type: 'PAUSED' }, limit: 1 });
    assert.deepEqual(refused.results.map(({ status }: { status: string }) => status), ['ABORT']);
    await api.expect(422, 'POST', '/flow_runs/bulk_set_state', { flow_runs });
  });

  await t.test('keep inputs', async () => {
    const { id } = await createRun(gateway, { flow_id });
    const input = `/flow_runs/${id}/input`;
    assert.equal(await api.expect(201, 'POST', input, { key: 'a-1', value: '"one"' }), null);
    await api.expect(201, 'POST', input, { key: 'a-2', value: '2', sender: 'me' });
    await api.expect(409, 'POST', input, { key: 'a-1', value: 'x' });
    await api.expect(404, 'POST', `/flow_runs/${UNKNOWN}/input`, { key: 'a', value: 'x' });
    const answer = await api.get(`${input}/a-1`);
    assert.deepEqual([answer.status, answer.body, answer.headers.get('content-type')], [200, '"one"', 'text/plain; charset=utf-8']);
    const [first, ...others] = await api.expect(200, 'POST', `${input}/filter`, { prefix: 'a' });
    assert.deepEqual(Object.keys(first), flowRunInput.keyof().options);
    assert.deepEqual([first.key, others], ['a-1', []]);
    const rest = await api.expect(200, 'POST', `${input}/filter`, { prefix: 'a', limit: 9, exclude_keys: ['a-1'] });
    assert.partialDeepStrictEqual(rest, [{ key: 'a-2', value: '2', sender: 'me' }]);
    await api.expect(204, 'DELETE', `${input}/a-1`);
    await api.expect(404, 'DELETE', `${input}/a-1`);
    await api.expect(404, 'GET', `${input}/a-1`);
  });

  await t.test('are deleted with all that is theirs', async () => {
    const { id } = await createRun(gateway, { flow_id });
    const task = await api.expect(201, 'POST', '/task_runs/', { flow_run_id: id, task_key: 'a', dynamic_key: '0' });
    await sql`insert into log (name, level, message, timestamp, flow_run_id) values ('x', 20, 'hello', now(), ${id})`.execute(database.kysely);
    await api.expect(204, 'DELETE', `/flow_runs/${id}`);
    await api.expect(404, 'DELETE', `/flow_runs/${id}`);
    await api.expect(404, 'GET', `/task_runs/${task.id}`);
    assert.deepEqual(await api.expect(200, 'GET', `/flow_run_states/?flow_run_id=${id}`), []);
    assert.deepEqual(await database.kysely.selectFrom('log').selectAll().where('flow_run_id', '=', id).execute(), []);
  });

  await t.test('are deleted in bulk', async () => {
    const { id } = await createRun(gateway, { flow_id, name: 'doomed' });
    const body = { flow_runs: { name: { any_: ['doomed'] } } };
    assert.deepEqual(await api.expect(200, 'POST', '/flow_runs/bulk_delete', body), { deleted: [id] });
    assert.deepEqual(await api.expect(200, 'POST', '/flow_runs/bulk_delete', body), { deleted: [] });
  });

  await t.test('are paged', async () => {
    for (let index = 0; index < 3; index++) await createRun(gateway, { flow_id, name: `page-${index}`, tags: ['paged'] });
    const flow_runs = { tags: { all_: ['paged'] } };
    const second = await api.expect(200, 'POST', '/flow_runs/paginate', { flow_runs, sort: 'NAME_ASC', limit: 2, page: 2 });
    assert.deepEqual(Object.keys(second), ['results', 'count', 'limit', 'pages', 'page']);
    assert.deepEqual([second.results.map(({ name }: { name: string }) => name), second.count, second.pages, second.page], [['page-2'], 3, 2, 2]);
    await api.expect(422, 'POST', '/flow_runs/paginate', { page: 0 });
    assert.match((await api.expect(422, 'POST', '/flow_runs/filter', { limit: 201 })).detail, /Invalid limit/);
  });
});

test('a deleted flow run gives its concurrency slots back', async () => {
  await using gateway = await startGateway();
  const { api, database } = gateway;
  const flow_id = await createFlow(gateway);
  const limit = async (name: string, slots: number) =>
    (await sql<{ id: string }>`insert into concurrency_limit_v2 (name, active, "limit", active_slots, denied_slots, slot_decay_per_second, avg_slot_occupancy_seconds)
      values (${name}, true, ${slots}, 0, 0, 0, 2) returning id`.execute(database.kysely)).rows[0]?.id;
  const taken = async () => (await sql<{ slots: number }>`select sum(active_slots)::integer as slots from concurrency_limit_v2`.execute(database.kysely)).rows[0]?.slots;
  await limit('tag:db', 5);
  const { rows } = await sql<{ id: string }>`insert into deployment (name, flow_id, concurrency_limit_id) values ('d', ${flow_id}, ${await limit('deployment:d', 1)}) returning id`.execute(database.kysely);

  const run = await createRun(gateway, { flow_id, deployment_id: rows[0]?.id, state: { type: 'SCHEDULED' } });
  await accept(gateway, run.id, 'PENDING', 'RUNNING');
  const task = await api.expect(201, 'POST', '/task_runs/', { flow_run_id: run.id, task_key: 'a', dynamic_key: '0', tags: ['db'] });
  assert.equal((await api.expect(201, 'POST', `/task_runs/${task.id}/set_state`, { state: { type: 'RUNNING' } })).status, 'ACCEPT');
  assert.equal(await taken(), 2);
  await api.expect(204, 'DELETE', `/flow_runs/${run.id}`);
  assert.equal(await taken(), 0);
  assert.deepEqual(await database.kysely.selectFrom('praetor.lease').selectAll().execute(), []);
});

test('a paused flow run is resumed', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const flow_id = await createFlow(gateway);
  const keys = { schema: 'p-schema', response: 'p-response' };

  async function pause(details: object): Promise<string> {
    const { id } = await createRun(gateway, { flow_id });
    await accept(gateway, id, 'RUNNING');
    const paused = await api.expect(201, 'POST', `/flow_runs/${id}/set_state`, { state: { type: 'PAUSED', state_details: details } });
    assert.equal(paused.status, 'ACCEPT');
    return id;
  }
  const resume = (id: string, body: object, status: number) => api.expect(status, 'POST', `/flow_runs/${id}/resume`, body);

  await t.test('to RUNNING', async () => {
    const id = await pause({ pause_key: '1' });
    assert.partialDeepStrictEqual(await resume(id, {}, 201), { status: 'ACCEPT', state: { type: 'RUNNING' } });
    assert.partialDeepStrictEqual(await resume(id, {}, 200), { state: null, status: 'ABORT', details: { type: 'abort_details' } });
    await resume(UNKNOWN, {}, 404);
  });

  await t.test('with input that fits the schema which it has left', async () => {
    const id = await pause({ pause_key: '1', run_input_keyset: keys });
    const refuse = async (body: object) => {
      const answer = await resume(id, body, 200);
      assert.deepEqual([answer.status, answer.state.type, answer.details.type], ['REJECT', 'PAUSED', 'abort_details']);
    };
    await refuse({ run_input: { count: 1 } });
    const schema = { type: 'object', properties: { count: { type: 'integer' } }, required: ['count'] };
    await api.expect(201, 'POST', `/flow_runs/${id}/input`, { key: keys.schema, value: JSON.stringify(schema) });
    await refuse({});
    await refuse({ run_input: { count: 'many' } });
    await refuse({ run_input: { count: { __prefect_kind: 'workspace_variable', variable_name: 'absent' } } });
    await api.expect(404, 'GET', `/flow_runs/${id}/input/${keys.response}`);
    await api.expect(201, 'POST', '/variables/', { name: 'answer', value: 42 });
    const accepted = await resume(id, { run_input: { count: { __prefect_kind: 'workspace_variable', variable_name: 'answer' } } }, 201);
    assert.equal(accepted.status, 'ACCEPT');
    assert.equal(await api.expect(200, 'GET', `/flow_runs/${id}/input/${keys.response}`), '{"count":42}');
  });

  await t.test('once, by many clients at once', async () => {
    const id = await pause({ pause_key: '1' });
    const answers = await Promise.all(Array.from({ length: 6 }, () => api.post(`/flow_runs/${id}/resume`, {})));
    assert.equal(answers.filter(({ body }) => body.status === 'ACCEPT').length, 1);
  });
});
