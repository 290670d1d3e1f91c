import { type Json, type JsonObject, isJsonObject, unwrapNumber } from '@praetor/schema/json';
import { recordField, requiredField, textField } from './block-fields.ts';
import type { HttpRequest } from './http-request.ts';
import { InvalidRequestError } from './http-request.ts';
import type { Notification } from './services.ts';

/*
 * Blocks in which users write their requests themselves: `{{subject}}`, `{{body}}`, `{{name}}` and the block's secrets stand
 * in any part of a custom webhook.
 */

const PLACEHOLDER = /\{\{\s*([\w-]+)\s*\}\}/g;

type Values = ReadonlyMap<string, string>;

function fill(text: string, values: Values): string {
  return text.replaceAll(PLACEHOLDER, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new InvalidRequestError(`The block has no secret '${name}'.`);
    return value;
  });
}

function fillAll(value: Json | undefined, values: Values): Json {
  if (typeof value === 'string') return fill(value, values);
  if (Array.isArray(value)) return value.map((element) => fillAll(element, values));
  if (isJsonObject(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [fill(key, values), fillAll(one, values)]));
  return value ?? null;
}

function fillRecord(data: JsonObject, name: string, values: Values): Record<string, string> {
  return Object.fromEntries(Object.entries(recordField(data, name) ?? {}).map(([key, text]) => [fill(key, values), fill(text, values)]));
}

function bodyOf(data: JsonObject, values: Values): Pick<HttpRequest, 'body' | 'headers'> {
  const { json_data: json, form_data: form } = data;
  if (json != null && form != null) throw new InvalidRequestError('The block has both form data and JSON data.');
  if (json != null) return { body: JSON.stringify(fillAll(json, values)), headers: { 'content-type': 'application/json' } };
  if (typeof form === 'string') return { body: fill(form, values) };
  if (form == null) return {};
  return { body: new URLSearchParams(fillRecord(data, 'form_data', values)).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } };
}

/** The request of a block of type `custom-webhook`. Throws InvalidRequestError where it names what is not there. */
export function composeCustomWebhook(data: JsonObject, { subject, body }: Notification): HttpRequest {
  const values = new Map(Object.entries({ ...recordField(data, 'secrets'), subject, body, name: textField(data, 'name') ?? '' }));
  const url = URL.parse(fill(requiredField(data, 'url'), values));
  if (url === null) throw new InvalidRequestError('The URL of the block is none.');
  for (const [key, value] of Object.entries(fillRecord(data, 'params', values))) url.searchParams.append(key, value);
  const cookies = Object.entries(fillRecord(data, 'cookies', values)).map(([key, value]) => `${key}=${value}`);
  const content = bodyOf(data, values);
  const timeout = unwrapNumber(data['timeout']);
  return {
    method: textField(data, 'method') ?? 'POST',
    url: url.href,
    headers: { ...content.headers, ...(cookies.length > 0 && { cookie: cookies.join('; ') }), ...fillRecord(data, 'headers', values) },
    ...(content.body !== undefined && { body: content.body }),
    allowsPrivate: data['allow_private_urls'] === true,
    ...(typeof timeout === 'number' && timeout > 0 && { timeoutSeconds: timeout }),
  };
}

/** The request of a block of type `webhook`, with the action's payload as its body. */
export function composeWebhook(data: JsonObject, payload: string): HttpRequest {
  return {
    method: textField(data, 'method') ?? 'POST',
    url: requiredField(data, 'url'),
    headers: recordField(data, 'headers') ?? {},
    body: payload,
    allowsPrivate: data['allow_private_urls'] === true,
    verifiesCertificate: data['verify'] !== false,
  };
}
