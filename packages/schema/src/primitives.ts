import { z } from 'zod';
import { type Json, type JsonObject, isRawJson } from './json.ts';
import { timestamp } from './timestamp-schema.ts';
import { uuid } from './uuid.ts';

export { duration } from './duration.ts';
export { boolean, float, integer } from './numbers.ts';
export { timestamp, uuid };
export { normalizeUuid } from './uuid.ts';

/*
 * The wire's corners, once: what Prefect's pydantic models accept and print (facts/rules.md §3). Every resource's schema
 * is built from these. Input is lenient where Python is ("5" is an integer, a UUID needs no dashes), output is canonical.
 */

/** A default that is made anew each time, and that the document does not show. */
export const orElse = <T extends z.ZodType>(schema: T, value: () => z.output<T>) => schema.optional().transform((given): z.output<T> => given ?? value());

/** Null where nothing is given. */
export const orNull = <T extends z.ZodType>(schema: T) => schema.nullish().transform((given): z.output<T> | null => given ?? null);

/** Any JSON value. */
export const json = () => z.unknown().transform((value) => value as Json);

/** A JSON object with free keys (parameters, job variables, labels…). Numbers inside keep their source text. */
export const jsonObject = () =>
  z
    .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawJson(value), {
      message: 'Input should be a valid dictionary',
      params: { type: 'dict_type' },
    })
    .meta({ type: 'object', additionalProperties: true });

export const NAME = /^[^/%&><]+$/;

/** A name that may stand in a URL: not empty, none of `/ % & > <` (facts/rules.md §6). */
export const name = () => z.string().regex(NAME);

/** The name of a run; empty or null, the server picks one. */
export const runName = () => z.preprocess((given) => given || null, z.string().nullable()).optional().meta({ describedAs: z.string().optional() });

export const tags = () => z.array(z.string());

/** When a record was stored or changed; always there, though Prefect's document allows null. */
const recordTime = () => timestamp().meta({ describedAs: timestamp().nullable(), required: true });

/** The fields that every stored record begins with. */
export const recordFields = () => ({ id: uuid(), created: recordTime(), updated: recordTime() });
