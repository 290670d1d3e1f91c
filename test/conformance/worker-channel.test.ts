import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Api } from '@praetor/test/support/api';
import { Child } from '@praetor/test/support/child';
import { createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';
import { until } from '@praetor/test/support/poll';
import { findFreePort } from '@praetor/test/support/ports';
import { installPrefect, skipWithoutPrefect } from '@praetor/test/support/prefect';
import { PrefectClient } from './client.ts';

/* The real worker on the worker channel: it sends no heartbeat by REST, and outlives the server that it is connected to. */

const SECONDS = 120;
const skip = (await isPostgresReachable()) ? await skipWithoutPrefect('3.9.1') : 'needs Postgres';

describe('a worker on its channel', { skip }, () => {
  test('needs no REST, survives the death of the server and goes on', async () => {
    await using stack = new AsyncDisposableStack();
    const database = stack.use(await createTestDatabase());
    const home = await mkdtemp(path.join(tmpdir(), 'praetor-home-'));
    stack.defer(() => rm(home, { recursive: true, force: true }));
    const port = await findFreePort();
    const start = async () => {
      const env = { PREFECT_SERVER_DATABASE_CONNECTION_URL: database.url, PREFECT_SERVER_METRICS_ENABLED: 'true', PRAETOR_REDIS_URL: undefined, PREFECT_API_URL: undefined };
      const server = stack.use(new Child({ program: { script: 'start' }, args: ['--port', String(port), '--home', home], env, logFile: path.join(home, 'server.log') }));
      await server.ready(`http://127.0.0.1:${port}/api/ready`);
      return server;
    };
    const first = await start();
    const api = new Api(`http://127.0.0.1:${port}/api`);
    process.env['PREFECT_WORKER_HEARTBEAT_SECONDS'] = '2';
    const client = stack.use(await PrefectClient.create(await installPrefect('3.9.1'), api.url));
    const worker = client.startCli('worker', 'start', '--pool', 'channelled', '--type', 'process', '--name', 'w');

    const lastHeartbeat = async () => (await api.post('/work_pools/channelled/workers/filter')).body[0]?.last_heartbeat_time;
    const heartbeatAfter = (moment: string) => until('a heartbeat', async () => ((await lastHeartbeat()) ?? '') > moment, SECONDS);
    await heartbeatAfter('');
    await heartbeatAfter(await lastHeartbeat());
    const routes = new Set([...String((await api.get('/metrics')).body).matchAll(/route="([^"]*)"/g)].map(([, route = '']) => route));
    assert.deepEqual([...routes].filter((route) => route.endsWith('/get_scheduled_flow_runs') || route.endsWith('/heartbeat')), ['/work_pools/:name/get_scheduled_flow_runs']);

    const flow = await api.expect([200, 201], 'POST', '/flows/', { name: 'pooled' });
    const directory = path.join(import.meta.dirname, 'scenarios');
    const pullSteps = [{ 'prefect.deployments.steps.set_working_directory': { directory } }];
    const deployment = await api.expect(201, 'POST', '/deployments/', { name: 'd', flow_id: flow.id, work_pool_name: 'channelled', entrypoint: 'pooled.py:pooled', pull_steps: pullSteps });

    await first.stop('SIGKILL');
    await start();
    const restarted = new Date().toISOString();
    const run = await api.expect(201, 'POST', `/deployments/${deployment.id}/create_flow_run`, {});
    await until('the run after the restart', async () => (await api.expect(200, 'GET', `/flow_runs/${run.id}`)).state_type === 'COMPLETED', SECONDS);
    await heartbeatAfter(restarted);
    assert.equal(worker.exitCode, null);
  });
});
