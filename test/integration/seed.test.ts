import { after, before, describe, test } from 'node:test';
import { Api } from '@praetor/test/support/api';
import { type Server, findTopologies } from '@praetor/test/support/server';
import { seedChecks } from './seed-checks.ts';

/* The checks of the first functional specification, against whole servers in both topologies. */

for (const { name, skip, start } of await findTopologies())
  describe(`seed checks: ${name}`, { skip }, () => {
    let server: Server;
    before(async () => {
      server = await start();
    });
    after(() => server?.[Symbol.asyncDispose]());

    for (const [check, run] of Object.entries(seedChecks)) test(check, () => run(new Api(server.apiUrl)));
  });
