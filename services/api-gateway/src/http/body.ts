import { z } from 'zod';
import { isJsonObject } from '@praetor/schema/json';
import { integer } from '@praetor/schema/primitives';

/** A body parameter that is null counts as left out, whatever its type. In what is no object, all are looked for in vain. */
function readParameters(body: unknown, names: readonly string[], { issues }: z.core.ParsePayload): unknown {
  if (body === undefined || body === null) return {};
  if (!isJsonObject(body)) {
    for (const name of names) issues.push({ code: 'custom', input: undefined, path: [name], params: { type: 'missing' }, message: 'Field required' });
    return z.NEVER;
  }
  for (const key in body) if (body[key] === null) return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  return body;
}

/**
 * The body of an endpoint with several body parameters (`{flows, limit, offset, sort}`): unknown keys are ignored, null
 * is the same as absent, and a missing body is an empty one (facts/rules.md §3, "Extra / unknown fields"). Models use
 * `z.strictObject` instead.
 */
export function bodyParameters<S extends z.ZodRawShape>(shape: S) {
  const names = Object.keys(shape);
  return z.preprocess((body, context) => readParameters(body, names, context), z.object(shape)).meta({ parameters: true });
}

/** How many objects one request may change at most (facts/rules.md §4). */
const BULK_LIMIT = 50;

export const bulkLimit = () => integer((schema) => schema.min(1).max(BULK_LIMIT)).default(BULK_LIMIT);
