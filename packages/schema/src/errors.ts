import type { JsonObject } from './json.ts';

/*
 * What can go wrong with a request, whoever notices it. The gateway alone turns these into status codes and bodies
 * (services/api-gateway/src/errors.ts); anything else that is thrown is a 500 or, from the database, a 503.
 */

/** The thing asked for does not exist. `style` picks Prefect's body: most endpoints `detail`, some `exception_message` (facts/rules.md §1). */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
  readonly style: 'detail' | 'exception_message';
  constructor(message: string, style: 'detail' | 'exception_message' = 'detail') {
    super(message);
    this.style = style;
  }
}

/** It would clash with something that exists, or with what exists now (409). */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}

/** A hand-written check failed: 422 with a `detail` text. */
export class UnprocessableError extends Error {
  override readonly name = 'UnprocessableError';
}

/** Well-formed, but not acceptable at this moment or in this combination (400). */
export class BadRequestError extends Error {
  override readonly name = 'BadRequestError';
}

/** Reserved or protected (403). */
export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError';
}

/** It was there and is no more: an expired lease (410). */
export class GoneError extends Error {
  override readonly name = 'GoneError';
}

/** No slot is free; the client should try again after `retryAfterSeconds`, or, with null, rather not (423). `detail` is what the body says. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
  readonly retryAfterSeconds: number | null;
  constructor(retryAfterSeconds: number | null, detail = 'Locked') {
    super(detail);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** One entry of a 422 body in pydantic's shape. */
export interface ValidationProblem {
  type: string;
  loc: (string | number)[];
  msg: string;
  input: unknown;
  ctx?: JsonObject;
}

/** The request does not fit its schema: 422 with the list of problems in pydantic's shape. */
export class ValidationError extends Error {
  override readonly name = 'ValidationError';
  readonly problems: ValidationProblem[];
  readonly requestBody: unknown;
  constructor(problems: ValidationProblem[], requestBody: unknown) {
    super('Invalid request received.');
    this.problems = problems;
    this.requestBody = requestBody;
  }
}
