import type { NextFunction, Request, Response } from 'express';
import { isSameSecret } from '@praetor/runtime/secrets';
import { send } from '../http/mount.ts';
import { Reply } from '../http/route.ts';

/** Probes carry no credentials (facts/rules.md §2). */
const PROBES = new Set(['/health', '/ready']);

/** The requests that anybody may make, however often: reading a probe. `path` is relative to the API. */
export function isProbe({ method, path }: Pick<Request, 'method' | 'path'>): boolean {
  return PROBES.has(path) && (method === 'GET' || method === 'HEAD');
}

/** What `Authorization: Basic …` holds, decoded; undefined for anything else. */
function readBasicCredentials(header: string | undefined): string | undefined {
  const encoded = /^Basic +(\S+)$/i.exec(header ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** Basic authentication against PREFECT_SERVER_API_AUTH_STRING, where one is set; the whole string counts. */
export function requireAuthentication(authString: string | undefined) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (authString === undefined || isProbe(request)) return next();
    const credentials = readBasicCredentials(request.get('authorization'));
    if (credentials !== undefined && isSameSecret(credentials, authString)) return next();
    send(response, new Reply(401, { exception_message: 'Unauthorized' }));
  };
}
