import assert from 'node:assert/strict';
import { sql } from 'kysely';
import type { Database } from '@praetor/database/connect';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

/** An id that says what it is of. */
const id = (kind: number, number: number) => `${String(kind).padStart(8, '0')}-0000-4000-8000-${String(number).padStart(12, '0')}`;
const FLOW = { etl: id(1, 1), report: id(1, 2), idle: id(1, 3) };
const POOL = id(2, 1);
const QUEUE = id(3, 1);
const DEPLOYMENT = id(4, 1);
const RUN = { late: id(5, 1), running: id(5, 2), failed: id(5, 3), child: id(5, 4) };
const TASK = { parent: id(6, 1), plain: id(6, 2), orphan: id(6, 3) };

async function seed({ kysely }: Database): Promise<void> {
  for (const statement of [
    sql`insert into flow (id, name, tags) values (${FLOW.etl}, 'etl', '["prod", "daily"]'), (${FLOW.report}, 'Report_1', '["prod"]'), (${FLOW.idle}, 'idle', '[]')`,
    sql`insert into work_pool (id, name, type) values (${POOL}, 'pool', 'process')`,
    sql`insert into work_queue (id, name, work_pool_id) values (${QUEUE}, 'Urgent', ${POOL})`,
    sql`insert into deployment (id, name, flow_id, tags, work_queue_id, work_queue_name, paused) values (${DEPLOYMENT}, 'nightly', ${FLOW.etl}, '["a"]', ${QUEUE}, 'Urgent', true)`,
    sql`insert into flow_run (id, name, flow_id, tags, deployment_id, work_queue_id, work_queue_name, state_type, state_name, expected_start_time, state_timestamp, start_time, end_time, created_by, idempotency_key, flow_version) values
      (${RUN.late}, 'late', ${FLOW.etl}, '["x", "y"]', ${DEPLOYMENT}, ${QUEUE}, 'Urgent', 'SCHEDULED', 'Late', '2026-01-01T00:00Z', now(), null, null, ${`{"id": "${DEPLOYMENT}", "type": "DEPLOYMENT"}`}, 'k1', '1'),
      (${RUN.running}, 'running', ${FLOW.etl}, '["x"]', null, null, null, 'RUNNING', 'Running', '2026-01-02T00:00Z', now(), '2026-01-05T00:00Z', null, null, 'k2', '2'),
      (${RUN.failed}, 'fail_ed', ${FLOW.report}, '[]', null, null, null, 'FAILED', 'Failed', '2026-01-03T00:00Z', now(), '2026-01-03T00:00Z', '2026-01-04T00:00Z', null, null, null)`,
    sql`insert into task_run (id, name, flow_run_id, task_key, dynamic_key, tags, state_type, state_name, start_time, total_run_time, state_timestamp, expected_start_time) values
      (${TASK.parent}, 'parent', ${RUN.running}, 'a', '0', '["t"]', 'RUNNING', 'Running', '2026-01-05T00:00Z', '0', now() - interval '1 hour', '2026-01-05T00:00Z'),
      (${TASK.plain}, 'plain', ${RUN.failed}, 'b', '0', '[]', 'FAILED', 'TimedOut', null, '20 s', now(), '2026-01-03T00:00Z'),
      (${TASK.orphan}, 'orphan', null, 'c', '0', '[]', 'COMPLETED', 'Cached', null, '20 s', now(), '2026-01-04T00:00Z')`,
    sql`insert into flow_run (id, name, flow_id, parent_task_run_id, state_type, state_name, expected_start_time) values (${RUN.child}, 'child', ${FLOW.report}, ${TASK.parent}, 'COMPLETED', 'Completed', '2026-01-06T00:00Z')`,
  ])
    await statement.execute(kysely);
}

/** A body, and the names that it selects. */
type Case = [body: object, ...names: string[]];

const ALL_RUNS = ['late', 'running', 'fail_ed', 'child'];

const FLOW_RUNS: Case[] = [
  [{}, ...ALL_RUNS],
  [{ flow_runs: null, flows: null }, ...ALL_RUNS],
  [{ flow_runs: {} }, ...ALL_RUNS],
  [{ flow_runs: { id: { any_: [] } } }],
  [{ flow_runs: { id: { any_: [RUN.late, RUN.child.replaceAll('-', '').toUpperCase()] } } }, 'late', 'child'],
  [{ flow_runs: { id: { any_: [RUN.late, RUN.child], not_any_: [RUN.child] } } }, 'late'],
  [{ flow_runs: { id: { not_any_: [] } } }, ...ALL_RUNS],
  [{ flow_runs: { name: { any_: ['late', 'child'] } } }, 'late', 'child'],
  [{ flow_runs: { name: { like_: 'IL_ED' } } }, 'fail_ed'],
  [{ flow_runs: { name: { like_: 'l%e' } } }, 'late', 'fail_ed'],
  [{ flow_runs: { name: { like_: '' } } }, ...ALL_RUNS],
  [{ flow_runs: { tags: { all_: ['x', 'y'] } } }, 'late'],
  [{ flow_runs: { tags: { all_: [] } } }, ...ALL_RUNS],
  [{ flow_runs: { tags: { any_: ['x', 'z'] } } }, 'late', 'running'],
  [{ flow_runs: { tags: { any_: [] } } }],
  [{ flow_runs: { tags: { is_null_: true } } }, 'fail_ed', 'child'],
  [{ flow_runs: { tags: { is_null_: false } } }, 'late', 'running'],
  [{ flow_runs: { tags: { operator: 'or_', all_: ['y'], is_null_: true } } }, 'late', 'fail_ed', 'child'],
  [{ flow_runs: { deployment_id: { any_: [DEPLOYMENT] } } }, 'late'],
  [{ flow_runs: { deployment_id: { operator: 'or_', any_: [DEPLOYMENT], is_null_: true } } }, ...ALL_RUNS],
  [{ flow_runs: { work_queue_name: { is_null_: false } } }, 'late'],
  [{ flow_runs: { state: { type: { any_: ['RUNNING', 'FAILED'] } } } }, 'running', 'fail_ed'],
  [{ flow_runs: { state: { type: { any_: ['RUNNING', 'FAILED'], not_any_: ['FAILED'] } } } }, 'running'],
  [{ flow_runs: { state: { type: { any_: ['SCHEDULED'] }, name: { any_: ['Scheduled'] } } } }],
  [{ flow_runs: { state: { operator: 'or_', type: { any_: ['RUNNING'] }, name: { any_: ['Late'] } } } }, 'late', 'running'],
  [{ flow_runs: { state: { operator: 'or_', type: { any_: ['RUNNING'] }, name: { not_any_: [] } } } }, 'running'],
  [{ flow_runs: { flow_version: { any_: ['1'] } } }, 'late'],
  [{ flow_runs: { start_time: { after_: '2026-01-03T00:00:00Z' } } }, 'running', 'fail_ed', 'child'],
  [{ flow_runs: { start_time: { before_: '2026-01-03T01:00:00+01:00' } } }, 'late', 'fail_ed'],
  [{ flow_runs: { start_time: { is_null_: true } } }, 'late', 'child'],
  [{ flow_runs: { end_time: { is_null_: false } } }, 'fail_ed'],
  [{ flow_runs: { expected_start_time: { after_: '2026-01-02', before_: '2026-01-03' } } }, 'running', 'fail_ed'],
  [{ flow_runs: { parent_flow_run_id: { any_: [RUN.running] } } }, 'child'],
  [{ flow_runs: { parent_task_run_id: { is_null_: true } } }, 'late', 'running', 'fail_ed'],
  [{ flow_runs: { idempotency_key: { not_any_: ['k1'] } } }, 'running'],
  [{ flow_runs: { created_by: { id_: [DEPLOYMENT] } } }, 'late'],
  [{ flow_runs: { created_by: { type_: ['AUTOMATION'] } } }],
  [{ flow_runs: { created_by: { operator: 'or_', type_: ['DEPLOYMENT'], is_null_: true } } }, ...ALL_RUNS],
  [{ flow_runs: { operator: 'or_', name: { any_: ['late'] }, tags: { is_null_: true } } }, 'late', 'fail_ed', 'child'],
  [{ flow_runs: { operator: 'or_', name: { any_: ['late'] }, id: { not_any_: [] } } }, ...ALL_RUNS],
  [{ flows: {} }, ...ALL_RUNS],
  [{ flows: { name: { any_: ['etl'] } } }, 'late', 'running'],
  [{ flows: { name: { any_: ['etl'] } }, flow_runs: { tags: { all_: ['y'] } } }, 'late'],
  [{ flows: { deployment: { is_null_: true } } }, 'fail_ed', 'child'],
  [{ flows: { tags: { all_: ['daily'] } } }, 'late', 'running'],
  [{ deployments: {} }, 'late'],
  [{ deployments: { paused: { eq_: false } } }],
  [{ deployments: { flow_or_deployment_name: { like_: 'ETL' } } }, 'late'],
  [{ deployments: { operator: 'or_', name: { any_: [] }, concurrency_limit: { is_null_: true } } }],
  [{ task_runs: {} }, 'running', 'fail_ed'],
  [{ task_runs: { subflow_runs: { exists_: true } } }, 'running'],
  [{ work_pools: { name: { any_: ['pool'] } } }, 'late'],
  [{ work_pools: { type: { any_: ['docker'] } } }],
  [{ work_pool_queues: { name: { startswith_: ['urg', 'x'] } } }, 'late'],
  [{ work_pool_queues: { name: { startswith_: ['rg'] } } }],
];

const TASK_RUNS: Case[] = [
  [{}, 'parent', 'plain', 'orphan'],
  [{ task_runs: { flow_run_id: {} } }, 'parent', 'plain'],
  [{ task_runs: { flow_run_id: { is_null_: true, any_: [RUN.running] } } }, 'orphan'],
  [{ task_runs: { flow_run_id: { any_: [RUN.running] } } }, 'parent'],
  [{ task_runs: { flow_run_id: { is_null_: null } } }, 'parent', 'plain', 'orphan'],
  [{ task_runs: { subflow_runs: { exists_: false } } }, 'plain', 'orphan'],
  [{ task_runs: { tags: { is_null_: true } } }, 'plain', 'orphan'],
  [{ task_runs: { state: { name: { any_: ['Cached', 'TimedOut'] } } } }, 'plain', 'orphan'],
  [{ task_runs: { start_time: { after_: '2026-01-01T00:00:00Z' } } }, 'parent'],
  [{ flow_runs: { id: { any_: [RUN.running] } } }, 'parent'],
  [{ flow_runs: { operator: 'or_', id: { any_: [RUN.running] }, name: { any_: ['fail_ed'] } } }, 'parent', 'plain'],
  [{ flow_runs: {} }, 'parent', 'plain'],
  [{ flows: { name: { any_: ['Report_1'] } } }, 'plain'],
  [{ deployments: {} }],
];

const FLOWS: Case[] = [
  [{}, 'etl', 'Report_1', 'idle'],
  [{ flows: { id: { not_any_: [FLOW.idle] } } }, 'etl', 'Report_1'],
  [{ flows: { deployment: { is_null_: false } } }, 'etl'],
  [{ flows: { name: { like_: 'REPORT' } } }, 'Report_1'],
  [{ flow_runs: {} }, 'etl', 'Report_1'],
  [{ flow_runs: { state: { type: { any_: ['FAILED'] } } } }, 'Report_1'],
  [{ task_runs: { name: { any_: ['parent'] } } }, 'etl'],
  [{ deployments: { tags: { any_: ['a', 'b'] } } }, 'etl'],
  [{ work_pools: { name: { any_: ['pool'] } } }, 'etl'],
];

const SORTS: [resource: string, sort: string, ...names: string[]][] = [
  ['flow_runs', 'ID_DESC', 'child', 'fail_ed', 'running', 'late'],
  ['flow_runs', 'START_TIME_ASC', 'late', 'fail_ed', 'running', 'child'],
  ['flow_runs', 'START_TIME_DESC', 'child', 'running', 'fail_ed', 'late'],
  ['flow_runs', 'EXPECTED_START_TIME_ASC', 'late', 'running', 'fail_ed', 'child'],
  ['flow_runs', 'NAME_DESC', 'running', 'late', 'fail_ed', 'child'],
  ['task_runs', 'NAME_ASC', 'orphan', 'parent', 'plain'],
  ['task_runs', 'DURATION_DESC', 'parent', 'orphan', 'plain'],
  ['task_runs', 'DURATION_ASC', 'orphan', 'plain', 'parent'],
];

test('filters over runs and flows', async (t) => {
  await using gateway = await startGateway();
  const { api, database } = gateway;
  await seed(database);
  const names = (list: { name: string }[]) => list.map(({ name }) => name);

  for (const [resource, cases] of Object.entries({ flow_runs: FLOW_RUNS, task_runs: TASK_RUNS, flows: FLOWS }))
    for (const [body, ...wanted] of cases)
      await t.test(`${resource} ${JSON.stringify(body)}`, async () => {
        assert.deepEqual(names(await api.expect(200, 'POST', `/${resource}/filter`, body)).toSorted(), wanted.toSorted());
        assert.equal(await api.expect(200, 'POST', `/${resource}/count`, body), wanted.length);
      });

  for (const [resource, sort, ...wanted] of SORTS)
    await t.test(`${resource} by ${sort}`, async () => assert.deepEqual(names(await api.expect(200, 'POST', `/${resource}/filter`, { sort })), wanted));

  await t.test('unknown keys are refused at every level of a filter, and ignored beside it', async () => {
    for (const flow_runs of [{ x: 1 }, { id: { x: 1 } }, { state: { type: { x: 1 } } }, { start_time: { before: '2026-01-01' } }, { state: { type: { any_: ['SLEEPING'] } } }])
      await api.expect(422, 'POST', '/flow_runs/filter', { flow_runs });
    await api.expect(200, 'POST', '/flow_runs/filter', { anything: 1 });
  });
});
