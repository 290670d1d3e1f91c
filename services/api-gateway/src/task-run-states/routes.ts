import { z } from 'zod';
import { NotFoundError } from '@praetor/schema/errors';
import { uuid } from '@praetor/schema/primitives';
import { state } from '@praetor/schema/state';
import { type Resource, route } from '../http/route.ts';
import { findState, listStates } from '../runs/state-history.ts';

export const taskRunStates: Resource = {
  prefix: '/task_run_states',
  tag: 'Task Run States',
  routes: [
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_task_run_state',
      params: { id: uuid() },
      response: state,
      status: 200,
      handler: async ({ params }, { database }) => {
        const found = await findState(database.kysely, 'task_run_state', params.id);
        if (found === undefined) throw new NotFoundError('Task run state not found');
        return found;
      },
    }),
    route({
      method: 'get',
      path: '/',
      name: 'read_task_run_states',
      query: { task_run_id: uuid() },
      response: z.array(state),
      status: 200,
      handler: ({ query }, { database }) => listStates(database.kysely, 'task_run_state', query.task_run_id),
    }),
  ],
};
