import { ActionFailedError, ActionInterruptedError } from '../actions/outcome.ts';
import { type HttpRequest, sendRequest } from './http-request.ts';

/** Of an answer, as much as its event shows. */
export const LONGEST_SHOWN_BODY = 1000;

/** Statuses by which a server says that another attempt may succeed. */
export const WORTH_RETRYING = new Set([408, 429, 502, 503, 504]);

/** Sends a notification. Throws ActionInterruptedError where it may be taken later, and ActionFailedError where it will not. */
async function deliver(request: HttpRequest, signal: AbortSignal): Promise<void> {
  const { status, text } = await sendRequest(request, signal);
  if (status < 400) return;
  const details = { notification_log: `HTTP ${status}: ${text.slice(0, LONGEST_SHOWN_BODY)}` };
  throw new (WORTH_RETRYING.has(status) ? ActionInterruptedError : ActionFailedError)(`The notification was answered with ${status}.`, { details });
}

/**
 * Delivers to each of those who are to be told. Throws as `deliver` where nobody could be; once somebody was, ActionFailedError:
 * another attempt would tell them twice.
 */
export async function deliverAll(requests: readonly HttpRequest[], signal: AbortSignal): Promise<void> {
  const results = await Promise.allSettled(requests.map((request) => deliver(request, signal)));
  const errors = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
  if (errors.length === 0) return;
  const [error] = errors;
  if (errors.length === requests.length) throw error;
  const reason = error instanceof Error ? error.message : String(error);
  throw new ActionFailedError(`${errors.length} of ${requests.length} could not be told: ${reason}`, error instanceof ActionFailedError ? { details: error.details } : {});
}
