import { rateLimit } from 'express-rate-limit';
import type { RequestHandler } from 'express';
import { send } from '../http/mount.ts';
import { Reply } from '../http/route.ts';
import { isProbe } from './authentication.ts';

const WINDOW_MS = 60_000;

/**
 * Answers 429 with Retry-After to an address that has made more requests in a minute than it may; probes are not counted.
 * Each gateway counts for itself, so behind a load balancer the limit of the whole grows with the number of gateways.
 */
export function limitRequests(perMinute: number | undefined): RequestHandler {
  if (perMinute === undefined) return (_request, _response, next) => next();
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: perMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    skip: isProbe,
    handler: (_request, response) => send(response, new Reply(429, { detail: 'Too Many Requests' })),
    // It checks for mistakes in the trust of proxies, which is a setting here.
    validate: false,
  });
}
