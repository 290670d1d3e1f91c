/** Any value that JSON can hold. A number which a JavaScript number cannot hold exactly is a `RawJson`. */
export type Json = string | number | boolean | null | RawJson | Json[] | { [key: string]: Json | undefined };
export type JsonObject = { [key: string]: Json | undefined };

/** A JSON number kept as its source text (`JSON.rawJSON`); `JSON.stringify` prints it unchanged. */
export interface RawJson {
  readonly rawJSON: string;
}

declare global {
  interface JSON {
    rawJSON(text: string): RawJson;
    isRawJSON(value: unknown): value is RawJson;
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  }
}

/*
 * Texts in which some number may lose something on its way through a double: 1.0, 1e5, 0.0000001, -0, more than 15 digits.
 * Looking for whole tokens keeps most texts, which are full of timestamps and ids, off the slow way of parsing.
 */
const MAY_LOSE_PRECISION = /(?:^|[\s[,:])-?(?:\d+\.\d*0|\d[\d.]*[eE][+-]?\d+|\d[\d.]{15,}|0\.0{6}\d*|(?<=-)0)(?:[\s,\]}]|$)/;

function keepSource(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined) return value;
  return String(value) === context.source ? value : JSON.rawJSON(context.source);
}

/**
 * Parses JSON without changing its numbers: Python tells `1.0` from `1` and holds integers of any size, so a flow's
 * parameters must come back as they were sent. Numbers that a double would print differently become `RawJson`.
 * Throws SyntaxError like `JSON.parse`.
 */
export function parseJson(text: string): unknown {
  // What most columns of most rows hold is not worth a look for numbers.
  if (text === '{}') return {};
  if (text === '[]') return [];
  return MAY_LOSE_PRECISION.test(text) ? JSON.parse(text, keepSource) : JSON.parse(text);
}

/** The JSON text of a value, for a `json` or `jsonb` column: those columns take text in and give values out. */
export function toJson(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

export function isRawJson(value: unknown): value is RawJson {
  return JSON.isRawJSON(value);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawJson(value);
}

/** The number behind a JSON number, where a schema asks for a number and exactness no longer matters. */
export function unwrapNumber(value: unknown): unknown {
  return isRawJson(value) ? Number(value.rawJSON) : value;
}
