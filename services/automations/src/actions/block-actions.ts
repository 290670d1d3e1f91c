import { type OpenBlock, openBlock } from '@praetor/blocks/open-block';
import type { EventResource } from '@praetor/orchestration/lifecycle-events';
import type { ServiceContext } from '@praetor/runtime/service';
import type { JsonObject } from '@praetor/schema/json';
import { composeCustomWebhook, composeWebhook } from '../notifications/custom-webhook.ts';
import { LONGEST_SHOWN_BODY, WORTH_RETRYING, deliverAll } from '../notifications/delivery.ts';
import { sendEmail } from '../notifications/email.ts';
import { type HttpResponse, InvalidRequestError, UnansweredError, sendRequest } from '../notifications/http-request.ts';
import { PrivateAddressError } from '../notifications/private-addresses.ts';
import { type Notification, SERVICES } from '../notifications/services.ts';
import { ActionFailedError, ActionInterruptedError, type Outcome } from './outcome.ts';
import type { Attempt } from './worker.ts';

/* Actions that tell somebody else's server: through the blocks in which users keep addresses and secrets. */

/** Headers of an answer that may hold secrets. */
const SECRET_HEADER = /auth|cookie|token|secret|key|session/i;

async function loadBlock({ database, settings }: Pick<ServiceContext, 'database' | 'settings'>, id: string): Promise<OpenBlock> {
  const block = await openBlock(database.kysely, settings, id);
  if (block === undefined) throw new ActionFailedError(`The block ${id} was not found.`);
  return block;
}

function relatedBlock({ id, name, type }: OpenBlock): EventResource[] {
  return [
    { 'prefect.resource.id': `prefect.block-document.${id}`, 'prefect.resource.role': 'block', ...(name !== null && { 'prefect.resource.name': name }) },
    { 'prefect.resource.id': `prefect.block-type.${type}`, 'prefect.resource.role': 'block-type' },
  ];
}

/** Does something for which the network is needed: what can never succeed fails the action, everything else is tried again. */
async function reaching<T>(related: EventResource[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // Also what it was sent through is told in any case.
    if (error instanceof ActionInterruptedError) throw new ActionInterruptedError(error.message, { related, details: error.details });
    if (error instanceof ActionFailedError) throw new ActionFailedError(error.message, { related, details: error.details });
    const reason = error instanceof Error ? error.message : String(error);
    const isFinal = error instanceof InvalidRequestError || error instanceof PrivateAddressError || error instanceof UnansweredError;
    throw new (isFinal ? ActionFailedError : ActionInterruptedError)(reason, { related });
  }
}

function describeResponse({ status, headers, text }: HttpResponse): JsonObject {
  const shown = Object.entries(headers).filter(([name]) => !SECRET_HEADER.test(name));
  return { status_code: status, response_body: text.slice(0, LONGEST_SHOWN_BODY), response_headers: Object.fromEntries(shown) };
}

/** Calls the webhook of a block. Any answer will do, as with Prefect; one that asks for patience gets it. */
export async function callWebhook(context: ServiceContext, blockId: string, payload: string, { isLast, signal }: Attempt): Promise<Outcome> {
  const block = await loadBlock(context, blockId);
  if (block.type !== 'webhook') throw new ActionFailedError('The block is not a webhook.');
  const related = relatedBlock(block);
  const response = await reaching(related, () => sendRequest(composeWebhook(block.data, payload), signal));
  const outcome = { related, details: describeResponse(response) };
  if (WORTH_RETRYING.has(response.status) && !isLast) throw new ActionInterruptedError(`The webhook answered ${response.status}.`, outcome);
  return outcome;
}

async function sendTo({ type, data }: OpenBlock, notification: Notification, signal: AbortSignal): Promise<unknown> {
  if (type === 'email-server-credentials') return sendEmail(data, notification, signal);
  if (type === 'custom-webhook') return deliverAll([composeCustomWebhook(data, notification)], signal);
  const compose = SERVICES[type];
  if (compose === undefined) throw new InvalidRequestError(`Notifications cannot be sent through blocks of type '${type}'.`);
  return deliverAll(compose(data, notification), signal);
}

/** Sends a notification through a block. */
export async function sendNotification(context: ServiceContext, blockId: string, notification: Notification, { signal }: Attempt): Promise<Outcome> {
  const block = await loadBlock(context, blockId);
  const related = relatedBlock(block);
  await reaching(related, async () => sendTo(block, notification, signal));
  return { related };
}
