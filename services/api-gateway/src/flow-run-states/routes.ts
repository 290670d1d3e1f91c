import { z } from 'zod';
import { NotFoundError } from '@praetor/schema/errors';
import { uuid } from '@praetor/schema/primitives';
import { state } from '@praetor/schema/state';
import { type Resource, route } from '../http/route.ts';
import { findState, listStates } from '../runs/state-history.ts';

export const flowRunStates: Resource = {
  prefix: '/flow_run_states',
  tag: 'Flow Run States',
  routes: [
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_flow_run_state',
      params: { id: uuid() },
      response: state,
      status: 200,
      handler: async ({ params }, { database }) => {
        const found = await findState(database.kysely, 'flow_run_state', params.id);
        if (found === undefined) throw new NotFoundError('Flow run state not found');
        return found;
      },
    }),
    route({
      method: 'get',
      path: '/',
      name: 'read_flow_run_states',
      query: { flow_run_id: uuid() },
      response: z.array(state),
      status: 200,
      handler: ({ query }, { database }) => listStates(database.kysely, 'flow_run_state', query.flow_run_id),
    }),
  ],
};
