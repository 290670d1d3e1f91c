import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';

/*
 * Compiles the filters of the API into SQL conditions (facts/rules.md §5). One table gives every operator its SQL; a
 * resource says by a map which column each of its fields filters (filter/resources.ts), and filters over other resources
 * are `exists` conditions around the same compiler (filter/related.ts). A list is one array parameter, so that an empty
 * `any_` matches nothing by itself and the text of the statement does not depend on the list's length.
 */

export type Condition = Expression<SqlBool>;
type Column = RawBuilder<unknown>;

/** The condition of a filter that restricts nothing. Compared by identity: `and` drops it, and it makes an `or` true. */
export const TRUE: Condition = sql<SqlBool>`true`;

interface Operands {
  any_: readonly string[];
  not_any_: readonly string[];
  all_: readonly string[];
  like_: string;
  startswith_: readonly string[];
  before_: string;
  after_: string;
  ge_: number;
  le_: number;
  eq_: boolean;
  is_null_: boolean;
  exists_: boolean;
}
type OperatorName = keyof Operands;
type Operators = { [K in OperatorName]: (column: Column, operand: Operands[K]) => Condition };

export type Combination = 'and_' | 'or_';
/** The operators of one field; null means absent. */
type Leaf = { [K in OperatorName]?: Operands[K] | null | undefined };
/** How one field of a filter becomes a condition. */
export type FieldCompiler<T> = (field: T) => Condition;
/** A compiler for every field of a filter; null for one that is accepted and ignored. */
export type FilterMap<F> = { [K in Exclude<keyof F, 'operator'>]-?: FieldCompiler<NonNullable<F[K]>> | null };

const isNull = (column: Column, yes: boolean): Condition => (yes ? sql<SqlBool>`${column} is null` : sql<SqlBool>`${column} is not null`);

const OPERATORS: Operators = {
  any_: (column, values) => sql<SqlBool>`${column} = any(${values})`,
  not_any_: (column, values) => (values.length === 0 ? TRUE : sql<SqlBool>`${column} <> all(${values})`),
  all_: (column, values) => (values.length === 0 ? TRUE : sql<SqlBool>`${column} ?& ${values}::text[]`),
  // `%` and `_` in the text stay wildcards, as with Prefect.
  like_: (column, text) => (text === '' ? TRUE : sql<SqlBool>`${column} ilike ${`%${text}%`}`),
  startswith_: (column, prefixes) => (prefixes.length === 0 ? TRUE : sql<SqlBool>`${column} ilike any(${prefixes.map((prefix) => `${prefix}%`)})`),
  before_: (column, moment) => sql<SqlBool>`${column} <= ${moment}`,
  after_: (column, moment) => sql<SqlBool>`${column} >= ${moment}`,
  ge_: (column, number) => sql<SqlBool>`${column} >= ${number}`,
  le_: (column, number) => sql<SqlBool>`${column} <= ${number}`,
  eq_: (column, value) => sql<SqlBool>`${column} = ${value}`,
  is_null_: isNull,
  exists_: (column, yes) => isNull(column, !yes),
};

/** Tags and capabilities are JSON arrays: to have none is to be empty, not null. */
const JSON_ARRAY_OPERATORS: Operators = {
  ...OPERATORS,
  any_: (column, values) => sql<SqlBool>`${column} ?| ${values}::text[]`,
  is_null_: (column, yes) => (yes ? sql<SqlBool>`${column} = '[]'::jsonb` : sql<SqlBool>`${column} <> '[]'::jsonb`),
};

const OPERATOR_NAMES = Object.keys(OPERATORS) as OperatorName[];

/** All of them hold. */
export function and(...conditions: Condition[]): Condition {
  const restricting = conditions.filter((condition) => condition !== TRUE);
  if (restricting.length < 2) return restricting[0] ?? TRUE;
  return sql<SqlBool>`(${sql.join(restricting, sql` and `)})`;
}

/** One of them holds; with none to choose from, everything does. */
export function or(...conditions: Condition[]): Condition {
  if (conditions.includes(TRUE)) return TRUE;
  if (conditions.length < 2) return conditions[0] ?? TRUE;
  return sql<SqlBool>`(${sql.join(conditions, sql` or `)})`;
}

export function not(condition: Condition): Condition {
  return sql<SqlBool>`not ${condition}`;
}

/** Some row of a table fits: `correlation` ties it to the row of the query around, `condition` is the filter on it. */
export function exists(table: string, correlation: Condition, condition: Condition = TRUE): Condition {
  return sql<SqlBool>`exists (select from ${sql.table(table)} where ${and(correlation, condition)})`;
}

/** Combines the parts of one leaf, where those that restrict nothing (`not_any_: []`) do not count, not even in an `or`. */
export function combineLeaf(operator: Combination | undefined, parts: Condition[]): Condition {
  const restricting = parts.filter((part) => part !== TRUE);
  return operator === 'or_' ? or(...restricting) : and(...restricting);
}

function apply<K extends OperatorName>(operators: Operators, name: K, column: Column, leaf: Leaf): Condition {
  const operand: Leaf[K] = leaf[name];
  return operand === undefined || operand === null ? TRUE : operators[name](column, operand);
}

function leafOf(column: Column, operators: Operators): FieldCompiler<Leaf & { operator?: Combination }> {
  return (leaf) =>
    combineLeaf(
      leaf.operator,
      OPERATOR_NAMES.map((name) => apply(operators, name, column, leaf)),
    );
}

/** A field that filters a column: `'flow_run.name'`, or an SQL expression. */
export function column(reference: string | Column): FieldCompiler<Leaf & { operator?: Combination }> {
  return leafOf(typeof reference === 'string' ? sql.ref(reference) : reference, OPERATORS);
}

/** A field that filters a `jsonb` array of texts. */
export function jsonArray(reference: string): FieldCompiler<Leaf & { operator?: Combination }> {
  return leafOf(sql.ref(reference), JSON_ARRAY_OPERATORS);
}

/** Compiles a filter by its resource's map. */
export function compile<F extends object>(map: FilterMap<F>, filter: F & { operator?: Combination }): Condition {
  const conditions: Condition[] = [];
  for (const key of Object.keys(map) as Exclude<keyof F, 'operator'>[]) {
    const compileField = map[key];
    const field = filter[key];
    if (field !== undefined && field !== null && compileField !== null) conditions.push(compileField(field));
  }
  return filter.operator === 'or_' ? or(...conditions) : and(...conditions);
}
