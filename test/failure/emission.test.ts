import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Api } from '@praetor/test/support/api';
import type { Cluster } from '@praetor/test/support/cluster';
import type { TestDatabase } from '@praetor/test/support/database';
import { until } from '@praetor/test/support/poll';
import { BLOCK_SLUG, Ledger, type Told } from './changed-objects.ts';
import { RunLedger } from './changed-runs.ts';
import { skip, startVictim } from './victim.ts';

/*
 * A change and its events are one: gateways and persisters are killed again and again while clients change things of every
 * kind. Afterwards each change that was made, told to its client or not, has each of its events once, and no event tells of
 * a change that was not made.
 */

const CLIENTS = 16;
const KILLS = 6;
const WAIT_SECONDS = 90;

suite('a change and its events under kill -9', { skip }, () => {
  const stack = new AsyncDisposableStack();
  let database: TestDatabase;
  let cluster: Cluster;
  let api: Api;

  test('two gateways and two persisters start', async () => {
    ({ database, cluster } = stack.use(await startVictim({ gateways: 2, workers: 0 })));
    await Promise.all([cluster.startMember('event-persister'), cluster.startMember('event-persister')]);
    api = new Api(cluster.apiUrl);
  });

  /** Nothing waits to be published or stored. */
  async function untilStored(): Promise<void> {
    await until('every event is stored', async () => (await database.sql`select from praetor.outbox limit 1`).length === 0, WAIT_SECONDS);
  }

  /** What the stored events tell of anything but flow runs. */
  async function readTold(): Promise<Told> {
    const rows = await database.sql<{ what: string; count: number }[]>`
      select event || ' of ' || coalesce(resource ->> 'prefect.resource.name', resource_id) as what, count(*)::integer as count
      from events where event not like 'prefect.flow-run.%' group by what`;
    return new Map(rows.map(({ what, count }) => [what, count]));
  }

  /** What the clients' objects are made of, and a deployment whose runs take slots. */
  async function prepareGround() {
    const flowName = 'emission';
    const { id: flowId } = await api.expect(201, 'POST', '/flows/', { name: flowName });
    const { name: pool } = await api.expect(201, 'POST', '/work_pools/', { name: 'emission', type: 'process' });
    const { id: blockTypeId } = await api.expect(201, 'POST', '/block_types/', { name: BLOCK_SLUG, slug: BLOCK_SLUG });
    const fields = { type: 'object', title: BLOCK_SLUG, block_type_slug: BLOCK_SLUG, properties: { value: { type: 'string' } } };
    const { id: blockSchemaId } = await api.expect(201, 'POST', '/block_schemas/', { fields, block_type_id: blockTypeId, version: '1' });
    const { id: deploymentId } = await api.expect(201, 'POST', '/deployments/', { name: 'emission', flow_id: flowId, concurrency_limit: 100_000 });
    return { ground: { flowId, flowName, pool, blockTypeId, blockSchemaId }, deploymentId };
  }

  let objects: Ledger;
  let runs: RunLedger;
  let before: Told;

  test(`${CLIENTS} clients change things while gateways and persisters are killed ${KILLS} times`, async (t) => {
    const { ground, deploymentId } = await prepareGround();
    await untilStored();
    before = await readTold();
    [objects, runs] = [new Ledger(ground), new RunLedger(deploymentId)];
    const over = new AbortController();
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let turn = client; !over.signal.aborted; turn++) await (client % 4 === 0 ? runs.live(api) : objects.live(api, turn));
    });
    const kill = async () => {
      for (let round = 0; round < KILLS; round++) await Promise.all([cluster.killOne('api-gateway'), cluster.killOne('event-persister')]);
    };
    await Promise.all([...clients, kill().finally(() => over.abort())]);
    t.diagnostic(`${objects.made} changes of objects answered, ${objects.doubts} not; ${runs.stateIds.length} states accepted`);
    await untilStored();
  });

  test('every change of an object has its events once, and no event is of anything else', async () => {
    const expected = await objects.settle(api);
    const stored = await readTold();
    const counts = (told: Told, what: string) => told.get(what) ?? 0;
    const wrong = [...new Set([...expected.keys(), ...stored.keys()])]
      .map((what) => ({ what, changes: counts(expected, what), events: counts(stored, what) - counts(before, what) }))
      .filter(({ changes, events }) => changes !== events);
    assert.deepEqual(wrong, []);
    assert.ok(objects.made > 0);
  });

  test('every state has its event, which follows that of the state before', async () => {
    const { sql } = database;
    const wrong = await sql`
      select state.id, state.name, state.previous, events.event, events.follows
      from (select *, lag(id) over (partition by flow_run_id order by timestamp) as previous from flow_run_state) state
      left join events on events.id = state.id
      where events.event is distinct from 'prefect.flow-run.' || state.name or events.follows is distinct from state.previous
        or events.resource_id is distinct from 'prefect.flow-run.' || state.flow_run_id`;
    assert.deepEqual(wrong, []);
    const untold = await sql`select told.id from unnest(${runs.stateIds}::uuid[]) told (id) where not exists (select from events where events.id = told.id)`;
    assert.deepEqual(untold, []);
    assert.ok(runs.stateIds.length > 0);
  });

  test('no event is of a state that was not stored, and none follows one that is not there', async () => {
    const { sql } = database;
    const unfounded = await sql<{ run: string; exists: boolean }[]>`
      select replace(resource_id, 'prefect.flow-run.', '') as run, exists (select from flow_run where resource_id = 'prefect.flow-run.' || flow_run.id) as exists
      from events where event like 'prefect.flow-run.%' and not exists (select from flow_run_state where flow_run_state.id = events.id)`;
    assert.deepEqual(unfounded.filter(({ run, exists }) => exists || !runs.deletedIds.has(run)), []);
    assert.deepEqual(await sql`select id, follows from events where follows is not null and not exists (select from events leader where leader.id = events.follows)`, []);
    const unchained = await sql`
      select id, follows, previous from (
        select *, row_number() over status as number, lag(id) over status as previous from events
        where resource_id like 'prefect.work-pool.%' and event in ('prefect.work-pool.paused', 'prefect.work-pool.not-ready')
        window status as (partition by resource_id order by occurred)
      ) statuses where follows is distinct from case when number > 2 then previous end`;
    assert.deepEqual(unchained, []);
  });

  test('each run under way has its slot, and no other', async () => {
    const { sql } = database;
    const limits = await sql<{ taken: number; held: number }[]>`
      select l.active_slots as taken, count(flow_run.id)::integer as held
      from deployment join concurrency_limit_v2 l on l.id = deployment.concurrency_limit_id
      left join flow_run on flow_run.deployment_id = deployment.id and flow_run.state_type in ('PENDING', 'RUNNING') group by l.id`;
    assert.ok(limits[0] && limits[0].held > 0);
    for (const { taken, held } of limits) assert.equal(taken, held);
  });

  test('everything stops', () => stack.disposeAsync());
});
