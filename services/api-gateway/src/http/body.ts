import { z } from 'zod';

/**
 * The body of an endpoint with several body parameters (`{flows, limit, offset, sort}`): unknown keys are ignored, and a
 * missing body is an empty one (facts/rules.md §3, "Extra / unknown fields"). Models use `z.strictObject` instead.
 */
export function bodyParameters<S extends z.ZodRawShape>(shape: S) {
  return z.object(shape).prefault({} as z.input<z.ZodObject<S>>);
}
