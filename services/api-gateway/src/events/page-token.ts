import { z } from 'zod';
import { ForbiddenError } from '@praetor/schema/errors';
import { eventFilter } from '@praetor/schema/event';
import { parseJson, toJson } from '@praetor/schema/json';

const pageToken = z.object({ filter: eventFilter, count: z.int(), page_size: z.int(), offset: z.int() });
/** What it takes to read the next page of a query: its filter, with all moments fixed, and where it stands. */
export type PageToken = z.output<typeof pageToken>;

const encode = (text: string) => Buffer.from(text).toString('base64');
const decode = (text: string) => Buffer.from(text, 'base64').toString();

/** Encoded twice, as Prefect does: links that its server gave out stay good (facts/events.md §5). */
export function writePageToken(token: PageToken): string {
  return encode(encode(toJson(token)));
}

/** Throws ForbiddenError where the text is no token. */
export function readPageToken(text: string): PageToken {
  try {
    return pageToken.parse(parseJson(decode(decode(text))));
  } catch {
    throw new ForbiddenError('Forbidden');
  }
}
