import { z } from 'zod';
import { change } from '@praetor/orchestration/changes';
import { eventResource, type ServerEvent } from '@praetor/orchestration/lifecycle-events';
import { ConflictError, NotFoundError } from '@praetor/schema/errors';
import { uuid } from '@praetor/schema/primitives';
import { type Variable, type VariableUpdate, variable, variableCreate, variableFilter, variableSort, variableUpdate } from '@praetor/schema/variable';
import type { GatewayContext } from '../context.ts';
import { refuseNulls } from '../errors.ts';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { type Resource, route } from '../http/route.ts';
import { countVariables, deleteVariable, findVariable, insertVariable, listVariables, updateVariable, type VariableKey } from './queries.ts';

function toEvent(action: 'created' | 'updated' | 'deleted', { id, name, value, tags }: Variable): ServerEvent {
  return { event: `prefect.variable.${action}`, resource: eventResource('variable', id, name), payload: { name, value, tags } };
}

function found(variable: Variable | undefined): Variable {
  if (variable === undefined) throw new NotFoundError('Variable not found.');
  return variable;
}

/* A variable has two addresses; what happens there is the same. */
const byId = { id: uuid() };
const byName = { name: z.string() };

const read = async ({ params }: { params: VariableKey }, { database }: GatewayContext) => found(await findVariable(database.kysely, params));

const update = ({ params, body }: { params: VariableKey; body: VariableUpdate }, context: GatewayContext) =>
  change(context, async (db, emit) => emit(toEvent('updated', found(await updateVariable(db, params, refuseNulls(body, 'value'))))));

const remove = ({ params }: { params: VariableKey }, context: GatewayContext) =>
  change(context, async (db, emit) => emit(toEvent('deleted', found(await deleteVariable(db, params)))));

const filters = { variables: variableFilter.nullish() };

export const variables: Resource = {
  prefix: '/variables',
  tag: 'Variables',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_variable',
      body: variableCreate,
      response: variable,
      status: 201,
      handler: ({ body }, context) =>
        change(context, async (db, emit) => {
          const created = await insertVariable(db, body);
          if (created === undefined) throw new ConflictError(`A variable named '${body.name}' exists already.`);
          emit(toEvent('created', created));
          return created;
        }),
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_variables',
      body: bodyParameters({ ...page, ...filters, sort: variableSort.default('NAME_ASC') }),
      response: z.array(variable),
      status: 200,
      handler: ({ body }, context) => listVariables(context.database.kysely, body.variables, body.sort, readPage(body, context)),
    }),
    route({
      method: 'post',
      path: '/count',
      name: 'count_variables',
      body: bodyParameters(filters),
      response: z.int(),
      status: 200,
      handler: ({ body }, { database }) => countVariables(database.kysely, body.variables),
    }),
    route({ method: 'get', path: '/{id}', name: 'read_variable', params: byId, response: variable, status: 200, handler: read }),
    route({ method: 'patch', path: '/{id}', name: 'update_variable', params: byId, body: variableUpdate, status: 204, handler: update }),
    route({ method: 'delete', path: '/{id}', name: 'delete_variable', params: byId, status: 204, handler: remove }),
    route({ method: 'get', path: '/name/{name}', name: 'read_variable_by_name', params: byName, response: variable, status: 200, handler: read }),
    route({ method: 'patch', path: '/name/{name}', name: 'update_variable_by_name', params: byName, body: variableUpdate, status: 204, handler: update }),
    route({ method: 'delete', path: '/name/{name}', name: 'delete_variable_by_name', params: byName, status: 204, handler: remove }),
  ],
};
