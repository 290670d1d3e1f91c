import { z } from 'zod';
import { boolean, integer, timestamp, uuid } from './primitives.ts';
import { stateType } from './state.ts';

/*
 * The leaves that all of Prefect's filter objects are made of (facts/rules.md §5) and the way they are put together;
 * filters/ holds the objects. packages/database/src/filter.ts gives each operator its SQL, once. Every level refuses
 * unknown keys.
 */

/** How the parts of a filter are combined. */
export const operator = () => z.enum(['and_', 'or_']).default('and_');

const ids = () => z.array(uuid()).nullish();
const texts = () => z.array(z.string()).nullish();
const moment = () => timestamp().nullish();
const flag = () => boolean().nullish();

/* Leaves: the operators which one field knows. `WithNot`, `Nullable`: these operators too. */
export const idFilter = () => z.strictObject({ any_: ids() });
export const idFilterWithNot = () => z.strictObject({ any_: ids(), not_any_: ids() });
export const nullableIdFilter = () => z.strictObject({ any_: ids(), is_null_: flag() });
export const textFilter = () => z.strictObject({ any_: texts() });
export const textFilterWithNot = () => z.strictObject({ any_: texts(), not_any_: texts() });
export const nameFilter = () => z.strictObject({ any_: texts(), like_: z.string().nullish() });
export const likeFilter = () => z.strictObject({ like_: z.string().nullish() });
export const keyFilter = () => z.strictObject({ any_: texts(), like_: z.string().nullish(), exists_: flag() });
export const tagsFilter = () => z.strictObject({ operator: operator(), all_: texts(), is_null_: flag() });
export const tagsFilterWithAny = () => z.strictObject({ operator: operator(), all_: texts(), any_: texts(), is_null_: flag() });
export const timestampFilter = () => z.strictObject({ before_: moment(), after_: moment() });
export const nullableTimestampFilter = () => z.strictObject({ before_: moment(), after_: moment(), is_null_: flag() });
export const integerRangeFilter = () => z.strictObject({ ge_: integer().nullish(), le_: integer().nullish() });
export const booleanFilter = () => z.strictObject({ eq_: flag() });
export const existsFilter = () => z.strictObject({ exists_: flag() });

/** Search in text; packages/schema/src/text-search.ts says what the words mean. */
export const textSearchFilter = () => z.strictObject({ query: z.string().max(200) });

export const stateTypes = () => z.array(stateType).nullish();

/** A filter over one kind of object: every field is optional and null means absent. */
export function filterObject<S extends z.ZodRawShape>(fields: S) {
  const entries = Object.entries(fields).map(([key, field]) => [key, key === 'operator' ? field : z.nullish(field)]);
  // The entries above are exactly this shape, which Object.fromEntries cannot express.
  return z.strictObject(Object.fromEntries(entries)) as unknown as z.ZodObject<
    { [K in keyof S]: S[K] extends z.core.SomeType ? (K extends 'operator' ? S[K] : z.ZodOptional<z.ZodNullable<S[K]>>) : never },
    z.core.$strict
  >;
}
