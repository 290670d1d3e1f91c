import { type Kysely, sql } from 'kysely';
import type { Condition } from '@praetor/database/filter';
import type { StateType, Tables } from '@praetor/database/tables';
import { type Timestamp, now, secondsBetween } from '@praetor/schema/timestamps';
import type { SlotHolder } from '@praetor/schema/work-queue';
import type { Page } from '../http/pagination.ts';
import { POOL_SLOT_STATES, QUEUE_SLOT_STATES } from './queries.ts';

/* Which runs hold the slots of queues. */

interface HolderRow {
  id: string;
  name: string;
  state_type: StateType | null;
  state_name: string | null;
  start_time: Timestamp | null;
  state_timestamp: Timestamp | null;
}

function toSlotHolder({ id, name, state_type, state_name, start_time, state_timestamp }: HolderRow): SlotHolder {
  const time_in_current_state = state_timestamp === null ? null : secondsBetween(state_timestamp, now());
  return { id, name, state_type, state_name, start_time, state_timestamp, time_in_current_state };
}

/** The holders of each queue by its id, no more than `limit` of one queue, with how many there are. */
export async function readHoldersByQueue(db: Kysely<Tables>, queueIds: readonly string[], limit: number): Promise<Map<string, { count: number; holders: SlotHolder[] }>> {
  const { rows } = await sql<HolderRow & { work_queue_id: string; rank: number; count: number }>`
    select * from (
      select id, name, state_type, state_name, start_time, state_timestamp, work_queue_id,
        row_number() over (partition by work_queue_id order by id) as rank, count(*) over (partition by work_queue_id) as count
      from flow_run where work_queue_id = any(${queueIds}::uuid[]) and state_type = any(${POOL_SLOT_STATES}::state_type[])
    ) holder where rank <= greatest(1, ${limit}::int) order by work_queue_id, rank`.execute(db);
  const groups = Map.groupBy(rows, (row) => row.work_queue_id);
  return new Map([...groups].map(([id, group]) => [id, { count: group[0]?.count ?? 0, holders: group.slice(0, limit).map(toSlotHolder) }]));
}

/** Runs that hold a slot of one queue, also those that name it without a pool. */
function holdsSlotOf(queue: { id: string; name: string }): Condition {
  return sql`state_type = any(${QUEUE_SLOT_STATES}::state_type[]) and (work_queue_id = ${queue.id} or (work_queue_id is null and work_queue_name = ${queue.name}))`;
}

export async function countHolders(db: Kysely<Tables>, queue: { id: string; name: string }): Promise<number> {
  const { count } = await db
    .selectFrom('flow_run')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where(holdsSlotOf(queue))
    .executeTakeFirstOrThrow();
  return count;
}

export async function listHolders(db: Kysely<Tables>, queue: { id: string; name: string }, { limit, offset }: Page): Promise<SlotHolder[]> {
  const rows = await db
    .selectFrom('flow_run')
    .select(['id', 'name', 'state_type', 'state_name', 'start_time', 'state_timestamp'])
    .where(holdsSlotOf(queue))
    .orderBy('id')
    .limit(limit)
    .offset(offset)
    .execute();
  return rows.map(toSlotHolder);
}
