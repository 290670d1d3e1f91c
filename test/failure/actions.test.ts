import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '@praetor/test/support/api';
import type { Cluster } from '@praetor/test/support/cluster';
import type { TestDatabase } from '@praetor/test/support/database';
import { makeEvent } from '@praetor/test/support/events';
import { until } from '@praetor/test/support/poll';
import { skip, startVictim } from './victim.ts';

/* Those who evaluate triggers and carry out actions are killed again and again: each event fires once, each firing acts once. */

const KILLS = 4;
const EVENTS_AT_ONCE = 5;
/** What a killed process had claimed comes back after a minute. */
const WAIT_SECONDS = 180;

suite('automations under kill -9', { skip }, () => {
  const stack = new AsyncDisposableStack();
  let database: TestDatabase;
  let cluster: Cluster;
  let api: Api;

  test('two of them start', async () => {
    ({ database, cluster } = stack.use(await startVictim({ gateways: 1, workers: 0 })));
    for (const service of ['event-persister', 'automations', 'automations'] as const) await cluster.startMember(service);
    api = new Api(cluster.apiUrl);
  });

  test('each event fires once, and each firing does once what it is for', async (t) => {
    const { id: flow_id } = await api.expect(201, 'POST', '/flows/', { name: 'actions' });
    const { id: deployment_id } = await api.expect(201, 'POST', '/deployments/', { name: 'actions', flow_id });
    const trigger = { type: 'event', posture: 'Reactive', expect: ['go'] };
    const actions = [{ type: 'run-deployment', deployment_id }, { type: 'do-nothing' }];
    const { id } = await api.expect(201, 'POST', '/automations/', { name: 'runs it', trigger, actions });

    const over = new AbortController();
    const kill = async () => {
      for (let round = 0; round < KILLS; round++) await cluster.killOne('automations');
    };
    let sent = 0;
    const send = async () => {
      for (; !over.signal.aborted; sent += EVENTS_AT_ONCE) {
        await api.expect(204, 'POST', '/events', Array.from({ length: EVENTS_AT_ONCE }, () => makeEvent({ event: 'go' })));
        await sleep(20);
      }
    };
    await Promise.all([send(), kill().finally(() => over.abort())]);
    t.diagnostic(`${sent} events`);

    const { sql } = database;
    const count = async (rows: PromiseLike<{ count: number }[]>) => (await rows)[0]?.count;
    const told = (event: string) => count(sql`select count(*)::integer as count from events where event = ${event} and resource_id = ${`prefect.automation.${id}`}`);
    await until('every event has fired', async () => (await told('prefect.automation.triggered')) === sent, WAIT_SECONDS);
    await until('every action is done', async () => (await sql`select from praetor.automation_action limit 1`).length === 0, WAIT_SECONDS);
    await until('everything is told', async () => (await sql`select from praetor.outbox limit 1`).length === 0, WAIT_SECONDS);
    assert.equal(await told('prefect.automation.triggered'), sent);
    assert.equal(await told('prefect.automation.action.triggered'), sent * actions.length);
    assert.equal(await told('prefect.automation.action.executed'), sent * actions.length);
    assert.equal(await count(sql`select count(*)::integer as count from flow_run where deployment_id = ${deployment_id}::uuid`), sent);
    assert.equal(await count(sql`select count(*)::integer as count from praetor.dead_letter`), 0);
  });

  test('everything stops', () => stack.disposeAsync());
});
