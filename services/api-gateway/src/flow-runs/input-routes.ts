import { z } from 'zod';
import { classifyDatabaseError } from '@praetor/database/errors';
import { ConflictError, NotFoundError } from '@praetor/schema/errors';
import { flowRunInput } from '@praetor/schema/flow-run';
import { integer, uuid } from '@praetor/schema/primitives';
import { refuse } from '@praetor/schema/problem';
import type { GatewayContext } from '../context.ts';
import { bodyParameters } from '../http/body.ts';
import { Reply, type Route, route } from '../http/route.ts';
import { type NewInput, deleteInput, findInput, insertInput, listInputs } from './inputs.ts';

/** Text; pydantic takes it for bytes. */
const bytes = () =>
  z
    .preprocess(
      (value, context) => (typeof value === 'string' || value === undefined ? value : refuse(context, value, 'bytes_type', 'Input should be a valid bytes')),
      z.string(),
    )
    .meta({ contentMediaType: 'application/octet-stream' });

const byId = { id: uuid() };
const inputKey = z.string().refine((key) => /^[a-z0-9-]*$/.test(key), 'A key consists of lowercase letters, digits and dashes.');
const byKey = { ...byId, key: z.string() };

async function create(flowRunId: string, input: NewInput, { database }: GatewayContext): Promise<void> {
  const inserted = await insertInput(database.kysely, flowRunId, input).catch((error: unknown) => {
    throw classifyDatabaseError(error) === 'foreign_key_violation' ? new NotFoundError('Flow run not found') : error;
  });
  if (!inserted) throw new ConflictError('The run has an input of this key.');
}

/** Values kept beside a flow run; see inputs.ts. */
export const inputRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/{id}/input',
    name: 'create_flow_run_input',
    params: byId,
    body: bodyParameters({ key: inputKey, value: bytes(), sender: z.string().nullish() }),
    status: 201,
    handler: ({ params, body }, context) => create(params.id, body, context),
  }),
  route({
    method: 'post',
    path: '/{id}/input/filter',
    name: 'filter_flow_run_input',
    params: byId,
    body: bodyParameters({ prefix: z.string(), limit: integer().default(1), exclude_keys: z.array(z.string()).default([]).meta({ default: [] }) }),
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
