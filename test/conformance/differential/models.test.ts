import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { stateType } from '@praetor/schema/state';
import { Api } from '@praetor/test/support/api';
import { isPostgresReachable } from '@praetor/test/support/database';
import { installPrefect, skipWithoutPrefect } from '@praetor/test/support/prefect';
import { PrefectClient } from '../client.ts';
import { Judge } from './report.ts';
import { runSequence } from './run-sequences.ts';
import { readStored } from './sequences/stored.ts';
import { startOnOneDatabase } from './servers.ts';

/*
 * Prefect's own models and Praetor write into a database that Praetor has made; then Praetor and the real server, both on this
 * database, are asked for all of it.
 */

const skip = (await isPostgresReachable()) ? await skipWithoutPrefect('3.9.1') : 'needs Postgres';

suite('one database', { skip }, () => {
  let servers: Awaited<ReturnType<typeof startOnOneDatabase>> | undefined;
  const judge = new Judge();

  before(async () => {
    servers = await startOnOneDatabase();
  });
  after(async () => await servers?.[Symbol.asyncDispose]());

  const stored = async (table: string, column = 'id'): Promise<string[]> => {
    assert.ok(servers, 'the servers have not started');
    const rows = await servers.database.sql.unsafe<{ value: string }[]>(`select ${column}::text as value from ${table} where ${column} is not null group by 1 order by max(created) desc`);
    return rows.map(({ value }) => value);
  };

  test("Prefect's models write to it", async () => {
    assert.ok(servers, 'the servers have not started');
    await using client = await PrefectClient.create(await installPrefect('3.9.1'), servers.ours);
    assert.equal((await client.run('models.py', [servers.database.url])).length, 1);
  });

  test('Praetor writes to it', async () => {
    assert.ok(servers, 'the servers have not started');
    await using client = await PrefectClient.create(await installPrefect('3.9.1'), servers.ours);
    assert.ok((await client.run('automations.py')).length > 0, 'automations and deployments');
    const api = new Api(servers.ours);
    const make = async (path: string, body: object): Promise<string> => (await api.expect([200, 201], 'POST', path, body)).id;
    const flow_id = await make('/flows/', { name: 'ours', labels: { a: 1.5 } });
    for (const type of stateType.options) {
      const state = { type, message: '', data: { a: [null] }, state_details: { cache_key: 'x', retriable: true } };
      const flow_run_id = await make('/flow_runs/', { flow_id, parameters: { a: 1e300 }, empirical_policy: { retries: 1 }, state });
      const task_run_id = await make('/task_runs/', { flow_run_id, task_key: 'a', dynamic_key: 'b', task_inputs: { x: [{ input_type: 'constant', type: 'int' }] }, state });
      await make('/artifacts/', { key: 'ours', type: 'markdown', data: 'x', metadata_: { a: 'b' }, flow_run_id, task_run_id });
      await make('/variables/', { name: `ours_${type.toLowerCase()}`, value: { a: 0 }, tags: ['x'] });
    }
    await make('/work_pools/', { name: 'ours', type: 'process' });
    await api.expect(204, 'POST', '/work_pools/ours/workers/heartbeat', { name: 'worker' });
    await make('/v2/concurrency_limits/', { name: 'ours', limit: 1 });
  });

  for (const [name, sequence] of Object.entries(readStored(stored))) {
    test(`both servers read the same of ${name}`, async () => {
      assert.ok(servers, 'the servers have not started');
      const { steps, problems } = await runSequence({ name, sequence }, servers, judge);
      assert.ok(problems.length === 0, `\n${problems.join('\n')}`);
      // A list that the real server cannot answer compares nothing.
      assert.deepEqual(steps.filter(({ method, status }) => method === 'POST' && status !== 200).map(({ path, status }) => `${path}: ${status}`), []);
    });
  }
});
