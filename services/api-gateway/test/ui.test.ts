import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { simpleFlowRun, simpleNextFlowRun, uiTaskRun } from '@praetor/schema/ui';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

const NOBODY = '00000000-0000-0000-0000-000000000000';

test('what the web UIs ask for', async (t) => {
  await using gateway = await startGateway();
  const { api, database } = gateway;
  const flow = await api.expect(201, 'POST', '/flows/', { name: 'etl' });
  const other = await api.expect(201, 'POST', '/flows/', { name: 'other' });
  const startRun = (body: object) => api.expect(201, 'POST', '/flow_runs/', { flow_id: flow.id, ...body });
  const at = (scheduled_time: string) => ({ state: { type: 'SCHEDULED', state_details: { scheduled_time } } });
  const run = await startRun({ name: 'running', state: { type: 'RUNNING' } });
  let keys = 0;
  const addTask = (name: string, type: string, flow_run_id: string | null = run.id) =>
    api.expect(201, 'POST', '/task_runs/', { flow_run_id, task_key: 'task', dynamic_key: String(keys++), name, state: { type } });

  await t.test('deployments of flows', async () => {
    for (const name of ['a', 'b']) await api.expect(201, 'POST', '/deployments/', { name, flow_id: flow.id });
    const counts = await api.expect(200, 'POST', '/ui/flows/count-deployments', { flow_ids: [other.id, flow.id, NOBODY] });
    assert.deepEqual(counts, { [other.id]: 0, [flow.id]: 2, [NOBODY]: 0 });
  });

  await t.test('next runs of flows', async () => {
    await startRun({ name: 'later', ...at('2100-01-02T00:00:00Z') });
    const sooner = await startRun({ name: 'sooner', ...at('2100-01-01T00:00:00Z') });
    const next = await api.expect(200, 'POST', '/ui/flows/next-runs', { flow_ids: [flow.id, other.id] });
    assert.deepEqual(simpleNextFlowRun.parse(next[flow.id]), {
      id: sooner.id,
      flow_id: flow.id,
      name: 'sooner',
      state_name: 'Scheduled',
      state_type: 'SCHEDULED',
      next_scheduled_start_time: '2100-01-01T00:00:00Z',
    });
    assert.equal(next[other.id], null);
  });

  await t.test('task runs of flow runs, without those that stand for children', async () => {
    const parent = await addTask('parent', 'RUNNING');
    await startRun({ name: 'child', parent_task_run_id: parent.id });
    await addTask('plain', 'COMPLETED');
    assert.deepEqual(await api.expect(200, 'POST', '/ui/flow_runs/count-task-runs', { flow_run_ids: [NOBODY, run.id] }), { [NOBODY]: 0, [run.id]: 1 });
  });

  await t.test('refuse more ids than a page has', async () => {
    for (const [path, field] of [['flows/count-deployments', 'flow_ids'], ['flows/next-runs', 'flow_ids'], ['flow_runs/count-task-runs', 'flow_run_ids']] as const) {
      const ids = (count: number) => ({ [field]: Array.from({ length: count }, () => randomUUID()) });
      const { exception_detail } = await api.expect(422, 'POST', `/ui/${path}`, ids(201));
      assert.deepEqual([exception_detail[0].type, exception_detail[0].loc], ['too_long', ['body', field]]);
      await api.expect(200, 'POST', `/ui/${path}`, ids(200));
      await api.expect(422, 'POST', `/ui/${path}`, {});
      await api.expect(422, 'POST', `/ui/${path}`, { [field]: ['x'] });
    }
  });

  await t.test('the bars of the histogram of runs', async () => {
    await sql`insert into flow_run (name, flow_id, state_type, state_name, state_timestamp, expected_start_time, start_time, total_run_time)
      values ('past', ${other.id}, 'COMPLETED', 'Completed', '2026-01-01', '2026-01-01T00:00:00Z', '2026-01-01T00:00:02.5Z', '90 s')`.execute(database.kysely);
    const history = async (body: object = {}) => simpleFlowRun.array().parse(await api.expect(200, 'POST', '/ui/flow_runs/history', body));
    const [past] = await history({ flows: { id: { any_: [other.id] } } });
    assert.deepEqual({ ...past, id: '' }, { id: '', state_type: 'COMPLETED', timestamp: '2026-01-01T00:00:02.500000Z', duration: 90, lateness: 2.5 });
    const all = await history();
    assert.equal(all.length, 5);
    assert.deepEqual(all.map(({ timestamp }) => timestamp), all.map(({ timestamp }) => timestamp).toSorted().toReversed());
    assert.ok((all.find(({ id }) => id === run.id)?.duration ?? 0) > 0, 'a running run has taken time');
    assert.deepEqual(await history({ sort: 'EXPECTED_START_TIME_ASC', limit: 1 }), [past]);
    assert.deepEqual(await history({ limit: 0 }), []);
    assert.equal((await history({ offset: 4 })).length, 1);
    assert.deepEqual(await history({ flow_runs: { id: { any_: [] } } }), []);
    for (const body of [{ limit: 1001 }, { limit: -1 }, { offset: -1 }, { sort: 'NAME' }]) await api.expect(422, 'POST', '/ui/flow_runs/history', body);
  });

  await t.test('a task run with the name of its flow run', async () => {
    const inside = await addTask('inside', 'COMPLETED');
    const { flow_run_name, ...taskRun } = uiTaskRun.parse(await api.expect(200, 'GET', `/ui/task_runs/${inside.id}`));
    assert.equal(flow_run_name, 'running');
    assert.deepEqual(taskRun, await api.expect(200, 'GET', `/task_runs/${inside.id}`));
    const alone = await addTask('alone', 'COMPLETED', null);
    assert.equal((await api.expect(200, 'GET', `/ui/task_runs/${alone.id}`)).flow_run_name, null);
    assert.ok((await api.expect(404, 'GET', `/ui/task_runs/${NOBODY}`)).detail);
  });

  await t.test('task runs by state', async () => {
    const none = { COMPLETED: 0, PENDING: 0, RUNNING: 0, FAILED: 0, CANCELLED: 0, CRASHED: 0, PAUSED: 0, CANCELLING: 0, SCHEDULED: 0 };
    await addTask('failed', 'FAILED');
    const ofRun = { flow_runs: { id: { any_: [run.id] } } };
    const counts = await api.expect(200, 'POST', '/ui/task_runs/count', ofRun);
    assert.deepEqual(Object.keys(counts), Object.keys(none));
    assert.equal(counts.FAILED, 1);
    assert.equal(counts.COMPLETED, 2);
    assert.deepEqual(await api.expect(200, 'POST', '/ui/task_runs/count', { flow_runs: { id: { any_: [NOBODY] } } }), none);
  });

  await t.test('outcomes of task runs over time', async () => {
    const outcomes = async (start_time: object, more: object = {}) =>
      (await api.expect(200, 'POST', '/ui/task_runs/dashboard/counts', { task_runs: { start_time, ...more } })) as { completed: number; failed: number }[];
    const insert = (type: string, start: string) => sql`insert into task_run (name, task_key, dynamic_key, state_type, state_name, start_time)
      values ('t', 'history', ${`${type} ${start}`}, ${type}::state_type, ${type}, ${start})`.execute(database.kysely);
    await insert('COMPLETED', '2026-01-01T00:00:00Z');
    await insert('FAILED', '2026-01-01T00:00:59Z');
    await insert('CRASHED', '2026-01-01T00:01:01Z');
    await insert('CANCELLED', '2026-01-01T00:19:59.9999Z');
    await insert('RUNNING', '2026-01-01T00:05:00Z');
    const span = { after_: '2026-01-01T00:00:00Z', before_: '2026-01-01T00:19:59.99995Z' };
    const counts = await outcomes(span);
    assert.equal(counts.length, 20);
    assert.deepEqual(
      [...counts.entries()].filter(([, { completed, failed }]) => completed + failed > 0),
      [
        [0, { completed: 1, failed: 1 }],
        [1, { completed: 0, failed: 1 }],
        [19, { completed: 1, failed: 0 }],
      ],
    );
    const total = (list: { completed: number; failed: number }[]) => list.reduce((sum, { completed, failed }) => sum + completed + failed, 0);
    assert.equal(total(await outcomes(span, { state: { type: { any_: ['RUNNING'] } } })), 4, 'only terminal states count, whatever the filter says');
    assert.equal((await outcomes({ after_: new Date(Date.now() - 3_600_000).toISOString() })).at(-1)?.failed, 1);
    assert.equal(total(await outcomes({ after_: '2100-01-01T00:00:00Z' })), 0);
    assert.equal((await api.expect(422, 'POST', '/ui/task_runs/dashboard/counts', { task_runs: {} })).detail, 'task_runs.start_time.after_ is required');
    await api.expect(422, 'POST', '/ui/task_runs/dashboard/counts', {});
  });
});
