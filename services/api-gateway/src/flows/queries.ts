import { type Kysely, sql } from 'kysely';
import { type RelatedFilters, flowConditions } from '@praetor/database/filter/related';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { Tables } from '@praetor/database/tables';
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

/** Undefined when the name is taken. */
export function insertFlow(db: Kysely<Tables>, flow: FlowCreate): Promise<Flow | undefined> {
  return db
    .insertInto('flow')
    .values(withJsonColumns(flow, 'tags', 'labels'))
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning(COLUMNS)
    .executeTakeFirst();
}

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
