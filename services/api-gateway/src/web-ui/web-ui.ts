import type { RequestHandler } from 'express';
import type { GatewayContext } from '../context.ts';
import { type Bundles, openBundles } from './bundles.ts';
import { createWebUiRouter } from './router.ts';

export interface WebUi extends AsyncDisposable {
  readonly handler: RequestHandler;
}

async function open({ settings: { ui }, logger }: Pick<GatewayContext, 'settings' | 'logger'>): Promise<Bundles | undefined> {
  const location = ui.staticDirectory;
  if (!ui.enabled || location === undefined) return undefined;
  try {
    const bundles = await openBundles(location);
    if (bundles.byVersion.size === 0) logger.warn({ location }, 'no web UI here: neither a prefect package, nor its wheel');
    return bundles;
  } catch (error) {
    // The API is worth serving without.
    logger.warn({ location, error }, 'cannot read the web UI');
    return undefined;
  }
}

/** The web UI where the settings name one, else a line that says where the API is. */
export async function openWebUi(context: Pick<GatewayContext, 'settings' | 'logger'>): Promise<WebUi> {
  const bundles = await open(context);
  return {
    handler: createWebUiRouter(context.settings, bundles?.byVersion ?? new Map()),
    async [Symbol.asyncDispose]() {
      await bundles?.[Symbol.asyncDispose]();
    },
  };
}
