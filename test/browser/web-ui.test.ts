import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Browser, BrowserContext } from 'playwright-core';
import { Api } from '@praetor/test/support/api';
import { type PrefectInstallation, installPrefect, skipWithoutPrefect } from '@praetor/test/support/prefect';
import { findTopologies } from '@praetor/test/support/server';
import { PrefectClient } from '../conformance/client.ts';
import { launch, provideChromium } from './chromium.ts';
import { scenesV1 } from './clicks-v1.ts';
import { scenesV2 } from './clicks-v2.ts';
import { type Ids, listPages } from './pages.ts';
import { Visitor } from './visitor.ts';

/* Prefect's own web UI in a real browser, served by Praetor and filled by the real client (facts/ui-calls.md). */

const run = promisify(execFile);
const chromium = await provideChromium();
const skip = chromium === undefined ? 'needs Chromium' : await skipWithoutPrefect('3.9.1');

/** The folder of the installed package, which holds the web UI. */
async function findPackage({ python }: PrefectInstallation): Promise<string> {
  const { stdout } = await run(python, ['-c', 'from importlib.util import find_spec; print(find_spec("prefect").submodule_search_locations[0])']);
  return stdout.trim();
}

/* Both applications at the same time: each changes things of its own, and waits more than it works. */
describe('the web UI in a browser', { skip, concurrency: 2 }, () => {
  const opened = new AsyncDisposableStack();
  let browser: Browser;
  let origin: string;
  let api: Api;
  let ids: Ids;
  const missing = new Set<string>();

  before(async () => {
    const installation = await installPrefect('3.9.1');
    const [standalone] = await findTopologies();
    assert.ok(standalone);
    const server = opened.use(await standalone.start({ PREFECT_UI_STATIC_DIRECTORY: await findPackage(installation), PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT: 'false' }));
    origin = new URL(server.apiUrl).origin;
    api = new Api(server.apiUrl);
    const client = opened.use(await PrefectClient.create(installation, server.apiUrl));
    const [report] = await client.run(path.join(import.meta.dirname, 'populate.py'));
    ids = report as unknown as Ids;
    browser = await launch(chromium ?? '');
    opened.defer(() => browser.close());
  });
  after(() => opened.disposeAsync());

  for (const [application, base, scenes] of [
    ['v1', '', scenesV1],
    ['v2', '/v2', scenesV2],
  ] as const)
    describe(application, { concurrency: 1 }, () => {
      let context: BrowserContext;
      const enter = (name: string) => Visitor.enter(context, { origin, name: `${application}-${name}`, missing });

      before(async () => {
        context = await browser.newContext({ viewport: { width: 1400, height: 1000 } });
      });

      test('every page opens, and nothing fails', async () => {
        await using visitor = await enter('page');
        for (const [page, address, text] of listPages(ids)) {
          await visitor.open(base + address);
          await visitor.page.getByText(text).or(visitor.page.locator(`input[value*="${text}"]`)).first().waitFor();
          await visitor.photograph(page);
          assert.deepEqual(await visitor.takeProblems(), [], page);
        }
      });

      for (const [name, play] of Object.entries(scenes))
        test(`people change ${name}`, async () => {
          await using visitor = await enter(`change-${name.replaceAll(' ', '-')}`);
          try {
            await play({ visitor, page: visitor.page, api, changing: ids.changing[application] });
          } catch (error) {
            await visitor.photograph('failure');
            throw new Error(`${String(error)}\n${(await visitor.takeProblems()).join('\n')}`, { cause: error });
          }
          await visitor.settle();
          await visitor.photograph('changed');
          assert.deepEqual(await visitor.takeProblems(), []);
        });
    });
});
