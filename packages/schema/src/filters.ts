import { z } from 'zod';
import { boolean, integer, timestamp, uuid } from './primitives.ts';
import { stateType } from './state.ts';

/*
 * The leaves that all of Prefect's filter objects are made of (facts/rules.md §5) and the way they are put together;
 * filters/ holds the objects. packages/database/src/filter.ts gives each operator its SQL, once. Every level refuses
 * unknown keys.
 */

/** How the parts of a filter are combined. */
export const operator = () => z.enum(['and_', 'or_']).meta({ id: 'Operator' }).default('and_');

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

/** `flow_run_id` of the filter `LogFilter` is a `LogFilterFlowRunId`. */
function partName(name: string, key: string): string {
  return name + key.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** A part that is deprecated says so in its place, not by its name. */
function nullish(field: z.core.$ZodType): z.ZodType {
  const isDeprecated = field instanceof z.ZodType && field.meta()?.deprecated === true;
  return isDeprecated ? z.nullish(field).meta({ deprecated: true }) : z.nullish(field);
}

/** A filter over one kind of object: every field is optional and null means absent. Its parts are named after it unless they have names. */
export function filterObject<S extends z.ZodRawShape>(name: string, fields: S) {
  const named = (key: string, field: z.core.$ZodType) => (field instanceof z.ZodType && field.meta()?.id === undefined ? field.meta({ id: partName(name, key) }) : field);
  const entries = Object.entries(fields).map(([key, field]) => [key, key === 'operator' ? field : nullish(named(key, field))]);
  // The entries above are exactly this shape, which Object.fromEntries cannot express.
  return z.strictObject(Object.fromEntries(entries)).meta({ id: name }) as unknown as z.ZodObject<
    { [K in keyof S]: S[K] extends z.core.SomeType ? (K extends 'operator' ? S[K] : z.ZodOptional<z.ZodNullable<S[K]>>) : never },
    z.core.$strict
  >;
}
