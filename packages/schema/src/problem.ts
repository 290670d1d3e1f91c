import { z } from 'zod';
import type { JsonObject } from './json.ts';

/** A problem in pydantic's words, for which zod has none of its own; the gateway prints it as it is (http/validation.ts). */
export function refuse({ issues }: z.core.ParsePayload, input: unknown, type: string, message: string, ctx?: JsonObject): never {
  issues.push({ code: 'custom', input, message, params: { type, ...(ctx && { ctx }) } });
  return z.NEVER;
}
