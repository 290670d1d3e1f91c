import { toMicroseconds } from '@praetor/schema/timestamps';
import { type CompositeTrigger, type Firing, type StampFiring, fireCompositeTrigger } from './firing.ts';


/* How compound and sequence triggers gather the firings of their children (facts/events.md §7.5). */

/** The latest firing of each child that has fired, by the child's id. */
export type ChildFirings = ReadonlyMap<string, Firing>;

export interface CompositeVerdict {
  readonly children: ChildFirings;
  /** The composite trigger's own firing, where it fires. */
  readonly firing: Firing | null;
}

/** How many children must have fired. */
function requiredFirings(trigger: CompositeTrigger): number {
  if (trigger.type === 'sequence' || trigger.require === 'all') return trigger.triggers.length;
  return trigger.require === 'any' ? 1 : trigger.require;
}

function isComplete(trigger: CompositeTrigger, inOrder: readonly Firing[]): boolean {
  if (trigger.type === 'compound') return inOrder.length >= requiredFirings(trigger);
  return inOrder.length === trigger.triggers.length && inOrder.every((firing, index) => firing.trigger.id === trigger.triggers[index]?.id);
}

/** What becomes of a composite trigger's memory by the firing of one of its children. */
export function applyFiring(trigger: CompositeTrigger, remembered: ChildFirings, firing: Firing, stamp: StampFiring): CompositeVerdict {
  if (requiredFirings(trigger) === 1) return { children: remembered, firing: fireCompositeTrigger(trigger, [firing], firing.triggering_event, stamp) };
  const { within } = trigger;
  const oldest = within === null ? -Infinity : toMicroseconds(firing.triggered) - within * 1_000_000;
  const recent = [...remembered].filter(([, child]) => toMicroseconds(child.triggered) >= oldest);
  const children = new Map([...recent, [firing.trigger.id, firing]]);
  const inOrder = [...children.values()].toSorted((one, other) => toMicroseconds(one.triggered) - toMicroseconds(other.triggered));
  if (!isComplete(trigger, inOrder)) return { children, firing: null };
  return { children: new Map(), firing: fireCompositeTrigger(trigger, inOrder, firing.triggering_event, stamp) };
}
