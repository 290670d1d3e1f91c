import type { EventTrigger, Trigger } from '@praetor/schema/automation/trigger';
import type { ReceivedEvent } from '@praetor/schema/event';
import type { CompositeTrigger } from './firing.ts';
import { type EventMatcher, compileMatcher } from './matching.ts';

/** An event trigger in its place: the automation that it belongs to, and the composite triggers above it, nearest first. */
export interface PlacedTrigger<Automation> {
  readonly automation: Automation;
  readonly trigger: EventTrigger;
  readonly ancestors: readonly CompositeTrigger[];
  readonly matcher: EventMatcher;
}

function place<Automation>(automation: Automation, trigger: Trigger, ancestors: readonly CompositeTrigger[]): PlacedTrigger<Automation>[] {
  if (trigger.type === 'event') return [{ automation, trigger, ancestors, matcher: compileMatcher(trigger) }];
  return trigger.triggers.flatMap((child) => place(automation, child, [trigger, ...ancestors]));
}

/** All event triggers of an automation, at any depth. */
export function placeTriggers<Automation extends { trigger: Trigger }>(automation: Automation): PlacedTrigger<Automation>[] {
  return place(automation, automation.trigger, []);
}

/** Names of events are few; whoever makes them up without end costs time and no memory. */
const REMEMBERED_NAMES = 10_000;

/** Logs travel the stream too, where they do; no trigger looks at them (facts/events.md §7.4). */
const IGNORED_EVENT = 'prefect.log.write';

const OWN_EVENTS = /^prefect\.automation\.(?:triggered|resolved|action\.)/;

/** What an automation does itself sets off others only: one that expects any event would never come to rest (Prefect's do not). */
function isOwn({ event, resource }: ReceivedEvent, { id }: { id: string }): boolean {
  return resource['prefect.resource.id'] === `prefect.automation.${id}` && OWN_EVENTS.test(event);
}

/** The event triggers of a set of automations, found by the events that they cover. */
export class TriggerIndex<Automation extends { id: string }> {
  readonly triggers: readonly PlacedTrigger<Automation>[];
  readonly #byName = new Map<string, readonly PlacedTrigger<Automation>[]>();

  constructor(triggers: readonly PlacedTrigger<Automation>[]) {
    this.triggers = triggers;
  }

  #named(name: string): readonly PlacedTrigger<Automation>[] {
    const known = this.#byName.get(name);
    if (known) return known;
    const found = name === IGNORED_EVENT ? [] : this.triggers.filter(({ matcher }) => matcher.coversName(name));
    if (this.#byName.size < REMEMBERED_NAMES) this.#byName.set(name, found);
    return found;
  }

  /** The triggers that an event concerns, in the order of their automations. */
  find(event: ReceivedEvent): PlacedTrigger<Automation>[] {
    return this.#named(event.event).filter(({ automation, matcher }) => matcher.coversResources(event) && !isOwn(event, automation));
  }
}
