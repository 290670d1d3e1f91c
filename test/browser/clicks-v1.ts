import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { type Scene, type Scenes, countRuns, seen, untilThere, waitForState, waitUntilGone } from './scene.ts';

/* What people do in the first web UI. Its labels and buttons of menus have no names of their own, so classes find them. */

const dialog = (page: Page): Locator => page.locator('.p-modal');

/** What stands for one thing in a list. */
const card = (page: Page, text: string): Locator => page.locator('.p-card, .p-list-item, tr').filter({ hasText: text }).last();

/** The input below a label, which begins so. */
const field = (within: Page | Locator, label: string): Locator =>
  within.locator(`.p-label:visible:has(> .p-label__header :text-matches("^${label}"))`).last().locator('input, textarea').first();

/** Opens a menu and picks an item. It is behind the last of the small buttons of a page or card. */
async function pick(page: Page, item: string, within: Locator = page.locator('.page-heading')): Promise<void> {
  await within.locator('button.w-10').last().click();
  await page.locator('.p-overflow-menu-item').getByText(item, { exact: true }).click();
}

/** Presses a button of the page, and the one that says so in the dialog which asks. */
async function press(page: Page, button: string, confirmation: string): Promise<void> {
  await page.getByRole('button', { name: button, exact: true }).click();
  await confirm(page, confirmation);
}

async function confirm(page: Page, button: string): Promise<void> {
  await dialog(page).getByRole('button', { name: button, exact: true }).click();
}

/** A select opens when it is entered, and closes when it is clicked then. */
async function select(page: Page, control: Locator, option: string): Promise<void> {
  await control.focus();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('option', { name: option, exact: true }).click();
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
  for (const [run, button, confirmation, state] of [
    [changing.cancellable, 'Cancel', 'Confirm', 'CANCELLING'],
    [changing.pausable, 'Suspend', 'Submit', 'PAUSED'],
    [changing.paused, 'Resume', 'Submit', 'RUNNING'],
    [changing.retriable, 'Retry', 'Retry', 'SCHEDULED'],
  ] as const) {
    await visitor.open(`/runs/flow-run/${run}`);
    await press(page, button, confirmation);
    await waitForState(api, run, state);
  }
  await visitor.open(`/runs/flow-run/${changing.deletable}`);
  await pick(page, 'Change state');
  await select(page, dialog(page).locator('.p-select-button__control').first(), 'Completed');
  await confirm(page, 'Change');
  await waitForState(api, changing.deletable, 'COMPLETED');
  await remove(scene, changing.deletable, `/flow_runs/${changing.deletable}`);
}

async function changeDeployments(scene: Scene): Promise<void> {
  const { visitor, page, api, changing } = scene;
  const address = `/deployments/deployment/${changing.deployment}`;
  const count = () => countRuns(api, changing.deployment);
  await visitor.open(address);
  const before = await count();
  await page.locator('.run-menu__run-button').click();
  await page.locator('.p-overflow-menu-item').getByText('Quick run').click();
  await confirm(page, 'Run');
  await seen('a run was made', async () => (await count()) > before);

  for (const active of [true, false]) {
    await page.getByRole('switch').first().click();
    await seen('the schedule has changed', async () => (await api.expect(200, 'GET', `/deployments/${changing.deployment}`)).schedules[0].active === active);
  }

  await visitor.open(`${address}/run`);
  const quick = await count();
  await page.getByRole('button', { name: 'Submit' }).click();
  await seen('another run was made', async () => (await count()) > quick);

  await visitor.open(`${address}/edit`);
  await field(page, 'Description').fill('Tidies up');
  await page.getByRole('button', { name: 'Save' }).click();
  await seen('the deployment was edited', async () => (await api.expect(200, 'GET', `/deployments/${changing.deployment}`)).description === 'Tidies up');

  await visitor.open(`${address}/duplicate`);
  await field(page, 'Name').fill('v1-copy');
  await page.getByRole('button', { name: 'Save' }).click();
  const { id } = await untilThere(api, '/deployments/name/clean/v1-copy');
  await visitor.open(`/deployments/deployment/${id}`);
  await remove(scene, id, `/deployments/${id}`);
}

async function changePools({ visitor, page, api, changing }: Scene): Promise<void> {
  const read = () => api.get(`/work_pools/${changing.pool}`);
  await visitor.open('/work-pools');
  for (const isPaused of [true, false]) {
    await card(page, changing.pool).getByRole('switch').click();
    await seen('the pool has changed', async () => (await read()).body.is_paused === isPaused);
  }
  await visitor.open(`/work-pools/work-pool/${changing.pool}/edit`);
  await field(page, 'Description').fill('Runs anywhere');
  await page.getByRole('button', { name: 'Save' }).click();
  await seen('the pool was edited', async () => (await read()).body.description === 'Runs anywhere');

  await visitor.open('/work-pools/create');
  await page.locator('input[type=radio][value=process]').check();
  await page.getByRole('button', { name: 'Next' }).click();
  await field(page, 'Name').fill('v1-made');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('button', { name: 'Create' }).click();
  await seen('the pool is there', async () => (await api.get('/work_pools/v1-made')).body.type === 'process');
  visitor.allowMissing('v1-made');
  await visitor.open('/work-pools');
  await pick(page, 'Delete', card(page, 'v1-made'));
  await confirm(page, 'Delete');
  await waitUntilGone(api, '/work_pools/v1-made');
}

async function changeBlocks(scene: Scene): Promise<void> {
  const { visitor, page, api } = scene;
  const address = '/block_types/slug/secret/block_documents/name/from-v1';
  await visitor.open('/blocks/catalog/secret/create');
  await field(page, 'Block Name').fill('from-v1');
  await page.locator('.schema-form-property textarea').fill('hidden');
  await page.getByRole('button', { name: 'Create' }).click();
  const { id } = await untilThere(api, address);
  await visitor.open(`/blocks/block/${id}`);
  await remove(scene, id, address);
}

async function changeVariables({ visitor, page, api }: Scene): Promise<void> {
  const address = '/variables/name/from_v1';
  const read = () => api.get(address);
  await visitor.open('/variables');
  await page.locator('.page-heading').getByRole('button').first().click();
  visitor.allowMissing('from_v1');
  await field(dialog(page), 'Name').fill('from_v1');
  await field(dialog(page), 'Value').fill('{"a": 1}');
  await confirm(page, 'Create');
  await seen('the variable is there', async () => (await read()).status === 200);
  assert.deepEqual((await read()).body.value, { a: 1 });
  await pick(page, 'Edit', card(page, 'from_v1'));
  await field(dialog(page), 'Value').fill('[2]');
  await confirm(page, 'Save');
  await seen('the variable was edited', async () => JSON.stringify((await read()).body.value) === '[2]');
  await pick(page, 'Delete', card(page, 'from_v1'));
  await confirm(page, 'Delete');
  await waitUntilGone(api, address);
}

async function changeAutomations({ visitor, page, api, changing }: Scene): Promise<void> {
  const address = `/automations/${changing.automation}`;
  const read = () => api.get(address);
  await visitor.open('/automations');
  await card(page, 'v1-automation').getByRole('switch').click();
  await seen('the automation is off', async () => (await read()).body.enabled === false);
  visitor.allowMissing(changing.automation);
  await pick(page, 'Delete', card(page, 'v1-automation'));
  await confirm(page, 'Delete');
  await waitUntilGone(api, address);

  const control = page.locator('.p-select-button__control:visible').first();
  await visitor.open('/automations/create');
  await select(page, control, 'Work pool status');
  await page.getByRole('button', { name: 'Next' }).click();
  await select(page, control, 'Pause a work pool');
  await page.getByRole('button', { name: 'Next' }).click();
  await field(page, 'Automation Name').fill('v1-made');
  await page.getByRole('button', { name: 'Save' }).click();
  const found = async () => (await api.expect(200, 'POST', '/automations/filter', { automations: { name: { any_: ['v1-made'] } } }))[0];
  await seen('the automation is there', async () => (await found())?.actions[0].type === 'pause-work-pool');
}

async function changeLimits({ visitor, page, api }: Scene): Promise<void> {
  const address = '/v2/concurrency_limits/from-v1';
  const read = () => api.get(address);
  await visitor.open('/concurrency-limits?tab=Global');
  await page.locator('button.w-10:visible').first().click();
  await field(dialog(page), 'Name').fill('from-v1');
  await field(dialog(page), 'Concurrency Limit').fill('7');
  await confirm(page, 'Create');
  await seen('the limit is there', async () => (await read()).body.limit === 7);
  await card(page, 'from-v1').getByRole('switch').click();
  await seen('the limit is off', async () => (await read()).body.active === false);
  await pick(page, 'Edit', card(page, 'from-v1'));
  await field(dialog(page), 'Concurrency Limit').fill('8');
  await confirm(page, 'Update');
  await seen('the limit was edited', async () => (await read()).body.limit === 8);
  await pick(page, 'Delete', card(page, 'from-v1'));
  await confirm(page, 'Delete');
  await waitUntilGone(api, address);
}

export const scenesV1: Scenes = {
  variables: changeVariables,
  'concurrency limits': changeLimits,
  blocks: changeBlocks,
  'work pools': changePools,
  deployments: changeDeployments,
  'flow runs': changeRuns,
  automations: changeAutomations,
};
