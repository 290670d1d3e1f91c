import { BadRequestError, ConflictError, NotFoundError, UnprocessableError, ValidationError } from '@praetor/schema/errors';
import type { JsonObject } from '@praetor/schema/json';
import { ActionFailedError, type Outcome } from './outcome.ts';

/** The status that the API would answer, which the events of actions tell. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof NotFoundError) return 404;
  if (error instanceof BadRequestError) return 400;
  if (error instanceof ConflictError) return 409;
  if (error instanceof UnprocessableError || error instanceof ValidationError) return 422;
  return undefined;
}

/** Does work for an action; what the API would refuse, fails the action for good. `related` is told in any case. */
export async function refusing<T>(related: Outcome['related'], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined || !(error instanceof Error)) throw error;
    const reason = error instanceof ValidationError ? error.problems.map(({ msg }) => msg).join('; ') : error.message;
    const details: JsonObject = { status_code: status, ...(status === 409 && { validation_error: reason }) };
    throw new ActionFailedError(reason, { ...(related && { related }), details });
  }
}
