import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type PrefectInstallation, installPrefect, skipWithoutPrefect } from '@praetor/test/support/prefect';
import { PrefectClient, type Report } from '../client.ts';
import { deliberateForClients } from './client-deliberate.ts';
import { compareReports } from './client-reports.ts';
import { Judge, describeFinding } from './report.ts';
import { startTwins } from './servers.ts';
import type { Twins } from './twin-client.ts';

/*
 * Prefect's own client and CLI notice nothing: every public method of the client, asynchronous and not, and the commands of
 * the CLI have the same results, errors and exit codes with both servers. What is called stands in scenarios/stories and
 * scenarios/command_list.py.
 */

/** Runs a scenario with both servers. Its stories follow one another, so its calls are compared when it is over. */
async function runScenario(scenario: string, installation: PrefectInstallation, twins: Twins): Promise<Report[]> {
  await using client = await PrefectClient.create(installation, twins.real);
  return await client.run(scenario, [twins.real, twins.ours], { COLUMNS: '500' });
}

suite('clients', { skip: await skipWithoutPrefect('3.9.1') }, () => {
  test('see the same', async (context) => {
    const installation = await installPrefect('3.9.1');
    await using twins = await startTwins();
    const judge = new Judge({ also: deliberateForClients });
    for (const scenario of ['client_methods.py', 'cli_commands.py']) {
      const reports = await runScenario(scenario, installation, twins);
      for (const { client, missing } of reports.filter(({ name }) => name === 'coverage')) await context.test(`every method of ${client} is called`, () => assert.deepEqual(missing, []));
      for (const [story, steps] of compareReports(reports)) {
        const problems = judge.findings(steps).map(describeFinding);
        await context.test(`${story} (${steps.length})`, () => assert.ok(problems.length === 0, `\n${problems.join('\n')}`));
      }
    }
    const unmet = new Set(judge.unmet());
    assert.deepEqual(deliberateForClients.filter(({ reason }) => unmet.has(reason)), [], 'every deliberate difference occurs');
  });
});
