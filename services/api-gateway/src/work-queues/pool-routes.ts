import { sql } from 'kysely';
import { z } from 'zod';
import { and } from '@praetor/database/filter';
import { workQueueCondition } from '@praetor/database/filter/resources';
import { change } from '@praetor/orchestration/changes';
import { ConflictError, NotFoundError } from '@praetor/schema/errors';
import { workQueueFilter } from '@praetor/schema/filters/work-pool';
import { workQueue, workQueueCreate, workQueueUpdate } from '@praetor/schema/work-queue';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { type Route, route } from '../http/route.ts';
import { requireWorkPool } from '../work-pools/placement.ts';
import { addWorkQueue, changeWorkQueue, removeWorkQueue } from './changes.ts';
import { POOL_SLOT_STATES, findWorkQueue, listWorkQueues } from './queries.ts';

const byPool = { work_pool_name: z.string() };
const byName = { ...byPool, name: z.string() };

function queueNotFound({ work_pool_name, name }: { work_pool_name: string; name: string }): NotFoundError {
  return new NotFoundError(`Work pool queue '${work_pool_name}/${name}' not found.`);
}

/* The queues of a pool. */
export const workQueueRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/{work_pool_name}/queues',
    name: 'create_work_queue',
    params: byPool,
    body: workQueueCreate,
    response: workQueue,
    status: 201,
    handler: ({ params, body }, context) =>
      change(context, async (db, emit) => {
        const pool = await requireWorkPool(db, params.work_pool_name);
        const created = await addWorkQueue(db, emit, pool, body);
        if (created === undefined) throw new ConflictError(`Work pool '${pool.name}' has a queue of this name.`);
        return findWorkQueue(db, created, POOL_SLOT_STATES);
      }),
  }),
  route({
    method: 'get',
    path: '/{work_pool_name}/queues/{name}',
    name: 'read_work_queue',
    params: byName,
    response: workQueue,
    status: 200,
    handler: async ({ params }, { database }) => {
      const queue = await findWorkQueue(database.kysely, params, POOL_SLOT_STATES);
      if (queue === undefined) throw queueNotFound(params);
      return queue;
    },
  }),
  route({
    method: 'post',
    path: '/{work_pool_name}/queues/filter',
    name: 'read_work_queues',
    params: byPool,
    body: bodyParameters({ limit: page.limit, work_queues: workQueueFilter.optional(), offset: page.offset }),
    response: z.array(workQueue),
    status: 200,
    handler: async ({ params, body }, context) => {
      const { kysely } = context.database;
      const pool = await requireWorkPool(kysely, params.work_pool_name);
      const condition = and(sql`work_queue.work_pool_id = ${pool.id}`, workQueueCondition(body.work_queues));
      return listWorkQueues(kysely, { condition, order: 'priority', page: readPage(body, context), slotStates: POOL_SLOT_STATES });
    },
  }),
  route({
    method: 'patch',
    path: '/{work_pool_name}/queues/{name}',
    name: 'update_work_queue',
    params: byName,
    body: workQueueUpdate,
    status: 204,
    handler: ({ params, body }, context) =>
      change(context, async (db, emit) => {
        await requireWorkPool(db, params.work_pool_name);
        if (!(await changeWorkQueue(db, emit, params, body))) throw queueNotFound(params);
      }),
  }),
  route({
    method: 'delete',
    path: '/{work_pool_name}/queues/{name}',
    name: 'delete_work_queue',
    params: byName,
    status: 204,
    handler: ({ params }, context) =>
      change(context, async (db, emit) => {
        await requireWorkPool(db, params.work_pool_name);
        if (!(await removeWorkQueue(db, emit, params))) throw queueNotFound(params);
      }),
  }),
];
