import { sql } from 'kysely';
import { z } from 'zod';
import { workQueueCondition } from '@praetor/database/filter/resources';
import { change } from '@praetor/orchestration/changes';
import { markDeploymentsPolled, markQueuesPolled } from '@praetor/orchestration/readiness';
import { readWorkQueueHealth } from '@praetor/orchestration/work-queue-health';
import { ConflictError, NotFoundError } from '@praetor/schema/errors';
import { workQueueFilter } from '@praetor/schema/filters/work-pool';
import { flowRun } from '@praetor/schema/flow-run';
import { boolean, timestamp, uuid } from '@praetor/schema/primitives';
import { type WorkQueue, type WorkQueueCreate, workQueue, workQueueConcurrency, workQueueCreate, workQueueHealth, workQueueUpdate } from '@praetor/schema/work-queue';
import type { GatewayContext } from '../context.ts';
import { bodyParameters } from '../http/body.ts';
import { numberedPage, page, paginate, readPage } from '../http/pagination.ts';
import { type Resource, route } from '../http/route.ts';
import { DEFAULT_POOL, requireDefaultPool } from '../work-pools/placement.ts';
import { addWorkQueue, changeWorkQueue, removeWorkQueue } from './changes.ts';
import { QUEUE_SLOT_STATES, findWorkQueue, listWorkQueues } from './queries.ts';
import { selectDueRuns } from './scheduled-runs.ts';
import { countHolders, listHolders } from './slots.ts';

const byId = { id: uuid() };

function found(queue: WorkQueue | undefined, message = 'work queue not found', style?: 'exception_message'): WorkQueue {
  if (queue === undefined) throw new NotFoundError(message, style);
  return queue;
}

/** A queue of the default pool, where another request may be about to create that pool with this very queue. */
function create(body: WorkQueueCreate, context: GatewayContext): Promise<WorkQueue> {
  return change(context, async (db, emit) => {
    const { pool, isNew } = await requireDefaultPool(db, emit);
    if (isNew && body.name === 'default') return found(await findWorkQueue(db, { work_pool_name: DEFAULT_POOL, name: 'default' }, QUEUE_SLOT_STATES));
    const created = await addWorkQueue(db, emit, pool, body);
    if (created === undefined) throw new ConflictError('A work queue with this name already exists.');
    return found(await findWorkQueue(db, created, QUEUE_SLOT_STATES));
  });
}

/** Notes that queues were polled, and with them their deployments. */
function notePoll(context: GatewayContext, queueIds: readonly string[]): Promise<void> {
  return change(context, async (db, emit) => {
    for (const event of [...(await markQueuesPolled(db, queueIds)), ...(await markDeploymentsPolled(db, { queueIds }))]) emit(event);
  });
}

/* Queues by their ids, as agents knew them before there were work pools; the UI still uses some of these routes. */
export const workQueues: Resource = {
  prefix: '/work_queues',
  tag: 'Work Queues',
  routes: [
    route({ method: 'post', path: '/', name: 'create_work_queue', body: workQueueCreate, response: workQueue, status: 201, handler: ({ body }, context) => create(body, context) }),
    route({
      method: 'patch',
      path: '/{id}',
      name: 'update_work_queue',
      params: byId,
      body: workQueueUpdate,
      status: 204,
      handler: ({ params, body }, context) =>
        change(context, async (db, emit) => {
          if (!(await changeWorkQueue(db, emit, params, body))) throw new NotFoundError(`Work Queue ${params.id} not found`);
        }),
    }),
    route({
      method: 'get',
      path: '/name/{name}',
      name: 'read_work_queue_by_name',
      params: { name: z.string() },
      response: workQueue,
      status: 200,
      handler: async ({ params }, { database: { kysely } }) => {
        const isDefaultPool = sql<boolean>`(work_pool.name = ${DEFAULT_POOL} or not exists (select from work_pool where name = ${DEFAULT_POOL}))`;
        const condition = sql<boolean>`work_queue.name = ${params.name} and ${isDefaultPool}`;
        const [queue] = await listWorkQueues(kysely, { condition, order: 'name', page: { limit: 1, offset: 0 }, slotStates: QUEUE_SLOT_STATES });
        return found(queue);
      },
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_work_queue',
      params: byId,
      response: workQueue,
      status: 200,
      handler: async ({ params }, { database }) => found(await findWorkQueue(database.kysely, params, QUEUE_SLOT_STATES)),
    }),
    route({
      method: 'post',
      path: '/{id}/get_runs',
      name: 'read_work_queue_runs',
      params: byId,
      headerParameters: { 'x-prefect-ui': boolean().nullable().default(false) },
      body: bodyParameters({ limit: page.limit, scheduled_before: timestamp().optional() }),
      response: z.array(flowRun),
      status: 200,
      handler: async ({ params, body, headers }, context) => {
        const { kysely } = context.database;
        const { limit } = readPage({ limit: body.limit, offset: 0 }, context);
        const queue = found(await findWorkQueue(kysely, params, QUEUE_SLOT_STATES), `Work queue with id ${params.id} not found.`, 'exception_message');
        const runs = await selectDueRuns(kysely, queue, body.scheduled_before, limit);
        // The UI only looks; it does not fetch work.
        if (boolean().safeParse(headers['x-prefect-ui']).data !== true) await notePoll(context, [params.id]);
        return runs;
      },
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_work_queues',
      body: bodyParameters({ ...page, work_queues: workQueueFilter.nullish() }),
      response: z.array(workQueue),
      status: 200,
      handler: ({ body }, context) =>
        listWorkQueues(context.database.kysely, { condition: workQueueCondition(body.work_queues), order: 'name', page: readPage(body, context), slotStates: QUEUE_SLOT_STATES }),
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_work_queue',
      params: byId,
      status: 204,
      handler: ({ params }, context) =>
        change(context, async (db, emit) => {
          if (!(await removeWorkQueue(db, emit, params))) throw new NotFoundError('work queue not found');
        }),
    }),
    route({
      method: 'post',
      path: '/{id}/concurrency_status',
      name: 'read_work_queue_concurrency_status',
      params: byId,
      body: bodyParameters(numberedPage),
      response: workQueueConcurrency,
      status: 200,
      handler: async ({ params, body }, context) => {
        const { kysely } = context.database;
        const queue = found(await findWorkQueue(kysely, params, QUEUE_SLOT_STATES), 'Work queue not found.');
        const { results, ...rest } = await paginate(
          body,
          context,
          (page) => listHolders(kysely, queue, page),
          () => countHolders(kysely, queue),
        );
        return { active_slots: rest.count, concurrency_limit: queue.concurrency_limit, flow_runs: results, ...rest };
      },
    }),
    route({
      method: 'get',
      path: '/{id}/status',
      name: 'read_work_queue_status',
      params: byId,
      response: workQueueHealth,
      status: 200,
      handler: async ({ params }, { database }) => {
        const health = await readWorkQueueHealth(database.kysely, params.id);
        if (health === undefined) throw new NotFoundError(`Work queue with id ${params.id} not found`, 'exception_message');
        return health;
      },
    }),
  ],
};
