import type { EventTrigger } from '@praetor/schema/automation/trigger';
import type { ReceivedEvent } from '@praetor/schema/event';
import { toMicroseconds } from '@praetor/schema/timestamps';
import { type HeldEvent, countHeld, hold, isHeld } from './held-events.ts';
import type { EventMatcher } from './matching.ts';

/*
 * How an event trigger counts (facts/events.md §7.4, prefect-3.9.1.md §4). For each key a trigger has at most one bucket: a
 * stretch of time with a number of events. Moments are microseconds since 1970. Nothing here reads a clock or a database:
 * what happens to a bucket follows from the trigger, the bucket, and an event or a moment.
 */

/** Events counted in a stretch of time, its start included and its end not. */
export interface Bucket {
  readonly start: number;
  readonly end: number;
  /** −1 for a moment, while the event that armed the trigger has still to be counted back. */
  readonly count: number;
  /** The last event counted, or the one that armed the trigger; what a firing without an event of its own tells of. */
  readonly lastEvent: ReceivedEvent | null;
}

/** What a trigger remembers for one key. */
export interface KeyState {
  readonly bucket: Bucket | null;
  /** Events that came before what they are counted in; see held-events.ts. */
  readonly held: readonly HeldEvent[];
}

/** A trigger fires; the event is null where nothing ever happened. */
export interface BucketFiring {
  readonly event: ReceivedEvent | null;
}

export interface Verdict extends KeyState {
  readonly firings: readonly BucketFiring[];
}

export const EMPTY_STATE: KeyState = { bucket: null, held: [] };

/** A first event may be followed by ones that happened this much before it. */
export const LOOKBACK_SECONDS = 15 * 60;

const toSpan = (seconds: number): number => Math.round(seconds * 1_000_000);

/** Only such a trigger may see what it expects before what arms it and be wrong about it. */
export const holdsEvents = ({ posture, after }: EventTrigger): boolean => posture === 'Proactive' && after.length > 0;

type Open = Omit<Bucket, 'lastEvent'> & { lastEvent?: ReceivedEvent | null };

/** A new bucket, with the held events that lie in it. */
function openBucket(trigger: EventTrigger, { start, end, count, lastEvent = null }: Open, held: readonly HeldEvent[]): Bucket {
  return { start, end, count: holdsEvents(trigger) ? count + countHeld(held, start, end) : count, lastEvent };
}

const meetsThreshold = ({ posture, threshold }: EventTrigger, count: number): boolean => (posture === 'Reactive' ? count >= threshold : count < threshold);

interface Occasion {
  trigger: EventTrigger;
  held: readonly HeldEvent[];
  /** The event's time or, without one, the moment of the look. */
  now: number;
  event: ReceivedEvent | null;
  /** The event both arms the trigger and counts. */
  isBoth: boolean;
}

type Outcome = Pick<Verdict, 'bucket' | 'firings'>;

/** An event that both arms and counts, in a bucket which has what it needs: the stretch begins anew with the event. */
function rollBucket({ trigger, held, now, event }: Occasion, matcher: EventMatcher, previous: ReceivedEvent | null): Bucket {
  const endsRun = previous !== null && matcher.expects(previous.event) && !matcher.startsAfter(previous.event) && toMicroseconds(previous.occurred) >= now;
  return openBucket(trigger, { start: now, end: now + toSpan(trigger.within), count: 0, lastEvent: endsRun ? previous : event }, held);
}

/** Counts the event, if there is one, and fires or moves on to the next bucket where it is time to. */
function evaluate(occasion: Occasion, matcher: EventMatcher, before: Bucket): Outcome {
  const { trigger, held, now, event } = occasion;
  if (now < before.start) return { bucket: before, firings: [] };
  const within = toSpan(trigger.within);
  const isImmediate = trigger.posture === 'Reactive' && within === 0;
  const isCounted = event !== null && (isImmediate || now < before.end);
  const bucket = isCounted ? { ...before, count: before.count + 1, lastEvent: event } : before;
  // Presence is told at once; absence only when the time is over.
  const isDue = trigger.posture === 'Reactive' || bucket.end <= now;
  const isMet = meetsThreshold(trigger, bucket.count);
  const firings = isDue && isMet ? [{ event: event ?? bucket.lastEvent }] : [];
  if (firings.length === 0 && now < bucket.end) {
    const rolls = occasion.isBoth && trigger.posture === 'Proactive' && !isMet;
    return { bucket: rolls ? rollBucket(occasion, matcher, before.lastEvent) : bucket, firings };
  }
  // What arms the trigger opens its next bucket.
  if (trigger.after.length > 0) return { bucket: null, firings };
  if (within === 0) return { bucket: firings.length > 0 ? null : bucket, firings };
  const start = Math.max(bucket.end, now);
  const next = { start, end: start + within, count: 0, lastEvent: null };
  if (event === null || isCounted) return { bucket: next, firings };
  if (trigger.posture === 'Proactive') return { bucket: { ...next, count: 1 }, firings };
  // The event is the first of the next stretch, and may be enough for it.
  const then = evaluate({ trigger, held, now, event, isBoth: occasion.isBoth }, matcher, next);
  return { bucket: then.bucket, firings: [...firings, ...then.firings] };
}

/** What becomes of a trigger's state for a key by an event which the trigger covers and which has this key. */
export function applyEvent(trigger: EventTrigger, matcher: EventMatcher, state: KeyState, event: ReceivedEvent): Verdict {
  const { held } = state;
  const now = toMicroseconds(event.occurred);
  const end = now + toSpan(trigger.within);
  const arms = matcher.startsAfter(event.event);
  const counts = matcher.expects(event.event);
  const occasion = { trigger, now, event, isBoth: arms && counts };
  if (arms) {
    const bucket = state.bucket ?? openBucket(trigger, { start: now, end, count: counts ? -1 : 0, lastEvent: event }, held);
    return counts ? { held, ...evaluate({ ...occasion, held }, matcher, bucket) } : { held, bucket, firings: [] };
  }
  if (!counts) return { ...state, firings: [] };
  if (trigger.after.length === 0) {
    const bucket = state.bucket ?? { start: now - toSpan(LOOKBACK_SECONDS), end, count: 0, lastEvent: event };
    return { held, ...evaluate({ ...occasion, held }, matcher, bucket) };
  }
  if (holdsEvents(trigger)) {
    const one = { id: event.id, occurred: now };
    // Counted already, by the bucket of its time or by one that was opened over it.
    if (isHeld(held, one)) return { ...state, firings: [] };
    const kept = hold(held, one, { width: toSpan(trigger.within), threshold: trigger.threshold });
    return { held: kept, ...(state.bucket ? evaluate({ ...occasion, held: kept }, matcher, state.bucket) : { bucket: null, firings: [] }) };
  }
  return { held, ...(state.bucket ? evaluate({ ...occasion, held }, matcher, state.bucket) : { bucket: null, firings: [] }) };
}

/** The first bucket of a proactive trigger without `for_each`: absence counts from the moment that somebody looks. */
export function openFirstBucket(trigger: EventTrigger, state: KeyState, now: number): Bucket {
  return state.bucket ?? openBucket(trigger, { start: now, end: now + toSpan(trigger.within), count: 0 }, state.held);
}

/** What becomes of the bucket of a proactive trigger by time alone. */
export function applyTime(trigger: EventTrigger, matcher: EventMatcher, state: KeyState, now: number): Verdict {
  if (state.bucket === null) return { ...state, firings: [] };
  // What was expected has come: nothing to wait for. The next look, or event, begins anew.
  if (state.bucket.count >= trigger.threshold) return { ...state, bucket: null, firings: [] };
  return { held: state.held, ...evaluate({ trigger, held: state.held, now, event: null, isBoth: false }, matcher, state.bucket) };
}
