import { createHash, timingSafeEqual } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { send } from './http/mount.ts';
import { Reply } from './http/route.ts';

/** Probes carry no credentials (facts/rules.md §2). */
const OPEN_PATHS = new Set(['/health', '/ready']);
const MINIMUM_API_VERSION = [0, 8, 0] as const;

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Compares in constant time, whatever the lengths. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

/** Basic authentication against PREFECT_SERVER_API_AUTH_STRING, where one is set. */
export function requireAuthentication(authString: string | undefined) {
  const expected = authString === undefined ? undefined : Buffer.from(authString).toString('base64');
  return (request: Request, response: Response, next: NextFunction): void => {
    if (expected === undefined || OPEN_PATHS.has(request.path)) return next();
    const [scheme = '', credentials = ''] = (request.get('authorization') ?? '').split(' ');
    if (scheme.toLowerCase() === 'basic' && isSame(credentials, expected)) return next();
    send(response, new Reply(401, { exception_message: 'Unauthorized' }));
  };
}

/** Refuses clients of an API older than 0.8.0; newer ones and none at all are welcome (facts/rules.md §2). */
export function requireApiVersion(request: Request, response: Response, next: NextFunction): void {
  const header = request.get('x-prefect-api-version');
  if (header === undefined || request.path === '/health' || request.path === '/version') return next();
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(header);
  if (!match) return send(response, new Reply(400, { detail: `Invalid X-PREFECT-API-VERSION header format. Expected header in format 'x.y.z' but received ${header}` }));
  const version = match.slice(1).map(Number);
  const difference = version.map((part, index) => part - (MINIMUM_API_VERSION[index] ?? 0)).find((part) => part !== 0) ?? 0;
  if (difference >= 0) return next();
  send(response, new Reply(400, { detail: `The client speaks API version ${header}; this server needs at least ${MINIMUM_API_VERSION.join('.')}.` }));
}
