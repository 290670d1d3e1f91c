import type { Page } from 'playwright-core';
import type { Api } from '@praetor/test/support/api';
import { until } from '@praetor/test/support/poll';
import type { Changing } from './pages.ts';
import type { Visitor } from './visitor.ts';

/* What people do in a web UI, and what the API then says. */

/** Where something is done: `changing` is what may be changed there. */
export interface Scene {
  visitor: Visitor;
  page: Page;
  api: Api;
  changing: Changing;
}

/** Everything that is done in an application, by what it is done to. */
export type Scenes = Readonly<Record<string, (scene: Scene) => Promise<void>>>;

/** Waits for what the API says; browsers take their time on a small machine. */
export const seen = (what: string, ask: () => Promise<boolean>) => until(what, ask, 30);

/** Waits until a flow run is in a state. */
export async function waitForState(api: Api, run: string, state: string): Promise<void> {
  await seen(`run ${run} is ${state}`, async () => (await api.expect(200, 'GET', `/flow_runs/${run}`)).state_type === state);
}

/** Waits until something answers at an address of the API; gives it. */
export async function untilThere(api: Api, address: string) {
  await seen(`${address} is there`, async () => (await api.get(address)).status === 200);
  return await api.expect(200, 'GET', address);
}

/** Waits until nothing answers at an address of the API any more. */
export async function waitUntilGone(api: Api, address: string): Promise<void> {
  await seen(`${address} is gone`, async () => (await api.get(address)).status === 404);
}

/** How many runs people made of a deployment: those of its schedules have a tag. */
export async function countRuns(api: Api, deployment: string): Promise<number> {
  return (await api.expect(200, 'POST', '/flow_runs/count', { flow_runs: { deployment_id: { any_: [deployment] }, tags: { is_null_: true } } })) as number;
}
