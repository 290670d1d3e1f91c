import { z } from 'zod';
import { NotFoundError } from '@praetor/schema/errors';
import type { JsonObject } from '@praetor/schema/json';
import { jsonObject } from '@praetor/schema/primitives';
import { type Resource, route } from '../http/route.ts';
import { workerMetadata } from './worker-metadata.ts';

const VIEWS: ReadonlyMap<string, JsonObject> = new Map([['aggregate-worker-metadata', workerMetadata]]);

export const collections: Resource = {
  prefix: '/collections',
  tag: 'Collections',
  routes: [
    route({
      method: 'get',
      path: '/views/{view}',
      name: 'read_view_content',
      params: { view: z.string() },
      response: jsonObject(),
      status: 200,
      handler: ({ params }) => {
        const view = VIEWS.get(params.view);
        if (view === undefined) throw new NotFoundError(`View ${params.view} not found in registry`);
        return view;
      },
    }),
  ],
};
