import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import type { WorkPoolConcurrency } from '@praetor/schema/work-pool';
import { readHoldersByQueue } from '../work-queues/slots.ts';
import { findWorkPoolHead } from './queries.ts';

interface ConcurrencyPage {
  limit: number;
  page: number;
  /** Runs shown of each queue. */
  flowRunLimit: number;
}

/** Who holds the slots of a pool, queue by queue in the order in which they are served; undefined where there is no such pool. */
export async function readWorkPoolConcurrency(db: Kysely<Tables>, name: string, { limit, page, flowRunLimit }: ConcurrencyPage): Promise<WorkPoolConcurrency | undefined> {
  const pool = await findWorkPoolHead(db, name);
  if (pool === undefined) return undefined;
  const queues = await db.selectFrom('work_queue').select(['id', 'name', 'concurrency_limit']).where('work_pool_id', '=', pool.id).orderBy('priority').execute();
  const holders = await readHoldersByQueue(
    db,
    queues.map((queue) => queue.id),
    flowRunLimit,
  );
  return {
    active_slots: holders.values().reduce((sum, { count }) => sum + count, 0),
    concurrency_limit: pool.concurrency_limit,
    queues: queues.slice((page - 1) * limit, page * limit).map((queue) => {
      const { count = 0, holders: runs = [] } = holders.get(queue.id) ?? {};
      return { queue_id: queue.id, queue_name: queue.name, active_slots: count, concurrency_limit: queue.concurrency_limit, flow_runs: runs, flow_run_count: count };
    }),
    count: queues.length,
    limit,
    pages: limit === 0 ? 0 : Math.ceil(queues.length / limit),
    page,
  };
}
