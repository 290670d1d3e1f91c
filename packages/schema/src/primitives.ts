import { z } from 'zod';
import { type Json, type JsonObject, isRawJson, unwrapNumber } from './json.ts';
import { fromMicroseconds, normalizeTimestamp } from './timestamps.ts';

/*
 * The wire's corners, once: what Prefect's pydantic models accept and print (facts/rules.md §3). Every resource's schema
 * is built from these. Input is lenient where Python is ("5" is an integer, a UUID needs no dashes), output is canonical.
 */

const UUID = /^(?:urn:uuid:)?\{?([0-9a-fA-F]{8})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{12})\}?$/;

/** The canonical form of any text that Python's UUID() takes, or undefined. */
export function normalizeUuid(text: string): string | undefined {
  const match = UUID.exec(text);
  return match ? match.slice(1).join('-').toLowerCase() : undefined;
}

/** A UUID in any form that Python accepts; the value is lower case with dashes. */
export const uuid = () =>
  z
    .string()
    .meta({ format: 'uuid' })
    .transform((text, context): string => {
      const id = normalizeUuid(text);
      if (id !== undefined) return id;
      context.issues.push({ code: 'custom', input: text, message: 'Input should be a valid UUID', params: { type: 'uuid_parsing' } });
      return z.NEVER;
    });

/** A moment: ISO 8601 text with any offset (none means UTC), or seconds or milliseconds since 1970; the value is in wire form. */
export const timestamp = () =>
  z.preprocess(
    (value, context) => {
      const number = unwrapNumber(value);
      // pydantic takes large epoch numbers for milliseconds.
      if (typeof number === 'number') return fromMicroseconds(Math.round(Math.abs(number) > 2e10 ? number * 1000 : number * 1_000_000));
      const normalized = typeof value === 'string' ? normalizeTimestamp(value) : undefined;
      if (typeof value === 'string' && normalized === undefined) {
        const params = { type: 'datetime_from_date_parsing' };
        context.issues.push({ code: 'custom', input: value, message: 'Input should be a valid datetime or date, invalid format', params });
      }
      return normalized ?? value;
    },
    z.string().meta({ format: 'date-time' }),
  );

const INTEGER = /^\s*[+-]?\d+(?:\.0*)?\s*$/;
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

function toNumber(value: unknown, pattern: RegExp): unknown {
  if (typeof value === 'string' && pattern.test(value)) return Number(value);
  if (typeof value === 'boolean') return Number(value);
  return unwrapNumber(value);
}

/** An integer; numeric text and 5.0 are accepted as pydantic does. */
export const integer = (check: (schema: z.ZodInt) => z.ZodInt = (schema) => schema) =>
  z.preprocess((value) => toNumber(value, INTEGER), check(z.int()));

/** A floating-point number; numeric text is accepted. */
export const float = (check: (schema: z.ZodNumber) => z.ZodNumber = (schema) => schema) =>
  z.preprocess((value) => toNumber(value, NUMBER), check(z.number()));

const TRUE = new Set<unknown>([true, 1, '1', 'true', 't', 'yes', 'y', 'on']);
const FALSE = new Set<unknown>([false, 0, '0', 'false', 'f', 'no', 'n', 'off']);

/** A boolean; pydantic's words and digits are accepted. */
export const boolean = () =>
  z.preprocess((value) => {
    const key = typeof value === 'string' ? value.toLowerCase() : unwrapNumber(value);
    return TRUE.has(key) ? true : FALSE.has(key) ? false : value;
  }, z.boolean());

const DURATION = /^([+-])?P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i;
const CLOCK = /^([+-])?(?:(\d+) days?,? ?)?(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,6})?))?$/;

/** Seconds of an ISO 8601 duration or of `[D days, ]HH:MM[:SS]`, or undefined. */
function parseDuration(text: string): number | undefined {
  const iso = DURATION.exec(text);
  if (iso) {
    const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = iso.slice(2).map((part) => Number(part ?? 0));
    return (iso[1] === '-' ? -1 : 1) * (weeks * 604_800 + days * 86_400 + hours * 3600 + minutes * 60 + seconds);
  }
  const clock = CLOCK.exec(text);
  if (!clock) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = clock.slice(2).map((part) => Number(part ?? 0));
  return (clock[1] === '-' ? -1 : 1) * (days * 86_400 + hours * 3600 + minutes * 60 + seconds);
}

/** A duration: seconds, or the texts of `parseDuration`; the value is seconds. */
export const duration = (check: (schema: z.ZodNumber) => z.ZodNumber = (schema) => schema) =>
  z.preprocess((value) => (typeof value === 'string' ? (parseDuration(value) ?? value) : toNumber(value, NUMBER)), check(z.number()));

/** Any JSON value. */
export const json = () => z.unknown().transform((value) => value as Json);

/** A JSON object with free keys (parameters, job variables, labels…). Numbers inside keep their source text. */
export const jsonObject = () =>
  z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawJson(value), {
    message: 'Input should be a valid dictionary',
    params: { type: 'dict_type' },
  });

/** A name that may stand in a URL: not empty, none of `/ % & > <` (facts/rules.md §6). */
export const name = () => z.string().regex(/^[^/%&><]+$/);

export const tags = () => z.array(z.string());

/** Accepts null for absent and gives the default for both. */
export const withDefault = <T extends z.ZodType>(schema: T, value: () => z.output<T>) =>
  schema.nullish().transform((given) => given ?? value()) as unknown as z.ZodType<z.output<T>, z.input<T> | null | undefined>;

/** The fields that every stored record begins with. */
export const recordFields = () => ({ id: uuid(), created: timestamp(), updated: timestamp() });
