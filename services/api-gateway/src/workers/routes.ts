import { z } from 'zod';
import { change } from '@praetor/orchestration/changes';
import { NotFoundError } from '@praetor/schema/errors';
import { workerFilter } from '@praetor/schema/filters/work-pool';
import { integer } from '@praetor/schema/primitives';
import { worker } from '@praetor/schema/worker';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { type Route, route } from '../http/route.ts';
import { requireWorkPool } from '../work-pools/placement.ts';
import { noteHeartbeat } from './changes.ts';
import { deleteWorker, listWorkers } from './queries.ts';

const byPool = { work_pool_name: z.string() };

/* The workers of a pool. */
export const workerRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/{work_pool_name}/workers/heartbeat',
    name: 'worker_heartbeat',
    params: byPool,
    body: bodyParameters({ name: z.string(), heartbeat_interval_seconds: integer().nullish() }),
    status: 204,
    handler: ({ params, body }, context) =>
      change(context, async (db, emit) => {
        const pool = await requireWorkPool(db, params.work_pool_name);
        await noteHeartbeat(db, emit, pool.id, body.name, body.heartbeat_interval_seconds ?? null);
      }),
  }),
  route({
    method: 'post',
    path: '/{work_pool_name}/workers/filter',
    name: 'read_workers',
    params: byPool,
    body: bodyParameters({ limit: page.limit, workers: workerFilter.nullish(), offset: page.offset }),
    response: z.array(worker),
    status: 200,
    handler: async ({ params, body }, context) => {
      const { kysely } = context.database;
      const pool = await requireWorkPool(kysely, params.work_pool_name);
      return listWorkers(kysely, pool.id, body.workers, readPage(body, context), context.settings.services.foreman);
    },
  }),
  route({
    method: 'delete',
    path: '/{work_pool_name}/workers/{name}',
    name: 'delete_worker',
    params: { ...byPool, name: z.string() },
    status: 204,
    handler: async ({ params }, { database: { kysely } }) => {
      const pool = await requireWorkPool(kysely, params.work_pool_name);
      if (!(await deleteWorker(kysely, pool.id, params.name))) throw new NotFoundError('Worker not found.');
    },
  }),
];
