import { z } from 'zod';
import { integer } from '@praetor/schema/primitives';
import { UnprocessableError } from '@praetor/schema/errors';
import type { GatewayContext } from '../context.ts';

/** The body parameters of every list endpoint (facts/rules.md §4). */
export const page = {
  limit: integer().optional(),
  offset: integer((schema) => schema.min(0)).default(0),
};

export interface Page {
  limit: number;
  offset: number;
}

/** The page that a request asks for. Throws UnprocessableError: the client's CLI looks for the words "Invalid limit". */
export function readPage({ limit, offset }: { limit?: number | undefined; offset: number }, { settings }: GatewayContext): Page {
  const maximum = settings.api.defaultLimit;
  const given = limit ?? maximum;
  if (given < 0) throw new UnprocessableError('Invalid limit: below zero.');
  if (given > maximum) throw new UnprocessableError(`Invalid limit: ${maximum} at most.`);
  return { limit: given, offset };
}

/** The body parameters of the list endpoints that number their pages from 1. */
export const numberedPage = { limit: page.limit, page: integer((schema) => schema.min(1)).default(1) };

/** The answer of such an endpoint. */
export const pageOf = <T extends z.ZodType>(id: string, row: T) =>
  z.object({ results: z.array(row), count: z.int(), limit: z.int(), pages: z.int(), page: z.int() }).meta({ id });

/** Reads one numbered page and counts all rows at the same time. Throws like `readPage`. */
export async function paginate<T>(
  request: { limit?: number | undefined; page: number },
  context: GatewayContext,
  list: (page: Page) => Promise<T[]>,
  count: () => Promise<number>,
): Promise<{ results: T[]; count: number; limit: number; pages: number; page: number }> {
  const { limit } = readPage({ limit: request.limit, offset: 0 }, context);
  const [results, total] = await Promise.all([list({ limit, offset: (request.page - 1) * limit }), count()]);
  return { results, count: total, limit, pages: limit === 0 ? 0 : Math.ceil(total / limit), page: request.page };
}
