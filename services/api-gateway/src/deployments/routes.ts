import { z } from 'zod';
import { deploymentConditions } from '@praetor/database/filter/related';
import { change } from '@praetor/orchestration/changes';
import { checkParameterSize } from '@praetor/parameters/size';
import {
  type Deployment,
  type DeploymentCreate,
  deployment,
  deploymentBulkDeleteResponse,
  deploymentCreate,
  deploymentUpdate,
} from '@praetor/schema/deployment';
import { NotFoundError } from '@praetor/schema/errors';
import { deploymentSort } from '@praetor/schema/filters/deployment';
import { workPoolFilter, workQueueFilter } from '@praetor/schema/filters/work-pool';
import { uuid } from '@praetor/schema/primitives';
import type { GatewayContext } from '../context.ts';
import { bodyParameters, bulkLimit } from '../http/body.ts';
import { numberedPage, page, pageOf, paginate, readPage } from '../http/pagination.ts';
import { Reply, type Resource, route } from '../http/route.ts';
import { runFilters } from '../runs/filters.ts';
import { changeDeployment, createDeployment, removeDeployments } from './changes.ts';
import { countDeployments, findDeployment, listDeployments } from './queries.ts';
import { runRoutes } from './run-routes.ts';
import { checkMaximumRuns } from './schedules.ts';
import { scheduleRoutes } from './schedule-routes.ts';

const byId = { id: uuid() };
const filters = { ...runFilters, work_pools: workPoolFilter.nullish(), work_pool_queues: workQueueFilter.nullish() };
const sort = deploymentSort.default('NAME_ASC');

function found(deployment: Deployment | undefined): Deployment {
  if (deployment === undefined) throw new NotFoundError('Deployment not found');
  return deployment;
}

async function create(body: DeploymentCreate, sent: unknown, context: GatewayContext): Promise<Reply> {
  checkParameterSize(body.parameters, context.settings);
  for (const [index, schedule] of body.schedules.entries()) checkMaximumRuns(schedule, ['schedules', index], sent, context);
  const { id, isNew } = await change(context, (db, emit) => createDeployment(db, emit, body));
  return new Reply(isNew ? 201 : 200, found(await findDeployment(context.database.kysely, { id })));
}

export const deployments: Resource = {
  prefix: '/deployments',
  tag: 'Deployments',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_deployment',
      body: deploymentCreate,
      response: deployment,
      status: 200,
      otherStatuses: [201],
      handler: ({ body, sent }, context) => create(body, sent, context),
    }),
    route({
      method: 'patch',
      path: '/{id}',
      name: 'update_deployment',
      params: byId,
      body: deploymentUpdate,
      status: 204,
      handler: ({ params, body, sent }, context) => {
        checkParameterSize(body.parameters ?? undefined, context.settings);
        for (const [index, schedule] of (body.schedules ?? []).entries()) checkMaximumRuns(schedule, ['schedules', index], sent, context);
        return change(context, (db, emit) => changeDeployment(db, emit, params.id, body));
      },
    }),
    route({
      method: 'get',
      path: '/name/{flow_name}/{deployment_name}',
      name: 'read_deployment_by_name',
      params: { flow_name: z.string(), deployment_name: z.string() },
      response: deployment,
      status: 200,
      handler: async ({ params }, { database }) => found(await findDeployment(database.kysely, params)),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_deployment',
      params: byId,
      response: deployment,
      status: 200,
      handler: async ({ params }, { database }) => found(await findDeployment(database.kysely, params)),
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_deployments',
      body: bodyParameters({ ...page, ...filters, sort }),
      response: z.array(deployment),
      status: 200,
      handler: ({ body }, context) => listDeployments(context.database.kysely, deploymentConditions(body), body.sort, readPage(body, context)),
    }),
    route({
      method: 'post',
      path: '/paginate',
      name: 'paginate_deployments',
      body: bodyParameters({ ...numberedPage, ...filters, sort }),
      response: pageOf('DeploymentPaginationResponse', deployment),
      status: 200,
      handler: ({ body }, context) => {
        const { kysely } = context.database;
        const condition = deploymentConditions(body);
        return paginate(
          body,
          context,
          (page) => listDeployments(kysely, condition, body.sort, page),
          () => countDeployments(kysely, condition),
        );
      },
    }),
    route({
      method: 'post',
      path: '/count',
      name: 'count_deployments',
      body: bodyParameters(filters),
      response: z.int(),
      status: 200,
      handler: ({ body }, { database }) => countDeployments(database.kysely, deploymentConditions(body)),
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_deployment',
      params: byId,
      status: 204,
      handler: async ({ params }, context) => {
        const deleted = await change(context, (db, emit) => removeDeployments(db, emit, [params.id]));
        if (deleted.length === 0) throw new NotFoundError('Deployment not found');
      },
    }),
    route({
      method: 'post',
      path: '/bulk_delete',
      name: 'bulk_delete_deployments',
      body: bodyParameters({ deployments: filters.deployments, limit: bulkLimit() }),
      response: deploymentBulkDeleteResponse,
      status: 200,
      handler: ({ body: { deployments, limit } }, context) =>
        change(context, async (db, emit) => {
          const selected = await listDeployments(db, deploymentConditions({ deployments }), 'NAME_ASC', { limit, offset: 0 });
          return { deleted: await removeDeployments(db, emit, selected.map(({ id }) => id)) };
        }),
    }),
    ...scheduleRoutes,
    ...runRoutes,
  ],
};
