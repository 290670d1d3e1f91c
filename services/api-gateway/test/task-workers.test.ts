import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from '@praetor/database/connect';
import { classifyDatabaseError } from '@praetor/database/errors';
import { taskWorker } from '@praetor/schema/task-worker';
import { createBroker } from '@praetor/streams/create-broker';
import { startPipeline } from '@praetor/test/support/pipeline';
import { until } from '@praetor/test/support/poll';
import { test } from '@praetor/test/support/postgres-test';
import { SocketClient } from '@praetor/test/support/socket-client';
import { TaskWorkerRegister } from '../src/task-workers/register.ts';
import { startGateway } from './support.ts';

test('task workers', async (t) => {
  await using gateway = await startGateway();
  const { api, database } = gateway;
  const list = async (task_keys?: string[]) =>
    taskWorker.array().parse(await api.expect(200, 'POST', '/task_workers/filter', task_keys && { task_worker_filter: { task_keys } }));
  const names = async (task_keys?: string[]) => (await list(task_keys)).map(({ identifier }) => identifier);
  const fail = (error: unknown) => assert.fail(String(error));

  await t.test('are those that are connected to any gateway, until they leave', async () => {
    await using broker = createBroker({ saveDeadLetter: async () => {}, onError: fail });
    await using first = await startPipeline(database, broker);
    await using second = await startPipeline(database, broker);
    const subscribe = async (url: string, client_id: string, keys: string[]) => {
      const worker = await SocketClient.connect(`${url}/task_runs/subscriptions/scheduled`);
      worker.send({ type: 'subscribe', keys, client_id });
      await until(`${client_id} is known`, async () => (await names(keys)).includes(client_id));
      return worker;
    };
    const before = Date.now();
    const one = await subscribe(first.url, 'one', ['b', 'a']);
    const two = await subscribe(second.url, 'two', ['c', 'a']);
    const workers = await list();
    assert.deepEqual(workers.map(({ identifier, task_keys }) => [identifier, task_keys]), [['one', ['a', 'b']], ['two', ['a', 'c']]]);
    for (const { timestamp } of workers) assert.ok(Math.abs(Date.parse(timestamp) - before) < 15_000, timestamp);
    assert.deepEqual(await names([]), ['one', 'two']);
    assert.deepEqual(await names(['c']), ['two']);
    assert.deepEqual(await names(['b', 'c', 'd']), ['one', 'two']);
    assert.deepEqual(await names(['d']), []);
    one.close();
    await until('the first one is gone', async () => (await names()).join() === 'two');
    two.close();
    await until('the second one is gone', async () => (await names()).length === 0);
  });

  await t.test('are handed what waits for them without a pause', async () => {
    await using broker = createBroker({ saveDeadLetter: async () => {}, onError: fail });
    await using pipeline = await startPipeline(database, broker);
    const count = 100;
    const runs = Array.from({ length: count }, (_, index) => ({ task_key: 'many', dynamic_key: String(index), state: { type: 'SCHEDULED', state_details: { deferred: true } } }));
    for (const run of runs) await api.expect(201, 'POST', '/task_runs/', run);
    const worker = await SocketClient.connect(`${pipeline.url}/task_runs/subscriptions/scheduled`);
    worker.socket.on('message', () => worker.send({ type: 'ack' }));
    worker.send({ type: 'subscribe', keys: ['other', 'many'], client_id: 'quick' });
    // Waiting for a look at the queue before each of them takes over ten seconds.
    await until('all have come', async () => worker.messages.length === count, 8);
    worker.close();
  });

  await t.test('with the same name are one', async () => {
    const register = new TaskWorkerRegister(database.sql, fail);
    await using _one = await register.join('twin', ['a']);
    {
      await using _other = await register.join('twin', ['b']);
      assert.deepEqual((await list()).map(({ identifier, task_keys }) => [identifier, task_keys]), [['twin', ['a', 'b']]]);
    }
    assert.deepEqual((await list(['a'])).map(({ task_keys }) => task_keys), [['a']]);
  });

  await t.test('vanish with a gateway that dies, and stay while theirs lives', async () => {
    const { sql } = database;
    await sql`insert into praetor.task_worker (connection_id, identifier, task_keys, seen) values (${randomUUID()}::uuid, 'orphan', '{a}', now() - interval '31 s')`;
    assert.deepEqual(await names(), []);
    const register = new TaskWorkerRegister(sql, fail, 0.05);
    await using _alive = await register.join('alive', ['a']);
    await sql`update praetor.task_worker set seen = now() - interval '31 s'`;
    await until('the living one is told of again', async () => (await names()).join() === 'alive');
    assert.deepEqual(await sql`select identifier from praetor.task_worker`, [{ identifier: 'alive' }]);
  });

  await t.test('work although nobody can be told', async () => {
    await using nowhere = connect('postgresql://postgres@127.0.0.1:1/none', { poolSize: 1, statementTimeoutSeconds: 1, applicationName: 'test' });
    const errors: unknown[] = [];
    const worker = await new TaskWorkerRegister(nowhere.sql, (error) => errors.push(error)).join('unknown', ['a']);
    await worker[Symbol.asyncDispose]();
    assert.deepEqual(errors.map((error) => classifyDatabaseError(error)), ['unavailable', 'unavailable']);
  });

  await t.test('refuse what does not fit', async () => {
    await api.expect(422, 'POST', '/task_workers/filter', { task_worker_filter: {} });
    await api.expect(422, 'POST', '/task_workers/filter', { task_worker_filter: { task_keys: 'a' } });
  });
});
