import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { type Scene, type Scenes, countRuns, seen, untilThere, waitForState, waitUntilGone } from './scene.ts';

/* What people do in the second web UI. */

const dialog = (page: Page): Locator => page.locator('[role=dialog], [role=alertdialog]').last();

/** What stands for one thing in a list. */
const card = (page: Page, text: string): Locator => page.locator('[data-slot=card]').filter({ hasText: text }).last();

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

/** Deletes the thing whose page is open. */
async function remove({ visitor, page, api }: Scene, id: string, address: string): Promise<void> {
  visitor.allowMissing(id);
  await pick(page, 'Delete');
  await confirm(page, 'Delete');
  await waitUntilGone(api, address);
}

async function changeRuns(scene: Scene): Promise<void> {
  const { visitor, page, api, changing } = scene;
  for (const [run, item, button, state] of [
    [changing.cancellable, 'Cancel', 'Cancel Flow Run', 'CANCELLING'],
    [changing.pausable, 'Pause', 'Pause Flow Run', 'PAUSED'],
    [changing.paused, 'Resume', 'Resume', 'RUNNING'],
    [changing.retriable, 'Retry', 'Retry', 'SCHEDULED'],
  ] as const) {
    await visitor.open(`/v2/runs/flow-run/${run}`);
    await pick(page, item);
    await confirm(page, button);
    await waitForState(api, run, state);
  }
  await visitor.open(`/v2/runs/flow-run/${changing.deletable}`);
  await remove(scene, changing.deletable, `/flow_runs/${changing.deletable}`);
}

async function changeDeployments(scene: Scene): Promise<void> {
  const { visitor, page, api, changing } = scene;
  const address = `/v2/deployments/deployment/${changing.deployment}`;
  const count = () => countRuns(api, changing.deployment);
  await visitor.open(address);
  const before = await count();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Quick run' }).click();
  await confirm(page, 'Run');
  await seen('a run was made', async () => (await count()) > before);

  await page.getByRole('switch', { name: 'toggle Every 6 hours' }).click();
  await seen('the schedule is active', async () => (await api.expect(200, 'GET', `/deployments/${changing.deployment}`)).schedules.every((schedule: { active: boolean }) => schedule.active));

  await visitor.open(`${address}/run`);
  const quick = await count();
  await page.getByRole('button', { name: 'Submit' }).click();
  await seen('another run was made', async () => (await count()) > quick);

  await visitor.open(`${address}/duplicate`);
  await page.getByLabel('Name', { exact: true }).fill('v2-copy');
  await page.getByRole('button', { name: /^(?:Save|Duplicate)$/ }).click();
  const { id } = await untilThere(api, '/deployments/name/clean/v2-copy');
  await visitor.open(`/v2/deployments/deployment/${id}`);
  await remove(scene, id, `/deployments/${id}`);
}

async function changePools({ visitor, page, api, changing }: Scene): Promise<void> {
  const read = () => api.get(`/work_pools/${changing.pool}`);
  await visitor.open('/v2/work-pools');
  for (const isPaused of [true, false]) {
    await card(page, changing.pool).getByRole('switch').click();
    await seen('the pool has changed', async () => (await read()).body.is_paused === isPaused);
  }
  await visitor.open(`/v2/work-pools/work-pool/${changing.pool}/edit`);
  await page.getByLabel(/^Description/).fill('Runs anywhere');
  await page.getByRole('button', { name: 'Save' }).click();
  await seen('the pool was edited', async () => (await read()).body.description === 'Runs anywhere');

  await visitor.open('/v2/work-pools/create');
  await page.getByText('Process', { exact: true }).first().click();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByLabel('Name', { exact: true }).fill('v2-made');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('button', { name: /^Create/ }).click();
  await seen('the pool is there', async () => (await api.get('/work_pools/v2-made')).body.type === 'process');
}

async function changeBlocks(scene: Scene): Promise<void> {
  const { visitor, page, api } = scene;
  const address = '/block_types/slug/secret/block_documents/name/from-v2';
  await visitor.open('/v2/blocks/catalog/secret/create');
  visitor.allowMissing('name/from-v2');
  await page.getByLabel('Name').fill('from-v2');
  await page.locator('input[type=password]').fill('hidden');
  await page.getByRole('button', { name: 'Save' }).click();
  const { id } = await untilThere(api, address);
  await visitor.open(`/v2/blocks/block/${id}`);
  await remove(scene, id, address);
}

async function changeVariables({ visitor, page, api }: Scene): Promise<void> {
  const address = '/variables/name/from_v2';
  const read = () => api.get(address);
  await visitor.open('/v2/variables');
  await page.getByRole('button', { name: 'Add variable' }).click();
  await dialog(page).getByLabel('Name').fill('from_v2');
  await write(page, '{"a": 1}');
  await confirm(page, 'Create');
  await seen('the variable is there', async () => (await read()).status === 200);
  assert.deepEqual((await read()).body.value, { a: 1 });
  const row = page.getByRole('row').filter({ hasText: 'from_v2' });
  await pick(page, 'Edit', row);
  await write(page, '[2]');
  await confirm(page, 'Save');
  await seen('the variable was edited', async () => JSON.stringify((await read()).body.value) === '[2]');
  await pick(page, 'Delete', row);
  await confirm(page, 'Delete');
  await waitUntilGone(api, address);
}

async function changeAutomations({ visitor, page, api, changing }: Scene): Promise<void> {
  const address = `/automations/${changing.automation}`;
  const read = () => api.get(address);
  await visitor.open('/v2/automations');
  await card(page, 'v2-automation').getByRole('switch').click();
  await seen('the automation is off', async () => (await read()).body.enabled === false);
  await visitor.open(`/v2/automations/automation/${changing.automation}/edit`);
  await page.getByRole('button', { name: 'Save & Exit' }).click();
  await page.waitForURL(/\/automations(?:\/automation\/[^/]*)?\/?$/);
  await visitor.open('/v2/automations');
  visitor.allowMissing(changing.automation);
  await pick(page, 'Delete', card(page, 'v2-automation'));
  await confirm(page, 'Delete');
  await waitUntilGone(api, address);
}

async function changeLimits({ visitor, page, api }: Scene): Promise<void> {
  const address = '/v2/concurrency_limits/from-v2';
  const read = () => api.get(address);
  await visitor.open('/v2/concurrency-limits');
  await page.getByRole('button', { name: /add|create/i }).first().click();
  await dialog(page).getByLabel('Name').fill('from-v2');
  await dialog(page).getByLabel('Concurrency Limit', { exact: true }).fill('7');
  await confirm(page, 'Save');
  await seen('the limit is there', async () => (await read()).body.limit === 7);
  const row = page.getByRole('row').filter({ hasText: 'from-v2' });
  await row.getByRole('switch').click();
  await seen('the limit is off', async () => (await read()).body.active === false);
  await pick(page, 'Delete', row);
  await confirm(page, 'Delete');
  await waitUntilGone(api, address);
}

export const scenesV2: Scenes = {
  variables: changeVariables,
  'concurrency limits': changeLimits,
  blocks: changeBlocks,
  'work pools': changePools,
  deployments: changeDeployments,
  'flow runs': changeRuns,
  automations: changeAutomations,
};
