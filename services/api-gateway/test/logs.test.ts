import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

const LOG = { name: 'prefect.flow_runs', level: 20, message: 'Hello', timestamp: '2026-11-21T08:14:30.306209Z' };

test('logs', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const messages = async (body: object) => (await api.expect(200, 'POST', '/logs/filter', body)).map((log: { message: string }) => log.message);

  await t.test('are stored and shown with all their fields', async () => {
    const flow_run_id = randomUUID();
    assert.equal(await api.expect(201, 'POST', '/logs/', [{ ...LOG, flow_run_id, timestamp: '2026-11-21T10:14:30+02:00' }]), null);
    const [log] = await api.expect(200, 'POST', '/logs/filter', { logs: { flow_run_id: { any_: [flow_run_id] } } });
    assert.deepEqual(Object.keys(log), ['id', 'created', 'updated', 'name', 'level', 'message', 'timestamp', 'flow_run_id', 'task_run_id']);
    assert.deepEqual({ ...log, id: '', created: '', updated: '' }, { id: '', created: '', updated: '', ...LOG, timestamp: '2026-11-21T08:14:30Z', flow_run_id, task_run_id: null });
  });

  await t.test('come in batches of any size', async () => {
    await api.expect(201, 'POST', '/logs/', []);
    const flow_run_id = randomUUID();
    const batch = Array.from({ length: 10_000 }, (_, index) => ({ ...LOG, flow_run_id, message: `line ${index}` }));
    await api.expect(201, 'POST', '/logs/', batch);
    const { count } = await gateway.database.kysely
      .selectFrom('log')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('flow_run_id', '=', flow_run_id)
      .executeTakeFirstOrThrow();
    assert.equal(count, 10_000);
    // All of one moment, and in the order of their coming.
    assert.deepEqual(await messages({ logs: { flow_run_id: { any_: [flow_run_id] } }, limit: 200, offset: 5000 }), Array.from({ length: 200 }, (_, index) => `line ${5000 + index}`));
  });

  await t.test('lose their NUL characters', async () => {
    await api.expect(201, 'POST', '/logs/', [{ ...LOG, message: 'a\0b', name: '\0n', level: 55 }]);
    assert.deepEqual(await messages({ logs: { level: { ge_: 55 } } }), ['ab']);
  });

  await t.test('are filtered and sorted', async () => {
    const flow_run_id = randomUUID();
    const second = (n: number) => `2026-11-21T08:00:0${n}Z`;
    await api.expect(201, 'POST', '/logs/', [3, 1, 2].map((n) => ({ ...LOG, flow_run_id, level: n * 10, message: `${n}`, timestamp: second(n) })));
    const ofRun = { flow_run_id: { any_: [flow_run_id] } };
    assert.deepEqual(await messages({ logs: ofRun }), ['1', '2', '3']);
    assert.deepEqual(await messages({ logs: ofRun, sort: 'TIMESTAMP_DESC', limit: 2 }), ['3', '2']);
    assert.deepEqual(await messages({ logs: { ...ofRun, level: { ge_: 20, le_: 20 } } }), ['2']);
    assert.deepEqual(await messages({ logs: { ...ofRun, timestamp: { after_: second(2), before_: second(2) } } }), ['2']);
    assert.deepEqual(await messages({ logs: { ...ofRun, task_run_id: { is_null_: false } } }), []);
  });

  await t.test('refuse what does not fit', async () => {
    await api.expect(422, 'POST', '/logs/', LOG);
    await api.expect(422, 'POST', '/logs/', [{ ...LOG, extra: 1 }]);
    await api.expect(422, 'POST', '/logs/', [{ ...LOG, timestamp: 'yesterday' }]);
    assert.equal(typeof (await api.expect(422, 'POST', '/logs/', [{ ...LOG, level: 40_000 }])).detail, 'string');
    // The client's command line falls back to smaller pages when it reads this.
    assert.match((await api.expect(422, 'POST', '/logs/filter', { limit: 1000 })).detail, /Invalid limit/);
  });
});

test('logs are published for live tails where that is switched on', async () => {
  await using quiet = await startGateway();
  await quiet.api.expect(201, 'POST', '/logs/', [LOG]);
  assert.deepEqual(quiet.published.logs, []);

  await using loud = await startGateway({ PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED: 'true' });
  await loud.api.expect(201, 'POST', '/logs/', [LOG]);
  assert.deepEqual(loud.published.logs, await loud.api.expect(200, 'POST', '/logs/filter', {}));
});
