import { z } from 'zod';
import type { Connection } from '@praetor/runtime/connection';

const PROTOCOL_ERROR = 1002;

const filterMessage = z.object({ type: z.literal('filter'), filter: z.unknown(), backfill: z.boolean().default(true) });

export interface Subscription<F> {
  filter: F;
  /** Whether the past is wanted too. */
  backfill: boolean;
}

/**
 * Reads what a subscriber wants. Undefined where it left, or sent something else, which closes the connection with 1002.
 * Throws, which drops the connection, where the filter itself is not valid.
 */
export async function receiveSubscription<F>(connection: Connection, filter: z.ZodType<F>): Promise<Subscription<F> | undefined> {
  const message = await connection.receiveJson();
  if (message === undefined) return undefined;
  const { data } = filterMessage.safeParse(message);
  if (data) return { filter: filter.parse(data.filter), backfill: data.backfill };
  connection.close(PROTOCOL_ERROR, "Expected 'filter' message");
  return undefined;
}
