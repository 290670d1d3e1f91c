import type { NextFunction, Request, Response } from 'express';

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'x-frame-options': 'SAMEORIGIN',
  // Pages with scripts of their own replace it by a stricter one.
  'content-security-policy': "frame-ancestors 'self'",
} as const;

/** What tells browsers not to guess types, not to tell other sites where they were, and not to show us in frames of others. */
export function addSecurityHeaders(_request: Request, response: Response, next: NextFunction): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  next();
}
