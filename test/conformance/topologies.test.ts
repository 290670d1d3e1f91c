import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Api } from '@praetor/test/support/api';
import { type PrefectVersion, installPrefect, skipWithoutPrefect } from '@praetor/test/support/prefect';
import { findTopologies } from '@praetor/test/support/server';
import { seedChecks } from './seed-checks.ts';
import { checks } from './checks.ts';
import { PrefectClient } from './client.ts';

/*
 * What this system was asked to do, in every way of running it: the functional checks of its seed, then the real Python
 * client at work. The older client runs what differs between clients: flows in one process and background tasks.
 */

const skip = await skipWithoutPrefect('3.9.1', '3.8.8');
const OLDER_CLIENT_CHECKS = ['flows in one process', 'background tasks'];

async function runClient(version: PrefectVersion, api: Api, name: string): Promise<void> {
  await using client = await PrefectClient.create(await installPrefect(version), api.url);
  await checks[name]?.({ api, client });
}

for (const topology of await findTopologies()) {
  suite(topology.name, { skip: topology.skip }, () => {
    let stop: (() => PromiseLike<void>) | undefined;
    let api: Api;

    test('starts', async () => {
      const server = await topology.start({ PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE: '6' });
      stop = () => server[Symbol.asyncDispose]();
      api = new Api(server.apiUrl);
      assert.equal((await api.expect(200, 'GET', '/admin/settings')).server.database.sqlalchemy.pool_size, 6);
    });
    for (const [name, check] of Object.entries(seedChecks)) test(`seed: ${name}`, () => check(api));
    for (const name of Object.keys(checks)) test(`client 3.9.1: ${name}`, { skip }, () => runClient('3.9.1', api, name));
    for (const name of OLDER_CLIENT_CHECKS) test(`client 3.8.8: ${name}`, { skip }, () => runClient('3.8.8', api, name));
    test('stops', async () => await stop?.());
  });
}
