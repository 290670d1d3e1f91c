import type { State, StateCreate, StateType } from '@praetor/schema/state';
import { type Transition, stamp } from './transition.ts';

/*
 * The engine of facts/orchestration.md §3. Rules and transforms are entered in order (`before`), then everything is
 * exited in reverse order (`after`, or `cleanup` of a rule whose transition was changed by a later one).
 */

/** How a rule stops the proposed transition. */
export type Decision =
  | { status: 'REJECT'; state: StateCreate | null; reason: string }
  | { status: 'WAIT'; delaySeconds: number; reason: string }
  | { status: 'ABORT'; reason: string };

/** Puts another state in the place of the proposed one; null keeps the current state. */
export const reject = (state: StateCreate | null, reason: string): Decision => ({ status: 'REJECT', state, reason });
/** Stores nothing and tells the client to propose the same again after some seconds. */
export const wait = (delaySeconds: number, reason: string): Decision => ({ status: 'WAIT', delaySeconds, reason });
/** Stores nothing and tells the client to stop. */
export const abort = (reason: string): Decision => ({ status: 'ABORT', reason });

/** A type of state, or null for no state at all. */
type Type = StateType | null;
export type Types = ReadonlySet<Type>;

export const types = (...list: Type[]): Types => new Set(list);
export const ANY = types('SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING', null);
export const TERMINAL = types('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED');
export const anyBut = (...list: Type[]): Types => new Set([...ANY].filter((type) => !list.includes(type)));

/** Governs the transitions from one set of state types to another. */
export interface Rule<T> {
  readonly name: string;
  readonly from: Types;
  readonly to: Types;
  /** May change the draft, or stop the transition. */
  readonly before?: (transition: T) => Decision | undefined;
  /** Runs once it is known what will be stored, if that is still what this rule agreed to. */
  readonly after?: (transition: T) => void;
  /** Takes back what `before` did, if a later rule changed the outcome. */
  readonly cleanup?: (transition: T) => void;
}

/** Bookkeeping: takes part in every transition, also in one that a rule has stopped (`proposed` is null then). */
export interface Transform<T> {
  readonly name: string;
  readonly before?: (transition: T) => void;
  readonly after?: (transition: T) => void;
}

export type Step<T> = Rule<T> | Transform<T>;

const typeOf = (state: State | null): Type => state?.type ?? null;

function apply(transition: Transition, decision: Decision): void {
  const { status, reason } = decision;
  transition.status = status;
  transition.proposed = status === 'REJECT' && decision.state ? stamp(transition, decision.state) : null;
  if (status === 'REJECT') transition.details = { type: 'reject_details', reason };
  else if (status === 'ABORT') transition.details = { type: 'abort_details', reason };
  else transition.details = { type: 'wait_details', delay_seconds: decision.delaySeconds, reason };
}

/** Enters a rule; gives back how to leave it, or nothing where it does not take part. */
function enter<T extends Transition>(rule: Rule<T>, transition: T): (() => void) | undefined {
  const [from, to] = [typeOf(transition.initial), typeOf(transition.intended)];
  if (!rule.from.has(from) || !rule.to.has(to)) return undefined;
  // Invalid on entry: an earlier rule has changed the transition, and with it the pair of types that counts.
  if (typeOf(transition.proposed) !== to) return undefined;
  const decision = rule.before?.(transition);
  if (decision) apply(transition, decision);
  // A rule does not object to what it decided itself, but takes its leave only if that is among the types it governs.
  const expected = typeOf(transition.proposed);
  if (!rule.to.has(expected)) return undefined;
  return () => (typeOf(transition.proposed) === expected ? rule.after?.(transition) : rule.cleanup?.(transition));
}

/** Runs a transition through the steps of a policy; the outcome is in the transition. Deterministic, without I/O. */
export function orchestrate<T extends Transition>(steps: readonly Step<T>[], transition: T): T {
  const exits: (() => void)[] = [];
  for (const step of steps) {
    if ('from' in step) {
      const exit = enter(step, transition);
      if (exit) exits.push(exit);
    } else {
      step.before?.(transition);
      exits.push(() => step.after?.(transition));
    }
  }
  for (const exit of exits.toReversed()) exit();
  return transition;
}
