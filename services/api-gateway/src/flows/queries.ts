import { type Kysely, sql } from 'kysely';
import { entries, inBatches } from '@praetor/database/batches';
import type { Sql } from '@praetor/database/connect';
import { type RelatedFilters, flowConditions } from '@praetor/database/filter/related';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { Tables } from '@praetor/database/tables';
import type { OutboxEvent } from '@praetor/orchestration/lifecycle-events';
import type { FlowSort } from '@praetor/schema/filters/flow';
import { type Flow, type FlowCreate, type FlowUpdate, flow } from '@praetor/schema/flow';
import type { Page } from '../http/pagination.ts';

const COLUMNS = flow.keyof().options;

const ORDER = {
  CREATED_DESC: ['created', 'desc'],
  UPDATED_DESC: ['updated', 'desc'],
  NAME_ASC: ['name', 'asc'],
  NAME_DESC: ['name', 'desc'],
} as const satisfies Record<FlowSort, readonly [string, 'asc' | 'desc']>;

/** A flow to be, with the event that reports it. */
export interface NewFlow extends FlowCreate {
  id: string;
  event: OutboxEvent;
}

const ENTRY_COLUMNS = { id: 'uuid', name: 'text', tags: 'jsonb', labels: 'jsonb', event_id: 'uuid', event_body: 'text' } as const;

/**
 * Finds the flow of a name, or inserts it with its event: its id is then that of the new flow. Undefined where somebody
 * else has inserted it at this moment.
 */
export const findOrInsertFlow = inBatches(async (sql: Sql, flows: readonly NewFlow[]): Promise<(Flow | undefined)[]> => {
  const rows = flows.map(({ event, ...flow }) => ({ ...flow, event_id: event.id, event_body: event.body }));
  const columns = (table: string) => sql.unsafe(COLUMNS.map((column) => `${table}.${column}`).join(', '));
  // In the order of their names, so that two servers that insert the same ones cannot block each other.
  const stored = await sql<Flow[]>`
    with entry as materialized ${entries(sql, ENTRY_COLUMNS, rows)}, found as (
      select ${columns('flow')} from flow where flow.name in (select entry.name from entry)
    ), inserted as (
      insert into flow (id, name, tags, labels)
      select id, name, tags, labels from entry where name not in (select found.name from found) order by name
      on conflict (name) do nothing returning ${columns('flow')}
    ), event as (
      insert into praetor.outbox (id, body) select entry.event_id, entry.event_body::json from entry join inserted on inserted.id = entry.id
    )
    select * from found union all select * from inserted`;
  const byName = new Map(stored.map((flow) => [flow.name, flow]));
  return flows.map(({ name }) => byName.get(name));
});

export function findFlow(db: Kysely<Tables>, key: { id: string } | { name: string }): Promise<Flow | undefined> {
  return db
    .selectFrom('flow')
    .select(COLUMNS)
    .where(({ and }) => and(key))
    .executeTakeFirst();
}

export function updateFlow(db: Kysely<Tables>, id: string, changes: FlowUpdate): Promise<Flow | undefined> {
  return db
    .updateTable('flow')
    .set({ ...withJsonColumns(changes, 'tags'), updated: sql`now()` })
    .where('id', '=', id)
    .returning(COLUMNS)
    .executeTakeFirst();
}

/** Deletes flows with their deployments and runs (by foreign keys); gives those that were there. */
export function deleteFlows(db: Kysely<Tables>, ids: string[]): Promise<Flow[]> {
  return db.deleteFrom('flow').where(sql<boolean>`id = any(${ids})`).returning(COLUMNS).execute();
}

export function listFlows(db: Kysely<Tables>, filters: RelatedFilters, sort: FlowSort, { limit, offset }: Page): Promise<Flow[]> {
  const [column, direction] = ORDER[sort];
  return db.selectFrom('flow').select(COLUMNS).where(flowConditions(filters)).orderBy(column, direction).limit(limit).offset(offset).execute();
}

export async function countFlows(db: Kysely<Tables>, filters: RelatedFilters): Promise<number> {
  const { count } = await db
    .selectFrom('flow')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where(flowConditions(filters))
    .executeTakeFirstOrThrow();
  return count;
}
