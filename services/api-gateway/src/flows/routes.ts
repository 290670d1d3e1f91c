import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { change, publishEvents } from '@praetor/orchestration/changes';
import { type ServerEvent, eventResource, toOutboxEvent } from '@praetor/orchestration/lifecycle-events';
import { NotFoundError } from '@praetor/schema/errors';
import { flowSort } from '@praetor/schema/filters/flow';
import { workPoolFilter } from '@praetor/schema/filters/work-pool';
import { type Flow, type FlowCreate, flow, flowBulkDeleteResponse, flowCreate, flowUpdate } from '@praetor/schema/flow';
import { uuid } from '@praetor/schema/primitives';
import type { GatewayContext } from '../context.ts';
import { bodyParameters, bulkLimit } from '../http/body.ts';
import { numberedPage, page, pageOf, paginate, readPage } from '../http/pagination.ts';
import { Reply, type Resource, route } from '../http/route.ts';
import { optionalRunFilters, runFilters } from '../runs/filters.ts';
import { countFlows, deleteFlows, findFlow, findOrInsertFlow, listFlows, updateFlow } from './queries.ts';

function toEvent(action: 'created' | 'updated' | 'deleted', { id, name, tags, labels }: Pick<Flow, 'id' | 'name' | 'tags' | 'labels'>): ServerEvent {
  return { event: `prefect.flow.${action}`, resource: eventResource('flow', id, name), payload: { name, tags, labels } };
}

function found(flow: Flow | undefined): Flow {
  if (flow === undefined) throw new NotFoundError('Flow not found');
  return flow;
}

/** Every flow run begins by asking for its flow, which mostly exists. */
async function create(body: FlowCreate, context: GatewayContext): Promise<Reply> {
  const { kysely, sql } = context.database;
  const id = randomUUID();
  const event = toOutboxEvent(toEvent('created', { id, ...body }));
  const flow = found((await findOrInsertFlow(sql, { id, ...body, event })) ?? (await findFlow(kysely, { name: body.name })));
  if (flow.id !== id) return new Reply(200, flow);
  publishEvents(context, [event]);
  return new Reply(201, flow);
}

const remove = (ids: string[], context: GatewayContext) =>
  change(context, async (db, emit) => {
    const deleted = await deleteFlows(db, ids);
    for (const flow of deleted) emit(toEvent('deleted', flow));
    return deleted.map(({ id }) => id);
  });

const byId = { id: uuid() };

const filters = { ...runFilters, work_pools: workPoolFilter.nullish() };
const optionalFilters = { ...optionalRunFilters, work_pools: workPoolFilter.optional() };
const sort = flowSort.default('NAME_ASC');

export const flows: Resource = {
  prefix: '/flows',
  tag: 'Flows',
  routes: [
    route({ method: 'post', path: '/', name: 'create_flow', body: flowCreate, response: flow, status: 200, otherStatuses: [201], handler: ({ body }, context) => create(body, context) }),
    route({
      method: 'patch',
      path: '/{id}',
      name: 'update_flow',
      params: byId,
      body: flowUpdate,
      status: 204,
      handler: ({ params, body }, context) => change(context, async (db, emit) => emit(toEvent('updated', found(await updateFlow(db, params.id, body))))),
    }),
    route({
      method: 'post',
      path: '/count',
      name: 'count_flows',
      body: bodyParameters(optionalFilters),
      response: z.int(),
      status: 200,
      handler: ({ body }, { database }) => countFlows(database.kysely, body),
    }),
    route({
      method: 'get',
      path: '/name/{name}',
      name: 'read_flow_by_name',
      params: { name: z.string() },
      response: flow,
      status: 200,
      handler: async ({ params }, { database }) => found(await findFlow(database.kysely, params)),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_flow',
      params: byId,
      response: flow,
      status: 200,
      handler: async ({ params }, { database }) => found(await findFlow(database.kysely, params)),
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_flows',
      body: bodyParameters({ ...page, ...optionalFilters, sort }),
      response: z.array(flow),
      status: 200,
      handler: ({ body }, context) => listFlows(context.database.kysely, body, body.sort, readPage(body, context)),
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_flow',
      params: byId,
      status: 204,
      handler: async ({ params }, context) => {
        const deleted = await remove([params.id], context);
        if (deleted.length === 0) throw new NotFoundError('Flow not found');
      },
    }),
    route({
      method: 'post',
      path: '/bulk_delete',
      name: 'bulk_delete_flows',
      body: bodyParameters({ flows: filters.flows, limit: bulkLimit() }),
      response: flowBulkDeleteResponse,
      status: 200,
      handler: async ({ body }, context) => {
        const chosen = await listFlows(context.database.kysely, { flows: body.flows }, 'NAME_ASC', { limit: body.limit, offset: 0 });
        return { deleted: await remove(chosen.map(({ id }) => id), context) };
      },
    }),
    route({
      method: 'post',
      path: '/paginate',
      name: 'paginate_flows',
      body: bodyParameters({ ...numberedPage, ...filters, sort }),
      response: pageOf('FlowPaginationResponse', flow),
      status: 200,
      handler: ({ body }, context) => {
        const { kysely } = context.database;
        return paginate(body, context, (page) => listFlows(kysely, body, body.sort, page), () => countFlows(kysely, body));
      },
    }),
  ],
};
