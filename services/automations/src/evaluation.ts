import type { Automation } from '@praetor/schema/automation';
import type { ReceivedEvent } from '@praetor/schema/event';
import { type BucketFiring, EMPTY_STATE, type KeyState, applyEvent, applyTime, openFirstBucket } from '@praetor/triggers/bucket';
import { type ChildFirings, applyFiring } from '@praetor/triggers/composite';
import { type Firing, type StampFiring, fireEventTrigger } from '@praetor/triggers/firing';
import type { AutomationTrigger } from './automation-set.ts';

/* One batch of events, or one look at the clock, worked through in memory: what was read before, what is to be written after. */

/** A trigger and one of its keys. */
export interface Place {
  readonly placed: AutomationTrigger;
  readonly key: readonly string[];
}

/** Names a place within its batch and in the database. */
export const placeId = ({ placed, key }: Place): string => `${placed.trigger.id} ${JSON.stringify(key)}`;

/** The firing of an automation. */
export interface AutomationFiring {
  readonly automation: Automation;
  readonly firing: Firing;
}

/** State of event triggers by `placeId`, and of composite triggers by their ids. */
export interface Memory {
  readonly states: ReadonlyMap<string, KeyState>;
  readonly children: ReadonlyMap<string, ChildFirings>;
}

/** What an evaluation made of the memory that it began with. */
export interface Outcome {
  /** States that changed, with where they belong. */
  readonly states: ReadonlyMap<string, { place: Place; state: KeyState }>;
  readonly children: ReadonlyMap<string, { automationId: string; children: ChildFirings }>;
  readonly firings: readonly AutomationFiring[];
}

class Evaluation implements Outcome {
  readonly states = new Map<string, { place: Place; state: KeyState }>();
  readonly children = new Map<string, { automationId: string; children: ChildFirings }>();
  readonly firings: AutomationFiring[] = [];
  readonly #memory: Memory;
  readonly #stamp: StampFiring;

  constructor(memory: Memory, stamp: StampFiring) {
    this.#memory = memory;
    this.#stamp = stamp;
  }

  stateOf(place: Place): KeyState {
    const id = placeId(place);
    return this.states.get(id)?.state ?? this.#memory.states.get(id) ?? EMPTY_STATE;
  }

  keep(place: Place, { bucket, held }: KeyState): void {
    this.states.set(placeId(place), { place, state: { bucket, held } });
  }

  /** Hands the firing of an event trigger up to the automation, through the composite triggers above it. */
  fire({ placed, key }: Place, { event }: BucketFiring): void {
    const { automation, trigger, ancestors } = placed;
    let firing = fireEventTrigger(trigger, key, event, this.#stamp);
    for (const ancestor of ancestors) {
      const remembered = this.children.get(ancestor.id)?.children ?? this.#memory.children.get(ancestor.id) ?? new Map();
      const verdict = applyFiring(ancestor, remembered, firing, this.#stamp);
      if (verdict.children !== remembered) this.children.set(ancestor.id, { automationId: automation.id, children: verdict.children });
      if (verdict.firing === null) return;
      firing = verdict.firing;
    }
    this.firings.push({ automation, firing });
  }
}

/** An event and the places that it concerns. */
export interface ConcernedEvent {
  readonly event: ReceivedEvent;
  readonly places: readonly Place[];
}

/** Evaluates events, one after the other. */
export function evaluateEvents(events: readonly ConcernedEvent[], memory: Memory, stamp: StampFiring): Outcome {
  const evaluation = new Evaluation(memory, stamp);
  for (const { event, places } of events)
    for (const place of places) {
      const { trigger, matcher } = place.placed;
      const verdict = applyEvent(trigger, matcher, evaluation.stateOf(place), event);
      evaluation.keep(place, verdict);
      for (const firing of verdict.firings) evaluation.fire(place, firing);
    }
  return evaluation;
}

/** Looks at places of proactive triggers at a moment, in microseconds since 1970. */
export function evaluateTime(places: readonly Place[], now: number, memory: Memory, stamp: StampFiring): Outcome {
  const evaluation = new Evaluation(memory, stamp);
  for (const place of places) {
    const { trigger, matcher } = place.placed;
    const state = evaluation.stateOf(place);
    const begun = trigger.for_each.length === 0 ? { ...state, bucket: openFirstBucket(trigger, state, now) } : state;
    const verdict = applyTime(trigger, matcher, begun, now);
    evaluation.keep(place, verdict);
    for (const firing of verdict.firings) evaluation.fire(place, firing);
  }
  return evaluation;
}
