import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Api } from '@praetor/test/support/api';
import { type PrefectVersion, installPrefect, skipWithoutPrefect } from '@praetor/test/support/prefect';
import { type Topology, findTopologies } from '@praetor/test/support/server';
import { seedChecks } from './seed-checks.ts';
import { checks } from './checks.ts';
import { PrefectClient } from './client.ts';

/*
 * What this system was asked to do, in every way of running it: the functional checks of its seed, then the real Python
 * client at work. The older client runs flows in every way with a server of its own; side by side with a newer one it does
 * what differs between clients: flows in one process and background tasks.
 */

const skip = await skipWithoutPrefect('3.9.1', '3.8.8');
const EVERYTHING = Object.keys(checks);
const WAYS_OF_RUNNING = ['flows in one process', 'served flows', 'a work pool and its worker', 'background tasks'];
const SETTINGS = {
  PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE: '6',
  PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS: '2',
};
/** Runs that a worker does: many by the newer client, some by the older one. */
const POOLED_RUNS = { '3.9.1': 20, '3.8.8': 4 };

async function runClient(version: PrefectVersion, api: Api, name: string): Promise<void> {
  await using client = await PrefectClient.create(await installPrefect(version), api.url);
  await checks[name]?.({ api, client, pooledRuns: POOLED_RUNS[version] });
}

/** What is done with one server: checks by name. */
interface Visit {
  seed?: readonly string[];
  clients: readonly (readonly [PrefectVersion, readonly string[]])[];
}

function declare(name: string, topology: Topology, { seed = [], clients }: Visit): void {
  suite(name, { skip: topology.skip }, () => {
    let stop: (() => PromiseLike<void>) | undefined;
    let api: Api;

    test('starts, with the settings that it was given', async () => {
      const server = await topology.start(SETTINGS);
      stop = () => server[Symbol.asyncDispose]();
      api = new Api(server.apiUrl);
      assert.equal((await api.expect(200, 'GET', '/admin/settings')).server.database.sqlalchemy.pool_size, 6);
    });
    for (const check of seed) test(`seed: ${check}`, () => seedChecks[check]?.(api));
    for (const [version, names] of clients) for (const check of names) test(`client ${version}: ${check}`, { skip }, () => runClient(version, api, check));
    test('stops', async () => await stop?.());
  });
}

for (const topology of await findTopologies()) {
  const older = topology.name === 'cluster' ? ['flows in one process', 'background tasks'] : [];
  declare(topology.name, topology, { seed: Object.keys(seedChecks), clients: [['3.9.1', EVERYTHING], ['3.8.8', older]] });
  if (topology.name === 'standalone') declare('standalone, with the older client', topology, { clients: [['3.8.8', WAYS_OF_RUNNING]] });
}
