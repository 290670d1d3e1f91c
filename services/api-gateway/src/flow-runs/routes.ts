import { z } from 'zod';
import { flowRunConditions } from '@praetor/database/filter/related';
import { publishEvents } from '@praetor/orchestration/changes';
import { deleteFlowRuns } from '@praetor/orchestration/delete-runs';
import { randomRunName } from '@praetor/orchestration/names';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import { checkParameterSize } from '@praetor/parameters/size';
import { NotFoundError } from '@praetor/schema/errors';
import { flowRunSort } from '@praetor/schema/filters/flow-run';
import { workPoolFilter, workQueueFilter } from '@praetor/schema/filters/work-pool';
import { type FlowRun, type FlowRunCreate, type FlowRunUpdate, flowRun, flowRunBulkDeleteResponse, flowRunCreate, flowRunUpdate } from '@praetor/schema/flow-run';
import { jsonObject, uuid } from '@praetor/schema/primitives';
import { historyInterval, historyRange } from '@praetor/schema/run-history';
import type { GatewayContext } from '../context.ts';
import { bodyParameters, bulkLimit } from '../http/body.ts';
import { automationHeaders, causingAutomation } from '../http/client.ts';
import { numberedPage, page, pageOf, paginate, readPage } from '../http/pagination.ts';
import { Reply, type Resource, route } from '../http/route.ts';
import { runFilters } from '../runs/filters.ts';
import { readHistory } from '../runs/history.ts';
import { createFromRequest } from './creation.ts';
import { graphRoutes } from './graph-routes.ts';
import { inputRoutes } from './input-routes.ts';
import { checkJobVariables } from './job-variables.ts';
import { logDownloadRoute } from './log-download.ts';
import { averageLateness, countFlowRuns, findFlowRun, listFlowRuns, mergeFlowRunLabels, updateFlowRun } from './queries.ts';
import { stateRoutes } from './state-routes.ts';

const byId = { id: uuid() };
const filters = { ...runFilters, work_pools: workPoolFilter.nullish(), work_pool_queues: workQueueFilter.nullish() };
const sort = flowRunSort.default('ID_DESC');

function found(run: FlowRun | undefined): FlowRun {
  if (run === undefined) throw new NotFoundError('Flow run not found');
  return run;
}

async function create(body: FlowRunCreate, createdBy: ReturnType<typeof causingAutomation>, context: GatewayContext): Promise<Reply> {
  const { id, created, events } = await createFromRequest(context, body, createdBy);
  publishEvents(context, events);
  return new Reply(created ? 201 : 200, found(await findFlowRun(context.database.kysely, id)));
}

async function update(id: string, { name, ...changes }: FlowRunUpdate, context: GatewayContext): Promise<void> {
  const { kysely } = context.database;
  checkParameterSize(changes.parameters, context.settings);
  if (changes.job_variables) await checkJobVariables(kysely, id, changes.job_variables);
  const isUpdated = await updateFlowRun(kysely, id, { ...changes, ...(name !== undefined && { name: name || randomRunName() }) });
  if (!isUpdated) throw new NotFoundError('Flow run not found');
}

const remove = (ids: string[], { database, settings }: GatewayContext) => deleteFlowRuns(database, ids, orchestrationSettings(settings));

export const flowRuns: Resource = {
  prefix: '/flow_runs',
  tag: 'Flow Runs',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_flow_run',
      headerParameters: automationHeaders,
      body: flowRunCreate,
      response: flowRun,
      status: 200,
      otherStatuses: [201],
      handler: ({ body, headers }, context) => create(body, causingAutomation(headers), context),
    }),
    route({ method: 'patch', path: '/{id}', name: 'update_flow_run', params: byId, body: flowRunUpdate, status: 204, handler: ({ params, body }, context) => update(params.id, body, context) }),
    route({
      method: 'post',
      path: '/count',
      name: 'count_flow_runs',
      body: bodyParameters(filters),
      response: z.int(),
      status: 200,
      handler: ({ body }, { database }) => countFlowRuns(database.kysely, body),
    }),
    route({
      method: 'post',
      path: '/lateness',
      name: 'average_flow_run_lateness',
      body: bodyParameters(filters),
      response: z.number().nullable(),
      status: 200,
      handler: ({ body }, { database }) => averageLateness(database.kysely, body),
    }),
    route({
      method: 'post',
      path: '/history',
      name: 'flow_run_history',
      // Here alone the filter on queues is called `work_queues`.
      body: bodyParameters({ ...historyRange, ...runFilters, work_pools: filters.work_pools, work_queues: filters.work_pool_queues }),
      response: z.array(historyInterval),
      status: 200,
      handler: ({ body }, { database }) => readHistory(database.kysely, 'flow_run', flowRunConditions({ ...body, work_pool_queues: body.work_queues }), body),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_flow_run',
      params: byId,
      response: flowRun,
      status: 200,
      handler: async ({ params }, { database }) => found(await findFlowRun(database.kysely, params.id)),
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_flow_runs',
      body: bodyParameters({ limit: page.limit, sort, offset: page.offset, ...filters }),
      response: z.array(flowRun),
      status: 200,
      handler: ({ body }, context) => listFlowRuns(context.database.kysely, body, body.sort, readPage(body, context)),
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_flow_run',
      params: byId,
      status: 204,
      handler: async ({ params }, context) => {
        const deleted = await remove([params.id], context);
        if (deleted.length === 0) throw new NotFoundError('Flow run not found');
      },
    }),
    route({
      method: 'post',
      path: '/bulk_delete',
      name: 'bulk_delete_flow_runs',
      body: bodyParameters({ flow_runs: runFilters.flow_runs, limit: bulkLimit() }),
      response: flowRunBulkDeleteResponse,
      status: 200,
      handler: async ({ body }, context) => {
        const runs = await listFlowRuns(context.database.kysely, { flow_runs: body.flow_runs }, 'ID_DESC', { limit: body.limit, offset: 0 });
        return { deleted: await remove(runs.map(({ id }) => id), context) };
      },
    }),
    route({
      method: 'post',
      path: '/paginate',
      name: 'paginate_flow_runs',
      body: bodyParameters({ limit: numberedPage.limit, sort, page: numberedPage.page, ...filters }),
      response: pageOf('FlowRunPaginationResponse', flowRun),
      status: 200,
      handler: ({ body }, context) => {
        const { kysely } = context.database;
        return paginate(body, context, (page) => listFlowRuns(kysely, body, body.sort, page), () => countFlowRuns(kysely, body));
      },
    }),
    route({
      method: 'patch',
      path: '/{id}/labels',
      name: 'update_flow_run_labels',
      params: byId,
      body: jsonObject(),
      status: 204,
      handler: async ({ params, body }, { database }) => {
        const isUpdated = await mergeFlowRunLabels(database.kysely, params.id, body);
        if (!isUpdated) throw new NotFoundError(`Flow run with id ${params.id} not found`, 'exception_message');
      },
    }),
    ...stateRoutes,
    ...inputRoutes,
    ...graphRoutes,
    logDownloadRoute,
  ],
};
