import { z } from 'zod';
import { classifyDatabaseError } from '@praetor/database/errors';
import { ConflictError, NotFoundError } from '@praetor/schema/errors';
import { flowRunInput } from '@praetor/schema/flow-run';
import { integer, uuid, withDefault } from '@praetor/schema/primitives';
import type { GatewayContext } from '../context.ts';
import { Reply, type Route, route } from '../http/route.ts';
import { type NewInput, deleteInput, findInput, insertInput, listInputs } from './inputs.ts';

const byId = { id: uuid() };
const byKey = { ...byId, key: z.string() };

async function create(flowRunId: string, input: NewInput, { database }: GatewayContext): Promise<void> {
  const inserted = await insertInput(database.kysely, flowRunId, input).catch((error: unknown) => {
    throw classifyDatabaseError(error) === 'foreign_key_violation' ? new NotFoundError('Flow run not found') : error;
  });
  if (!inserted) throw new ConflictError('A flow run input with this key already exists.');
}

/** Values kept beside a flow run; see inputs.ts. */
export const inputRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/{id}/input',
    name: 'create_flow_run_input',
    params: byId,
    body: z.object({ key: z.string(), value: z.string(), sender: z.string().nullish() }),
    status: 201,
    handler: ({ params, body }, context) => create(params.id, body, context),
  }),
  route({
    method: 'post',
    path: '/{id}/input/filter',
    name: 'filter_flow_run_input',
    params: byId,
    body: z.object({ prefix: z.string(), limit: withDefault(integer(), () => 1), exclude_keys: withDefault(z.array(z.string()), () => []) }),
    response: z.array(flowRunInput),
    status: 200,
    handler: ({ params, body }, { database }) => listInputs(database.kysely, params.id, body),
  }),
  route({
    method: 'get',
    path: '/{id}/input/{key}',
    name: 'read_flow_run_input',
    params: byKey,
    status: 200,
    handler: async ({ params }, { database }) => {
      const input = await findInput(database.kysely, params.id, params.key);
      if (input === undefined) throw new NotFoundError('Flow run input not found');
      return new Reply(200, input.value, { 'content-type': 'text/plain; charset=utf-8' });
    },
  }),
  route({
    method: 'delete',
    path: '/{id}/input/{key}',
    name: 'delete_flow_run_input',
    params: byKey,
    status: 204,
    handler: async ({ params }, { database }) => {
      if (!(await deleteInput(database.kysely, params.id, params.key))) throw new NotFoundError('Flow run input not found');
    },
  }),
];
