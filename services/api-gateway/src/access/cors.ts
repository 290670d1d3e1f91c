import cors from 'cors';
import type { RequestHandler } from 'express';
import type { Settings } from '@praetor/schema/settings';

/** Starlette's list for `*`. */
const ALL_METHODS = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT';
const MAX_AGE_SECONDS = 600;

const split = (text: string) => text.split(',').map((part) => part.trim());

/** Lets browsers call from the allowed origins, as Prefect's server does (facts/rules.md §2). */
export function allowOrigins({ corsAllowedOrigins, corsAllowedMethods, corsAllowedHeaders }: Settings['api']): RequestHandler {
  const answer = cors({
    origin: corsAllowedOrigins === '*' ? '*' : split(corsAllowedOrigins),
    methods: corsAllowedMethods === '*' ? ALL_METHODS : split(corsAllowedMethods),
    // Left out, the headers that the browser asks for are the ones allowed.
    ...(corsAllowedHeaders !== '*' && { allowedHeaders: split(corsAllowedHeaders) }),
    maxAge: MAX_AGE_SECONDS,
    optionsSuccessStatus: 200,
  });
  return (request, response, next) => {
    // Any other OPTIONS is a request for a route, which has none.
    if (request.method === 'OPTIONS' && request.get('access-control-request-method') === undefined) return next();
    answer(request, response, next);
  };
}
