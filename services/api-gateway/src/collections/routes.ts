import { z } from 'zod';
import { NotFoundError } from '@praetor/schema/errors';
import { type Resource, route } from '../http/route.ts';
import { blockMetadata } from './block-metadata.ts';
import { workerMetadata } from './worker-metadata.ts';

/** Prefect fetches these from a registry on the internet. Of flows of other packages, and of examples, this server knows none. */
const VIEWS = new Map<string, object>([
  ['aggregate-worker-metadata', workerMetadata],
  ['aggregate-block-metadata', blockMetadata],
  ['aggregate-flow-metadata', {}],
  ['demo-flows', {}],
]);

export const collections: Resource = {
  prefix: '/collections',
  tag: 'Collections',
  routes: [
    route({
      method: 'get',
      path: '/views/{view}',
      name: 'read_view_content',
      params: { view: z.string() },
      response: z.record(z.string(), z.unknown()),
      status: 200,
      handler: ({ params }) => {
        const view = VIEWS.get(params.view);
        if (view === undefined) throw new NotFoundError(`View ${params.view} not found in registry`);
        return { ...view };
      },
    }),
  ],
};
