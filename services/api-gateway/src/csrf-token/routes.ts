import type { NextFunction, Request, Response } from 'express';
import { z } from 'zod';
import { UnprocessableError } from '@praetor/schema/errors';
import { recordFields, timestamp } from '@praetor/schema/primitives';
import type { GatewayContext } from '../context.ts';
import { send } from '../http/mount.ts';
import { Reply, type Resource, route } from '../http/route.ts';
import { createCsrfToken, isCsrfTokenValid } from './queries.ts';

const PROTECTED_METHODS = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

const CsrfToken = z
  .object({ ...recordFields(), token: z.string(), client: z.string(), expiration: timestamp() })
  .meta({ id: 'CsrfToken' });

export const csrfToken: Resource = {
  prefix: '/csrf-token',
  tag: 'Root',
  routes: [
    route({
      method: 'get',
      path: '',
      name: 'create_csrf_token',
      tags: [],
      query: { client: z.string() },
      response: CsrfToken,
      status: 200,
      handler: ({ query }, { database, settings }) => {
        // The client looks for this very text and then stops asking (facts/hidden-endpoints.md §0).
        if (!settings.api.csrfProtectionEnabled) throw new UnprocessableError('CSRF protection is disabled.');
        return createCsrfToken(database.kysely, query.client, settings.api.csrfTokenExpirationSeconds);
      },
    }),
  ],
};

/** Refuses changing requests without a valid token, before authentication and routing (facts/hidden-endpoints.md §2). */
export function requireCsrfToken({ database, settings }: GatewayContext) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    if (!settings.api.csrfProtectionEnabled || !PROTECTED_METHODS.has(request.method)) return next();
    const client = request.get('prefect-csrf-client');
    const token = request.get('prefect-csrf-token');
    if (client !== undefined && token !== undefined && (await isCsrfTokenValid(database.kysely, client, token))) return next();
    // "Invalid CSRF token" is what makes the client fetch a new one.
    const detail = token === undefined ? 'Missing CSRF token.' : client === undefined ? 'Missing client identifier.' : 'Invalid CSRF token or client identifier.';
    send(response, new Reply(403, { detail }));
  };
}
