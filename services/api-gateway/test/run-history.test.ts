import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

const RANGE = { history_start: '2026-01-01T00:00:00Z', history_end: '2026-01-01T03:00:00Z', history_interval_seconds: 3600 };

test('the history and lateness of runs', async (t) => {
  await using gateway = await startGateway();
  const { api, database } = gateway;
  const flow = await api.expect(201, 'POST', '/flows/', { name: 'etl' });
  const insert = (name: string, type: string, expected: string, start: string | null, seconds: number, entered = expected) =>
    sql`insert into flow_run (name, flow_id, state_type, state_name, state_timestamp, expected_start_time, start_time, total_run_time)
      values (${name}, ${flow.id}, ${type}::state_type, ${type}, ${entered}, ${expected}, ${start}, ${`${seconds} s`}::interval)`.execute(database.kysely);
  await insert('first', 'COMPLETED', '2026-01-01T00:00:00Z', '2026-01-01T00:00:10Z', 1.5);
  await insert('second', 'COMPLETED', '2026-01-01T00:59:59.999999Z', '2026-01-01T00:59:00Z', 2.5);
  await insert('crashed', 'CRASHED', '2026-01-01T00:30:00Z', null, 0);
  await insert('next', 'FAILED', '2026-01-01T01:00:00Z', '2026-01-01T01:00:00Z', 0);
  await insert('outside', 'FAILED', '2026-01-01T03:00:00Z', '2026-01-01T03:00:00Z', 0);

  await t.test('counts and sums runs by the hour in which they were expected', async () => {
    const state = (state_type: string, count_runs: number, sum_estimated_run_time: number, sum_estimated_lateness: number) => ({
      state_type,
      state_name: state_type,
      count_runs,
      sum_estimated_run_time,
      sum_estimated_lateness,
    });
    assert.deepEqual(await api.expect(200, 'POST', '/flow_runs/history', RANGE), [
      { interval_start: '2026-01-01T00:00:00Z', interval_end: '2026-01-01T01:00:00Z', states: [state('COMPLETED', 2, 4, 10), state('CRASHED', 1, 0, 0)] },
      { interval_start: '2026-01-01T01:00:00Z', interval_end: '2026-01-01T02:00:00Z', states: [state('FAILED', 1, 0, 0)] },
      { interval_start: '2026-01-01T02:00:00Z', interval_end: '2026-01-01T03:00:00Z', states: [] },
    ]);
    assert.deepEqual(await api.expect(200, 'POST', '/task_runs/history', { ...RANGE, history_interval_seconds: 10_800 }), [
      { interval_start: '2026-01-01T00:00:00Z', interval_end: '2026-01-01T03:00:00Z', states: [] },
    ]);
  });

  await t.test('takes filters', async () => {
    const [{ states }] = await api.expect(200, 'POST', '/flow_runs/history', { ...RANGE, flow_runs: { name: { any_: ['first'] } }, flows: { id: { any_: [flow.id] } } });
    assert.deepEqual(states.map(({ count_runs }: { count_runs: number }) => count_runs), [1]);
    const [{ states: none }] = await api.expect(200, 'POST', '/flow_runs/history', { ...RANGE, work_queues: { name: { any_: ['x'] } } });
    assert.deepEqual(none, []);
  });

  await t.test('has fractional intervals, the last one perhaps beyond the end, and at most 500 of them', async () => {
    const history = await api.expect(200, 'POST', '/flow_runs/history', { ...RANGE, history_end: '2026-01-01T00:00:04Z', history_interval_seconds: 1.5 });
    assert.deepEqual(history.map((interval: { interval_end: string }) => interval.interval_end), ['2026-01-01T00:00:01.500000Z', '2026-01-01T00:00:03Z', '2026-01-01T00:00:04.500000Z']);
    assert.equal((await api.expect(200, 'POST', '/flow_runs/history', { ...RANGE, history_interval_seconds: 1 })).length, 500);
    assert.deepEqual(await api.expect(200, 'POST', '/flow_runs/history', { ...RANGE, history_end: RANGE.history_start }), []);
    assert.ok((await api.expect(422, 'POST', '/flow_runs/history', { ...RANGE, history_interval_seconds: 0.5 })).detail);
    await api.expect(422, 'POST', '/flow_runs/history', { history_start: RANGE.history_start });
  });

  await t.test('the average lateness counts only what is late', async () => {
    assert.equal(await api.expect(200, 'POST', '/flow_runs/lateness', {}), 2);
    assert.equal(await api.expect(200, 'POST', '/flow_runs/lateness', { flow_runs: { name: { any_: ['first'] } } }), 10);
    assert.equal(await api.expect(200, 'POST', '/flow_runs/lateness', { flow_runs: { id: { any_: [] } } }), null);
  });
});
