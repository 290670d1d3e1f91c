import { type Json, type JsonObject, isJsonObject } from '@praetor/schema/json';
import { InvalidRequestError } from './http-request.ts';

/* Fields of block documents: what their users have filled in, which may be anything. */

/** A text that may be missing. */
export function textField(data: JsonObject, name: string): string | undefined {
  const value = data[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Throws InvalidRequestError where the field is missing. */
export function requiredField(data: JsonObject, name: string): string {
  const value = textField(data, name);
  if (value === undefined) throw new InvalidRequestError(`The block has no ${name}.`);
  return value;
}

/** Texts of a list, or the only one. */
export function textsField(data: JsonObject, name: string): string[] {
  return [data[name]].flat().filter((value) => typeof value === 'string');
}

const toText = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

/** An object of texts, or none. */
export function recordField(data: JsonObject, name: string): Record<string, string> | undefined {
  const value = data[name];
  return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, toText(one)])) : undefined;
}
