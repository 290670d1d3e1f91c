import { z } from 'zod';
import { change } from '@praetor/orchestration/changes';
import { findDefaultMisfit, referencedBlocks } from '@praetor/parameters/job-variables';
import { ConflictError, ForbiddenError, NotFoundError, UnprocessableError } from '@praetor/schema/errors';
import { workPoolFilter } from '@praetor/schema/filters/work-pool';
import { type FlowRun, flowRun } from '@praetor/schema/flow-run';
import { integer, timestamp, uuid } from '@praetor/schema/primitives';
import { type WorkPoolCreate, type WorkPoolUpdate, workPool, workPoolConcurrency, workPoolCreate, workPoolUpdate } from '@praetor/schema/work-pool';
import type { GatewayContext } from '../context.ts';
import { bodyParameters } from '../http/body.ts';
import { numberedPage, page, readPage } from '../http/pagination.ts';
import { type Resource, route } from '../http/route.ts';
import { workQueueRoutes } from '../work-queues/pool-routes.ts';
import { workerRoutes } from '../workers/routes.ts';
import { changeWorkPool, createWorkPool, removeWorkPool } from './changes.ts';
import { readWorkPoolConcurrency } from './concurrency.ts';
import { poolNotFound } from './placement.ts';
import { countWorkPools, existBlockDocuments, findWorkPool, listWorkPools } from './queries.ts';
import { isReservedName } from './reserved-names.ts';
import { pollWorkPool } from './scheduled-runs.ts';

const byName = { name: z.string() };
const filters = { work_pools: workPoolFilter.nullish() };

const RESERVED = "Names that begin with 'prefect' are kept for Prefect's own work pools.";
/** What may be changed of such a pool. */
const CHANGEABLE_OF_RESERVED: ReadonlySet<string> = new Set(['is_paused', 'concurrency_limit']);

async function create(body: WorkPoolCreate, context: GatewayContext) {
  if (isReservedName(body.name)) throw new ForbiddenError(RESERVED);
  if (!(await existBlockDocuments(context.database.kysely, referencedBlocks(body.base_job_template)))) throw new NotFoundError('Block not found.');
  const misfit = findDefaultMisfit(body.base_job_template);
  if (misfit !== undefined) throw new UnprocessableError(`The defaults of the variables do not fit their schema: ${misfit}`);
  const created = await change(context, (db, emit) => createWorkPool(db, emit, body));
  if (created === undefined) throw new ConflictError('A work pool with this name already exists.');
  return created;
}

async function update(name: string, body: WorkPoolUpdate, context: GatewayContext): Promise<void> {
  const isForbidden = Object.keys(body).some((field) => !CHANGEABLE_OF_RESERVED.has(field));
  if (isReservedName(name) && isForbidden) throw new ForbiddenError(`${RESERVED} They can be paused and limited.`);
  if (!(await change(context, (db, emit) => changeWorkPool(db, emit, name, body)))) throw poolNotFound(name);
}

async function remove(name: string, context: GatewayContext): Promise<void> {
  if (isReservedName(name)) throw new ForbiddenError(RESERVED);
  if (!(await change(context, (db, emit) => removeWorkPool(db, emit, name)))) throw poolNotFound(name);
}

/** A run as workers get it: the pool is named beside it. */
const workerFlowRun = z
  .object({ work_pool_id: uuid(), work_queue_id: uuid(), flow_run: flowRun.omit({ work_pool_id: true, work_pool_name: true }).meta({ id: 'FlowRun' }) })
  .meta({ id: 'WorkerFlowRunResponse' });

export const workPools: Resource = {
  prefix: '/work_pools',
  tag: 'Work Pools',
  routes: [
    route({ method: 'post', path: '/', name: 'create_work_pool', body: workPoolCreate, response: workPool, status: 201, handler: ({ body }, context) => create(body, context) }),
    route({
      method: 'get',
      path: '/{name}',
      name: 'read_work_pool',
      params: byName,
      response: workPool,
      status: 200,
      handler: async ({ params }, { database }) => {
        const pool = await findWorkPool(database.kysely, params.name);
        if (pool === undefined) throw poolNotFound(params.name);
        return pool;
      },
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_work_pools',
      body: bodyParameters({ limit: page.limit, ...filters, offset: page.offset }),
      response: z.array(workPool),
      status: 200,
      handler: ({ body }, context) => listWorkPools(context.database.kysely, body.work_pools, readPage(body, context)),
    }),
    route({
      method: 'post',
      path: '/count',
      name: 'count_work_pools',
      body: bodyParameters(filters),
      response: z.int(),
      status: 200,
      handler: ({ body }, { database }) => countWorkPools(database.kysely, body.work_pools),
    }),
    route({
      method: 'patch',
      path: '/{name}',
      name: 'update_work_pool',
      params: byName,
      body: workPoolUpdate,
      status: 204,
      handler: ({ params, body }, context) => update(params.name, body, context),
    }),
    route({ method: 'delete', path: '/{name}', name: 'delete_work_pool', params: byName, status: 204, handler: ({ params }, context) => remove(params.name, context) }),
    route({
      method: 'post',
      path: '/{name}/concurrency_status',
      name: 'read_work_pool_concurrency_status',
      params: byName,
      body: bodyParameters({ ...numberedPage, flow_run_limit: integer((limit) => limit.min(0).max(200)).default(10) }),
      response: workPoolConcurrency,
      status: 200,
      handler: async ({ params, body }, context) => {
        const { limit } = readPage({ limit: body.limit, offset: 0 }, context);
        const status = await readWorkPoolConcurrency(context.database.kysely, params.name, { limit, page: body.page, flowRunLimit: body.flow_run_limit });
        if (status === undefined) throw poolNotFound(params.name);
        return status;
      },
    }),
    route({
      method: 'post',
      path: '/{name}/get_scheduled_flow_runs',
      name: 'get_scheduled_flow_runs',
      params: byName,
      body: bodyParameters({
        limit: page.limit,
        work_queue_names: z.array(z.string()).optional(),
        scheduled_before: timestamp().optional(),
        scheduled_after: timestamp().optional(),
      }),
      response: z.array(workerFlowRun),
      status: 200,
      handler: async ({ params, body }, context) => {
        const { limit } = readPage({ limit: body.limit, offset: 0 }, context);
        const { scheduled_before: scheduledBefore, scheduled_after: scheduledAfter } = body;
        const { workPoolId, runs } = await pollWorkPool(context, { poolName: params.name, queueNames: body.work_queue_names ?? [], scheduledBefore, scheduledAfter, limit });
        // JSON leaves out what is undefined, and a copy of all keys is made many times faster than one of all but two.
        const withoutPool = (run: FlowRun) => ({ ...run, work_pool_id: undefined, work_pool_name: undefined });
        return runs.map((run) => ({ work_pool_id: workPoolId, work_queue_id: run.work_queue_id, flow_run: withoutPool(run) }));
      },
    }),
    ...workQueueRoutes,
    ...workerRoutes,
  ],
};
