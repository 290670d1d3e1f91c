import { BadRequestError, ConflictError, ForbiddenError, GoneError, LockedError, NotFoundError, UnprocessableError, ValidationError } from '@praetor/schema/errors';
import { classifyDatabaseError } from '@praetor/database/errors';
import { BrokerUnavailableError } from '@praetor/streams/broker';
import { Reply } from './http/route.ts';

const DETAIL_STATUS = [
  [ConflictError, 409],
  [UnprocessableError, 422],
  [BadRequestError, 400],
  [ForbiddenError, 403],
  [GoneError, 410],
] as const;

/** What Prefect says where its database refused to store something. */
const INTEGRITY_CONFLICT = 'Data integrity conflict. This usually means a unique or foreign key constraint was violated. See server logs for details.';

const RETRY_SOON = { 'retry-after': '1' };

/** Errors that Express and its body reader raise themselves carry a status. */
function clientErrorStatus(error: unknown): number | undefined {
  const status = error instanceof Error ? Reflect.get(error, 'status') : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

/** The changes, none of which may be null unless it is named: a record always has a value there. Throws ConflictError, as if the database had noticed. */
export function refuseNulls<T extends object, K extends keyof T = never>(changes: T, ...nullable: K[]): { [P in keyof T]: P extends K ? T[P] : Exclude<T[P], null> } {
  const isRefused = ([key, value]: [string, unknown]) => value === null && !nullable.some((name) => name === key);
  if (Object.entries(changes).some(isRefused)) throw new ConflictError(INTEGRITY_CONFLICT);
  // What the type takes away was just found to be absent.
  return changes as { [P in keyof T]: P extends K ? T[P] : Exclude<T[P], null> };
}

/** The answer to anything that was thrown, in the shapes of facts/rules.md §1. `expected` is false where a log line is due. */
export function toErrorReply(error: unknown): { reply: Reply; expected: boolean } {
  const known = (reply: Reply) => ({ reply, expected: true });
  if (error instanceof ValidationError)
    return known(new Reply(422, { exception_message: error.message, exception_detail: error.problems, request_body: error.requestBody ?? null }));
  if (error instanceof NotFoundError) return known(new Reply(404, { [error.style]: error.message }));
  if (error instanceof LockedError) return known(new Reply(423, { detail: error.message }, error.retryAfterSeconds === null ? {} : { 'retry-after': String(error.retryAfterSeconds) }));
  for (const [type, status] of DETAIL_STATUS) if (error instanceof type) return known(new Reply(status, { detail: error.message }));
  if (error instanceof BrokerUnavailableError) return { reply: new Reply(503, { exception_message: 'Service Unavailable' }, RETRY_SOON), expected: false };
  const kind = classifyDatabaseError(error);
  if (kind === 'unique_violation' || kind === 'foreign_key_violation')
    return known(new Reply(409, { detail: INTEGRITY_CONFLICT }));
  // A NUL in a text, a number that its column cannot hold.
  if (kind === 'data') return { reply: new Reply(422, { detail: 'The request holds a value that cannot be stored.' }), expected: false };
  if (kind !== undefined) return { reply: new Reply(503, { exception_message: 'Service Unavailable' }, RETRY_SOON), expected: false };
  const status = clientErrorStatus(error);
  if (status !== undefined) return known(new Reply(status, { detail: error instanceof Error ? error.message : 'Bad Request' }));
  return { reply: new Reply(500, { exception_message: 'Internal Server Error' }), expected: false };
}
