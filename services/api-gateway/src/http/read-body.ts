import type { Request } from 'express';
import { BadRequestError, ValidationError } from '@praetor/schema/errors';
import { parseJson } from '@praetor/schema/json';
import { explainJsonError } from './json-error.ts';

/** Deeper JSON is refused, as by Python's parser; nothing that walks a value recursively overflows its stack before. */
const MAXIMUM_DEPTH = 1000;

const utf8 = new TextDecoder('utf-8', { fatal: true });

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\[]{}');

/** True where lists and objects lie in each other more than `MAXIMUM_DEPTH` deep. Brackets within strings do not count. */
function isTooDeep(json: Buffer): boolean {
  // The usual request is too short for it.
  if (json.length <= MAXIMUM_DEPTH) return false;
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index];
    if (isInString) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (++depth > MAXIMUM_DEPTH) return true;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
  }
  return false;
}

/** A body without a content type is JSON; with an empty one it is not. */
function isJson(contentType: string | undefined): boolean {
  return contentType === undefined || /^application\/(?:[^/;\s]*\+)?json\s*(?:;|$)/i.test(contentType);
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new BadRequestError('There was an error parsing the body');
  }
}

/** What a request brought: JSON, or text that it does not call JSON. */
export interface ReadBody {
  value: unknown;
  isJson: boolean;
}

/**
 * The body of a request; the value is undefined without one. Throws BadRequestError for what is no UTF-8 or too deep,
 * ValidationError for what is no JSON (facts/rules.md §1).
 */
export function readBody(request: Request): ReadBody {
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body) || body.length === 0) return { value: undefined, isJson: true };
  if (isTooDeep(body)) throw new BadRequestError('There was an error parsing the body');
  const text = decode(body);
  if (!isJson(request.get('content-type'))) return { value: text, isJson: false };
  try {
    return { value: parseJson(text), isJson: true };
  } catch {
    const { message, position } = explainJsonError(text);
    throw new ValidationError([{ type: 'json_invalid', loc: ['body', position], msg: 'JSON decode error', input: {}, ctx: { error: message } }], text);
  }
}
