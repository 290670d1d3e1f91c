import { z } from 'zod';
import { boolean, integer, timestamp, uuid } from './primitives.ts';

/*
 * The leaves that all of Prefect's filter objects are made of (facts/rules.md §5) and the way they are put together.
 * packages/database/src/filter.ts gives each operator its SQL, once. Every filter refuses unknown keys.
 */

/** The operators of a leaf: `{any_: […], is_null_: true}`. */
const leaf = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape);

export const idFilter = () => leaf({ any_: z.array(uuid()).nullish() });
export const nullableIdFilter = () => leaf({ any_: z.array(uuid()).nullish(), is_null_: boolean().nullish() });
export const nameFilter = () => leaf({ any_: z.array(z.string()).nullish(), like_: z.string().nullish() });
export const textFilter = () => leaf({ any_: z.array(z.string()).nullish() });
export const timestampFilter = () => leaf({ before_: timestamp().nullish(), after_: timestamp().nullish() });
export const integerRangeFilter = () => leaf({ ge_: integer().nullish(), le_: integer().nullish() });
export const operator = () => z.enum(['and_', 'or_']).default('and_');

/** A filter over one kind of object: every field is optional and null means absent. */
export function filterObject<S extends z.ZodRawShape>(fields: S) {
  return z.strictObject(Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, (field as z.ZodType).nullish()]))) as unknown as z.ZodObject<{
    [K in keyof S]: S[K] extends z.ZodType ? z.ZodOptional<z.ZodNullable<S[K]>> : never;
  }, z.core.$strict>;
}
