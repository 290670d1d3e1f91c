import { z } from 'zod';
import { integer, withDefault } from '@praetor/schema/primitives';

/**
 * The body of an endpoint with several body parameters (`{flows, limit, offset, sort}`): unknown keys are ignored, and a
 * missing body is an empty one (facts/rules.md §3, "Extra / unknown fields"). Models use `z.strictObject` instead.
 */
export function bodyParameters<S extends z.ZodRawShape>(shape: S) {
  return z.object(shape).prefault({} as z.input<z.ZodObject<S>>);
}

/** How many objects one request may change at most (facts/rules.md §4). */
const BULK_LIMIT = 50;

export const bulkLimit = () => withDefault(integer((schema) => schema.min(1).max(BULK_LIMIT)), () => BULK_LIMIT);
