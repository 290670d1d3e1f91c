import { sql, type Kysely } from 'kysely';
import { variableCondition } from '@praetor/database/filter/resources';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { Tables } from '@praetor/database/tables';
import { type Variable, type VariableCreate, type VariableFilter, type VariableSort, variable } from '@praetor/schema/variable';
import type { Page } from '../http/pagination.ts';

/** A variable is addressed by either of these. */
export type VariableKey = { id: string } | { name: string };

const COLUMNS = variable.keyof().options;

const ORDER = {
  CREATED_DESC: ['created', 'desc'],
  UPDATED_DESC: ['updated', 'desc'],
  NAME_DESC: ['name', 'desc'],
  NAME_ASC: ['name', 'asc'],
} as const satisfies Record<VariableSort, readonly [keyof Variable, 'asc' | 'desc']>;

/** Undefined when the name is taken. */
export function insertVariable(db: Kysely<Tables>, variable: VariableCreate): Promise<Variable | undefined> {
  return db
    .insertInto('variable')
    .values(withJsonColumns(variable, 'value', 'tags'))
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning(COLUMNS)
    .executeTakeFirst();
}

export function findVariable(db: Kysely<Tables>, key: VariableKey): Promise<Variable | undefined> {
  return db
    .selectFrom('variable')
    .select(COLUMNS)
    .where(({ and }) => and(key))
    .executeTakeFirst();
}

export function updateVariable(db: Kysely<Tables>, key: VariableKey, changes: Partial<VariableCreate>): Promise<Variable | undefined> {
  return db
    .updateTable('variable')
    .set({ ...withJsonColumns(changes, 'value', 'tags'), updated: sql`now()` })
    .where(({ and }) => and(key))
    .returning(COLUMNS)
    .executeTakeFirst();
}

export function deleteVariable(db: Kysely<Tables>, key: VariableKey): Promise<Variable | undefined> {
  return db
    .deleteFrom('variable')
    .where(({ and }) => and(key))
    .returning(COLUMNS)
    .executeTakeFirst();
}

export function listVariables(
  db: Kysely<Tables>,
  filter: VariableFilter | null | undefined,
  sort: VariableSort,
  { limit, offset }: Page,
): Promise<Variable[]> {
  const [column, direction] = ORDER[sort];
  return db
    .selectFrom('variable')
    .select(COLUMNS)
    .where(variableCondition(filter))
    .orderBy(column, direction)
    .limit(limit)
    .offset(offset)
    .execute();
}

export async function countVariables(db: Kysely<Tables>, filter: VariableFilter | null | undefined): Promise<number> {
  const { count } = await db
    .selectFrom('variable')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where(variableCondition(filter))
    .executeTakeFirstOrThrow();
  return count;
}
