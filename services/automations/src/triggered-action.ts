import { type EventResource, type ServerEvent, eventResource } from '@praetor/orchestration/lifecycle-events';
import type { Automation } from '@praetor/schema/automation';
import type { Action } from '@praetor/schema/automation/action';
import type { ReceivedEvent } from '@praetor/schema/event';
import type { Timestamp } from '@praetor/schema/timestamps';
import type { Firing } from '@praetor/triggers/firing';
import { v7 as uuidv7 } from 'uuid';
import type { AutomationFiring } from './evaluation.ts';

/* What the firing of an automation entails: an event that tells of it, and its actions (facts/events.md §7.6). */

/** One action of one firing, whole: it is carried out even if its automation is changed or deleted meanwhile. */
export interface TriggeredAction {
  /** The invocation: the same at every attempt. */
  id: string;
  automation: Automation;
  firing: Firing;
  triggered: Timestamp;
  triggering_labels: Record<string, string>;
  triggering_event: ReceivedEvent | null;
  action: Action;
  action_index: number;
  /** The event that tells of the firing. */
  automation_triggered_event_id: string;
}

/** The automation as the resource of its events. */
export function automationResource({ id, name, trigger }: Automation, labels: EventResource = {}): EventResource {
  return eventResource('automation', id, name, { ...labels, ...(trigger.type === 'event' && { 'prefect.posture': trigger.posture }) });
}

/** An event as a related resource. */
export const relatedEvent = (id: string, role: string): EventResource => ({ 'prefect.resource.id': `prefect.event.${id}`, 'prefect.resource.role': role });

function triggeredEvent({ automation, firing }: AutomationFiring): ReceivedEvent {
  const { triggered, triggering_event: event } = firing;
  return {
    occurred: triggered,
    event: 'prefect.automation.triggered',
    resource: automationResource(automation),
    related: event === null ? [] : [relatedEvent(event.id, 'triggering-event')],
    payload: { triggering_labels: firing.triggering_labels, triggering_event: event === null ? null : { ...event } },
    id: uuidv7(),
    follows: null,
    received: triggered,
  };
}

export interface Consequences {
  event: ServerEvent;
  actions: TriggeredAction[];
}

/** What is to be told and done about a firing. */
export function consequencesOf(fired: AutomationFiring): Consequences {
  const { automation, firing } = fired;
  const event = triggeredEvent(fired);
  const causes = [
    ...automation.actions.map((action) => ({ action, cause: firing.triggering_event })),
    ...automation.actions_on_trigger.map((action) => ({ action, cause: event })),
  ];
  const actions = causes.map(({ action, cause }, index) => ({
    id: uuidv7(),
    automation,
    firing,
    triggered: firing.triggered,
    triggering_labels: firing.triggering_labels,
    triggering_event: cause,
    action,
    action_index: index,
    automation_triggered_event_id: event.id,
  }));
  return { event, actions };
}
