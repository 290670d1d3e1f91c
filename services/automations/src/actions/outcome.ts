import type { EventResource, ServerEvent } from '@praetor/orchestration/lifecycle-events';
import type { JsonObject } from '@praetor/schema/json';
import { now, secondsBetween } from '@praetor/schema/timestamps';
import { v7 as uuidv7 } from 'uuid';
import { type TriggeredAction, automationResource, relatedEvent } from '../triggered-action.ts';

/** What an action has done or tried to do, for its events. */
export interface Outcome {
  /** What it acted on and what it made. */
  related?: EventResource[];
  /** What came of it, for the payload. */
  details?: JsonObject;
}

/** The action cannot succeed, now or later. The reason, and what was found out on the way, are told in its event. */
export class ActionFailedError extends Error implements Outcome {
  override readonly name = 'ActionFailedError';
  readonly related: EventResource[];
  readonly details: JsonObject;
  constructor(reason: string, { related = [], details = {} }: Outcome = {}) {
    super(reason);
    this.related = related;
    this.details = details;
  }
}

/** The action failed in a way that may be over soon: the other side is away or overloaded. */
export class ActionInterruptedError extends ActionFailedError {}

/** An event follows the one that triggered it if it is closer than this; further apart their order is plain. */
const TIGHT_SECONDS = 300;

/** The two events that tell of an action which is over: that it was triggered, and how it ended (facts/events.md §7.6). */
export function actionEvents(triggered: TriggeredAction, outcome: Outcome, failure?: string): ServerEvent[] {
  const { automation, action, triggering_event: cause } = triggered;
  const resource = automationResource(automation, { 'prefect.trigger-type': automation.trigger.type });
  const related = [
    ...(outcome.related ?? []),
    relatedEvent(triggered.automation_triggered_event_id, 'automation-triggered-event'),
    ...(cause === null ? [] : [relatedEvent(cause.id, 'triggering-event')]),
  ];
  const payload = { action_index: triggered.action_index, action_type: action.type, invocation: triggered.id };
  const id = uuidv7();
  const isTight = cause !== null && Math.abs(secondsBetween(cause.occurred, triggered.triggered)) < TIGHT_SECONDS;
  const prefix = 'prefect.automation.action';
  return [
    { id, event: `${prefix}.triggered`, occurred: triggered.triggered, resource, related, payload, follows: isTight ? cause.id : null },
    {
      event: `${prefix}.${failure === undefined ? 'executed' : 'failed'}`,
      occurred: now(),
      resource,
      related,
      payload: { ...payload, ...(failure !== undefined && { reason: failure }), ...outcome.details },
      follows: id,
    },
  ];
}
