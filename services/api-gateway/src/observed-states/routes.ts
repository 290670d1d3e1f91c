import { z } from 'zod';
import { observedState, observedStateSort } from '@praetor/schema/observed-state';
import { integer } from '@praetor/schema/primitives';
import { type Resource, route } from '../http/route.ts';
import { listObservedStates } from './queries.ts';

const MAXIMUM_LIMIT = 200;

export const observedStates: Resource = {
  prefix: '/observed-states',
  tag: 'Observed States',
  routes: [
    route({
      method: 'get',
      path: '',
      name: 'read_observed_states',
      query: {
        query: z.string().max(100).nullish(),
        order_by: observedStateSort.default('LAST_SEEN_DESC'),
        limit: integer((limit) => limit.min(1).max(MAXIMUM_LIMIT)).default(MAXIMUM_LIMIT),
      },
      response: z.array(observedState),
      status: 200,
      handler: ({ query: { query, order_by, limit } }, { database }) => listObservedStates(database.kysely, query?.trim() ?? '', order_by, limit),
    }),
  ],
};
