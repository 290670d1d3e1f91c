import { integer, withDefault } from '@praetor/schema/primitives';
import { UnprocessableError } from '@praetor/schema/errors';
import type { GatewayContext } from '../context.ts';

/** The body parameters of every list endpoint (facts/rules.md §4). */
export const page = {
  limit: integer().nullish(),
  offset: withDefault(
    integer((schema) => schema.min(0)),
    () => 0,
  ),
};

export interface Page {
  limit: number;
  offset: number;
}

/** The page that a request asks for. Throws UnprocessableError: the client's CLI looks for the words "Invalid limit". */
export function readPage({ limit, offset }: { limit?: number | null | undefined; offset: number }, { settings }: GatewayContext): Page {
  const maximum = settings.api.defaultLimit;
  const given = limit ?? maximum;
  if (given < 0) throw new UnprocessableError('Invalid limit: must be greater than or equal to 0.');
  if (given > maximum) throw new UnprocessableError(`Invalid limit: must be less than or equal to ${maximum}.`);
  return { limit: given, offset };
}
