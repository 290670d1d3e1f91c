import { type Kysely, sql } from 'kysely';
import { readShared } from '@praetor/database/shared-reads';
import type { Tables } from '@praetor/database/tables';
import { change } from '@praetor/orchestration/changes';
import { markDeploymentsPolled, markPoolAlive, markQueuesPolled } from '@praetor/orchestration/readiness';
import { NotFoundError } from '@praetor/schema/errors';
import type { FlowRun } from '@praetor/schema/flow-run';
import type { Timestamp } from '@praetor/schema/timestamps';
import type { GatewayContext } from '../context.ts';
import { readFlowRuns } from '../flow-runs/queries.ts';
import { POOL_SLOT_STATES } from '../work-queues/queries.ts';
import { poolNotFound } from './placement.ts';

/*
 * A worker asks its pool for runs that are due (facts/rules.md §10). Handing a run out does not change it: two workers may
 * be given the same one, and the first to propose PENDING has it. Hence no row is locked, which would cost more than all
 * the rest and decide nothing.
 */

export interface Poll {
  poolName: string;
  /** None: all queues of the pool. */
  queueNames: readonly string[];
  scheduledBefore: Timestamp | null | undefined;
  scheduledAfter: Timestamp | null | undefined;
  limit: number;
}

interface PolledQueue {
  pool_id: string;
  pool_is_paused: boolean;
  pool_limit: number | null;
  pool_status: string;
  id: string;
  name: string;
  is_paused: boolean;
  concurrency_limit: number | null;
  /** Runs that hold a slot; null where nothing limits them. */
  active_slots: number | null;
  /** Its last poll was noted long enough ago that this one should be. */
  is_stale: boolean;
}

/** The pool's queues in the order in which they are served; read once for all who poll at the same time. */
function readQueues(db: Kysely<Tables>, poolName: string): Promise<PolledQueue[]> {
  const query = sql<PolledQueue>`
    select pool.id as pool_id, pool.is_paused as pool_is_paused, pool.concurrency_limit as pool_limit, pool.status as pool_status,
      queue.id, queue.name, queue.is_paused, queue.concurrency_limit,
      case when pool.concurrency_limit is not null or queue.concurrency_limit is not null then
        (select count(*) from flow_run where flow_run.work_queue_id = queue.id and flow_run.state_type = any(${POOL_SLOT_STATES}::state_type[])) end as active_slots,
      queue.last_polled is null or queue.last_polled < now() - interval '1 second' or (queue.status = 'NOT_READY' and not queue.is_paused) as is_stale
    from work_pool pool join work_queue queue on queue.work_pool_id = pool.id
    where pool.name = ${poolName} order by queue.priority, queue.id`;
  return readShared(db, query);
}

/** The named queues, or all. Throws NotFoundError for a name that the pool does not have. */
function pick(queues: readonly PolledQueue[], { poolName, queueNames }: Poll): PolledQueue[] {
  const unknown = queueNames.find((name) => !queues.some((queue) => queue.name === name));
  if (unknown !== undefined) throw new NotFoundError(`Work pool queue '${poolName}/${unknown}' not found.`);
  return queues.filter((queue) => queueNames.length === 0 || queueNames.includes(queue.name));
}

const freeSlots = (limit: number | null, active: number) => (limit === null ? Infinity : Math.max(0, limit - active));

function selectDueRuns(db: Kysely<Tables>, queues: readonly PolledQueue[], limit: number, { scheduledBefore, scheduledAfter }: Poll): Promise<FlowRun[]> {
  const open = queues.filter((queue) => !queue.is_paused);
  if (limit === 0 || open.length === 0) return Promise.resolve([]);
  const ids = open.map((queue) => queue.id);
  const capacities = open.map((queue) => Math.min(limit, freeSlots(queue.concurrency_limit, queue.active_slots ?? 0)));
  const before = scheduledBefore ? sql`and next_scheduled_start_time <= ${scheduledBefore}` : sql``;
  const after = scheduledAfter ? sql`and next_scheduled_start_time >= ${scheduledAfter}` : sql``;
  const page = sql`
    select flow_run.*, queue.rank from unnest(${ids}::uuid[], ${capacities}::int[]) with ordinality as queue (id, capacity, rank)
    cross join lateral (
      select * from flow_run
      where work_queue_id = queue.id and state_type = 'SCHEDULED' and empirical_policy ->> 'retry_type' is distinct from 'in_process' ${before} ${after}
      order by next_scheduled_start_time limit queue.capacity
    ) flow_run
    order by queue.rank, flow_run.next_scheduled_start_time limit ${limit}`;
  return readFlowRuns(db, page, sql`flow_run.rank, flow_run.next_scheduled_start_time`);
}

/** Runs that are due, by the rank of their queue and then by time, no more than there are free slots. Notes the poll. Throws NotFoundError. */
export async function pollWorkPool(context: GatewayContext, poll: Poll): Promise<{ workPoolId: string; runs: FlowRun[] }> {
  const { kysely } = context.database;
  const all = await readQueues(kysely, poll.poolName);
  const [first] = all;
  if (first === undefined) throw poolNotFound(poll.poolName);
  const polled = pick(all, poll);
  const { pool_id: workPoolId, pool_status, pool_is_paused, pool_limit } = first;
  const active = all.reduce((sum, queue) => sum + (queue.active_slots ?? 0), 0);
  const limit = pool_is_paused ? 0 : Math.min(poll.limit, freeSlots(pool_limit, active));
  const runs = await selectDueRuns(kysely, polled, limit, poll);
  if (pool_status === 'NOT_READY' || polled.some((queue) => queue.is_stale)) await notePoll(context, workPoolId, polled);
  return { workPoolId, runs };
}

function notePoll(context: GatewayContext, workPoolId: string, queues: readonly PolledQueue[]): Promise<void> {
  const queueIds = queues.map((queue) => queue.id);
  return change(context, async (db, emit) => {
    const events = [...(await markPoolAlive(db, workPoolId)), ...(await markQueuesPolled(db, queueIds)), ...(await markDeploymentsPolled(db, { queueIds }))];
    for (const event of events) emit(event);
  });
}
