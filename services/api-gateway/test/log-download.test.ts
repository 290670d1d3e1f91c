import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

test('the logs of a run as CSV', async (t) => {
  await using gateway = await startGateway();
  const { api, database } = gateway;
  const flow = await api.expect(201, 'POST', '/flows/', { name: 'etl' });
  const start = (name: string) => api.expect(201, 'POST', '/flow_runs/', { flow_id: flow.id, name });
  const addLogs = (flowRunId: string, count: number) => sql`
    insert into log (name, level, flow_run_id, message, timestamp)
    select 'root', 20, ${flowRunId}, 'line ' || n, '2026-01-01T00:00:00Z'::timestamptz + (n / 400) * interval '1 second' from generate_series(1, ${count}::integer) n`.execute(database.kysely);

  await t.test('are written as Python writes them', async () => {
    const run = await start('mäin "x"/(y)');
    const task_run_id = randomUUID();
    const log = (second: string, message: string) => ({ name: 'root', level: 20, message, timestamp: `2026-01-01T00:00:0${second}Z`, flow_run_id: run.id });
    await api.expect(201, 'POST', '/logs/', [log('1.5', 'plain'), log('0', 'a,b "q"\nnext'), { ...log('2', ''), task_run_id }, { ...log('3', 'elsewhere'), flow_run_id: randomUUID() }]);
    const { status, headers, body } = await api.get(`/flow_runs/${run.id}/logs/download`);
    assert.equal(status, 200);
    assert.equal(headers.get('content-type'), 'text/csv; charset=utf-8');
    assert.equal(headers.get('content-disposition'), `attachment; filename="flow-run-logs.csv"; filename*=UTF-8''m%C3%A4in%20%22x%22%2F%28y%29-logs.csv`);
    assert.deepEqual(body.split('\r\n'), [
      'timestamp,level,flow_run_id,task_run_id,message',
      `2026-01-01 00:00:00+00:00,20,${run.id},,"a,b ""q""\nnext"`,
      `2026-01-01 00:00:01.500000+00:00,20,${run.id},,plain`,
      `2026-01-01 00:00:02+00:00,20,${run.id},${task_run_id},`,
      '',
    ]);
  });

  await t.test('come whole over many pages, in which many have the same time', async () => {
    const run = await start('long');
    await addLogs(run.id, 3500);
    const lines: string[] = (await api.get(`/flow_runs/${run.id}/logs/download`)).body.trimEnd().split('\r\n').slice(1);
    assert.equal(new Set(lines).size, 3500);
    const times = lines.map((line) => line.slice(0, 19));
    assert.deepEqual(times, times.toSorted());
  });

  await t.test('harm nobody when the client leaves in the middle', async () => {
    const run = await start('abandoned');
    await addLogs(run.id, 50_000);
    const controller = new AbortController();
    const response = await fetch(`${api.url}/flow_runs/${run.id}/logs/download`, { signal: controller.signal });
    assert.ok((await response.body?.getReader().read())?.value);
    controller.abort();
    assert.equal((await api.get('/health')).body, true);
  });

  await t.test('of a run without any, and of none', async () => {
    const run = await start('silent');
    assert.equal((await api.get(`/flow_runs/${run.id}/logs/download`)).body, 'timestamp,level,flow_run_id,task_run_id,message\r\n');
    assert.ok((await api.expect(404, 'GET', `/flow_runs/${randomUUID()}/logs/download`)).detail);
  });
});
