import type { CompoundTrigger, EventTrigger, SequenceTrigger, Trigger } from '@praetor/schema/automation/trigger';
import type { ReceivedEvent } from '@praetor/schema/event';
import type { Timestamp } from '@praetor/schema/timestamps';
import { bucketingLabels } from './matching.ts';

export type CompositeTrigger = CompoundTrigger | SequenceTrigger;

/** A trigger has fired: what templates see as `firing`, and what is stored of a child of a composite trigger, in Prefect's JSON. */
export interface Firing {
  id: string;
  trigger: Trigger;
  trigger_states: ['Triggered'];
  triggered: Timestamp;
  /** The values of an event trigger's `for_each` labels. */
  triggering_labels: Record<string, string>;
  /** The firings of the children of a composite trigger, oldest first. */
  triggering_firings: Firing[];
  triggering_event: ReceivedEvent | null;
  triggering_value: null;
}

/** Gives a firing its identity: no two of a trigger have the same moment. */
export type StampFiring = () => Pick<Firing, 'id' | 'triggered'>;

/** The firing of an event trigger for one of its keys. */
export function fireEventTrigger(trigger: EventTrigger, key: readonly string[], event: ReceivedEvent | null, stamp: StampFiring): Firing {
  const labels = bucketingLabels(trigger).map((label, index): [string, string] => [label, key[index] ?? '']);
  return { ...stamp(), trigger, trigger_states: ['Triggered'], triggering_labels: Object.fromEntries(labels), triggering_firings: [], triggering_event: event, triggering_value: null };
}

/** The firing of a composite trigger by its children; the event is that of the last one. */
export function fireCompositeTrigger(trigger: CompositeTrigger, children: readonly Firing[], event: ReceivedEvent | null, stamp: StampFiring): Firing {
  return { ...stamp(), trigger, trigger_states: ['Triggered'], triggering_labels: {}, triggering_firings: [...children], triggering_event: event, triggering_value: null };
}

/** A firing with those that led to it, at any depth. */
export function allFirings(firing: Firing): Firing[] {
  return [firing, ...firing.triggering_firings.flatMap(allFirings)];
}

/** The events that led to a firing, at any depth. */
export function allEvents(firing: Firing): ReceivedEvent[] {
  return allFirings(firing).flatMap(({ triggering_event: event }) => (event === null ? [] : [event]));
}
