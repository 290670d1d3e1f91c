import { after, before, describe, test } from 'node:test';
import { Api } from '@praetor/test/support/api';
import { type PrefectInstallation, installPrefect, isPythonAvailable } from '@praetor/test/support/prefect';
import { type Server, findTopologies } from '@praetor/test/support/server';
import { checks } from './checks.ts';
import { PrefectClient } from './client.ts';

/* The real client of both versions does its work with whole servers in both topologies. */

const VERSIONS = ['3.9.1', '3.8.8'] as const;
const hasPython = await isPythonAvailable();

for (const { name, skip, start } of await findTopologies())
  for (const version of VERSIONS)
    describe(`client ${version}: ${name}`, { skip: hasPython ? skip : 'needs Python ≥ 3.10' }, () => {
      let server: Server;
      let installation: PrefectInstallation;
      before(async () => {
        installation = await installPrefect(version);
        server = await start();
      });
      after(() => server?.[Symbol.asyncDispose]());

      for (const [check, run] of Object.entries(checks))
        test(check, async () => {
          await using client = await PrefectClient.create(installation, server.apiUrl);
          await run({ api: new Api(server.apiUrl), client });
        });
    });
