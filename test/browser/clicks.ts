import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import type { Api } from '@praetor/test/support/api';
import { until } from '@praetor/test/support/poll';
import type { Ids } from './pages.ts';
import type { Visitor } from './visitor.ts';

/* What people do in the web UI (its second application), and what the API then says. */

interface Scene {
  visitor: Visitor;
  page: Page;
  api: Api;
  ids: Ids;
}

const dialog = (page: Page): Locator => page.locator('[role=dialog], [role=alertdialog]').last();

/** Opens the menu of the page, or of the row, and picks an item. */
async function pick(page: Page, item: string, within: Page | Locator = page): Promise<void> {
  await within.getByRole('button', { name: 'Open menu' }).first().click();
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

async function confirm(page: Page, button: string): Promise<void> {
  await dialog(page).getByRole('button', { name: button, exact: true }).click();
}

/** Replaces what an editor of code holds. */
async function write(page: Page, text: string): Promise<void> {
  await dialog(page).locator('.cm-content').click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText(text);
}

/** Waits for what the API says; browsers take their time on a small machine. */
const seen = (what: string, ask: () => Promise<boolean>) => until(what, ask, 30);

const stateOf = async (api: Api, run: string) => (await api.expect(200, 'GET', `/flow_runs/${run}`)).state_type as string;

async function waitForState(api: Api, run: string, state: string): Promise<void> {
  await seen(`run ${run} is ${state}`, async () => (await stateOf(api, run)) === state);
}

async function changeRuns({ visitor, page, api, ids }: Scene): Promise<void> {
  for (const [run, item, button, state] of [
    [ids.cancellable, 'Cancel', 'Cancel Flow Run', 'CANCELLING'],
    [ids.pausable, 'Pause', 'Pause Flow Run', 'PAUSED'],
    [ids.paused, 'Resume', 'Resume', 'RUNNING'],
    [ids.retriable, 'Retry', 'Retry', 'SCHEDULED'],
  ] as const) {
    await visitor.open(`/v2/runs/flow-run/${run}`);
    await pick(page, item);
    await confirm(page, button);
    await waitForState(api, run, state);
  }
  await visitor.open(`/v2/runs/flow-run/${ids.deletable}`);
  visitor.expectGone(ids.deletable);
  await pick(page, 'Delete');
  await confirm(page, 'Delete');
  await seen('the run is gone', async () => (await api.get(`/flow_runs/${ids.deletable}`)).status === 404);
}

async function changeDeployments({ visitor, page, api, ids }: Scene): Promise<void> {
  const address = `/v2/deployments/deployment/${ids.deployment}`;
  const count = async () => (await api.expect(200, 'POST', '/flow_runs/count', { flow_runs: { deployment_id: { any_: [ids.deployment] }, tags: { is_null_: false } } })) as number;
  await visitor.open(address);
  const before = await count();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Quick run' }).click();
  await seen('a run was made', async () => (await count()) > before);

  await page.getByRole('switch', { name: 'toggle Every 6 hours' }).click();
  await seen('the schedule is active', async () => (await api.expect(200, 'GET', `/deployments/${ids.deployment}`)).schedules.every((schedule: { active: boolean }) => schedule.active));

  await visitor.open(`${address}/run`);
  const quick = await count();
  await page.getByRole('button', { name: 'Submit' }).click();
  await seen('another run was made', async () => (await count()) > quick);

  await visitor.open(`${address}/duplicate`);
  await page.getByLabel('Name', { exact: true }).fill('copy');
  await page.getByRole('button', { name: /^(?:Save|Duplicate)$/ }).click();
  const copy = async () => await api.get('/deployments/name/sales/copy');
  await seen('the copy is there', async () => (await copy()).status === 200);
  const { id } = (await copy()).body;
  await visitor.open(`/v2/deployments/deployment/${id}`);
  visitor.expectGone(id);
  await pick(page, 'Delete');
  await confirm(page, 'Delete');
  await seen('the copy is gone', async () => (await copy()).status === 404);
}

async function changePools({ visitor, page, api }: Scene): Promise<void> {
  const read = () => api.get('/work_pools/local-pool');
  await visitor.open('/v2/work-pools');
  for (const isPaused of [true, false]) {
    await page.getByRole('switch').first().click();
    await seen('the pool has changed', async () => (await read()).body.is_paused === isPaused);
  }
  await visitor.open('/v2/work-pools/work-pool/local-pool/edit');
  await page.getByLabel(/^Description/).fill('Runs anywhere');
  await page.getByRole('button', { name: 'Save' }).click();
  await seen('the pool was edited', async () => (await read()).body.description === 'Runs anywhere');

  await visitor.open('/v2/work-pools/create');
  await page.getByText('Process', { exact: true }).first().click();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByLabel('Name', { exact: true }).fill('second-pool');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('button', { name: /^Create/ }).click();
  await seen('the pool is there', async () => (await api.get('/work_pools/second-pool')).body.type === 'process');
}

async function changeBlocks({ visitor, page, api }: Scene): Promise<void> {
  const read = () => api.get('/block_types/slug/secret/block_documents/name/from-browser');
  await visitor.open('/v2/blocks/catalog/secret/create');
  await page.getByLabel('Name').fill('from-browser');
  await page.locator('input[type=password]').fill('hidden');
  await page.getByRole('button', { name: 'Save' }).click();
  await seen('the block is there', async () => (await read()).status === 200);
  const { id } = (await read()).body;
  await visitor.open(`/v2/blocks/block/${id}`);
  visitor.expectGone(id);
  await pick(page, 'Delete');
  await confirm(page, 'Delete');
  await seen('the block is gone', async () => (await read()).status === 404);
}

async function changeVariables({ visitor, page, api }: Scene): Promise<void> {
  const read = () => api.get('/variables/name/from_browser');
  await visitor.open('/v2/variables');
  await page.getByRole('button', { name: 'Add variable' }).click();
  await dialog(page).getByLabel('Name').fill('from_browser');
  await write(page, '{"a": 1}');
  await confirm(page, 'Create');
  await seen('the variable is there', async () => (await read()).status === 200);
  assert.deepEqual((await read()).body.value, { a: 1 });
  const row = page.getByRole('row').filter({ hasText: 'from_browser' });
  await pick(page, 'Edit', row);
  await write(page, '[2]');
  await confirm(page, 'Save');
  await seen('the variable was edited', async () => JSON.stringify((await read()).body.value) === '[2]');
  await pick(page, 'Delete', row);
  await confirm(page, 'Delete');
  await seen('the variable is gone', async () => (await read()).status === 404);
}

async function changeAutomations({ visitor, page, api, ids }: Scene): Promise<void> {
  const read = () => api.get(`/automations/${ids.automation}`);
  await visitor.open('/v2/automations');
  await page.getByRole('switch').first().click();
  await seen('the automation is off', async () => (await read()).body.enabled === false);
  await visitor.open(`/v2/automations/automation/${ids.automation}/edit`);
  await page.getByRole('button', { name: 'Save & Exit' }).click();
  await page.waitForURL(/\/automations(?:\/automation\/[^/]*)?\/?$/);
  await visitor.open('/v2/automations');
  visitor.expectGone(ids.automation);
  await pick(page, 'Delete');
  await confirm(page, 'Delete');
  await seen('the automation is gone', async () => (await read()).status === 404);
}

async function changeLimits({ visitor, page, api }: Scene): Promise<void> {
  const read = () => api.get('/v2/concurrency_limits/from-browser');
  await visitor.open('/v2/concurrency-limits');
  await page.getByRole('button', { name: /add|create/i }).first().click();
  await dialog(page).getByLabel('Name').fill('from-browser');
  await dialog(page).getByLabel('Concurrency Limit', { exact: true }).fill('7');
  await confirm(page, 'Save');
  await seen('the limit is there', async () => (await read()).body.limit === 7);
  const row = page.getByRole('row').filter({ hasText: 'from-browser' });
  await row.getByRole('switch').click();
  await seen('the limit is off', async () => (await read()).body.active === false);
  await pick(page, 'Delete', row);
  await confirm(page, 'Delete');
  await seen('the limit is gone', async () => (await read()).status === 404);
}

/** Everything that is done, by what it is done to. */
export const scenes: Record<string, (scene: Scene) => Promise<void>> = {
  variables: changeVariables,
  'concurrency limits': changeLimits,
  blocks: changeBlocks,
  'work pools': changePools,
  deployments: changeDeployments,
  'flow runs': changeRuns,
  automations: changeAutomations,
};
