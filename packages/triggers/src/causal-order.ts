import type { ReceivedEvent } from '@praetor/schema/event';
import { toMicroseconds } from '@praetor/schema/timestamps';
import { LOOKBACK_SECONDS } from './bucket.ts';

/*
 * Events may say which one they follow. A follower that arrives first waits for its leader, but not for ever
 * (facts/events.md §7.8).
 */

/** What is known of the events that followers name. */
export interface OrderContext {
  /** True for events that triggers have seen already. */
  isSeen(id: string): boolean;
  /** Those that wait for an event. */
  followersOf(id: string): readonly ReceivedEvent[];
  /** Ids of events that need not wait any longer. */
  released: ReadonlySet<string>;
  /** Microseconds since 1970. */
  now: number;
}

export interface CausalOrder {
  /** To be evaluated now, one after the other. */
  readonly ready: ReceivedEvent[];
  /** To wait for the event that each follows. */
  readonly early: ReceivedEvent[];
}

const byOccurrence = (one: ReceivedEvent, other: ReceivedEvent): number => toMicroseconds(one.occurred) - toMicroseconds(other.occurred);

/**
 * Puts events into the order of their evaluation: as they came, but each after the one it follows, and directly behind a
 * leader those that waited for it, by their time. Events that are seen already, or named twice, are left out.
 */
export function orderCausally(events: readonly ReceivedEvent[], { isSeen, followersOf, released, now }: OrderContext): CausalOrder {
  const ready = new Map<string, ReceivedEvent>();
  const waiting = new Map<string, ReceivedEvent>();
  const byLeader = Map.groupBy(events, ({ follows }) => follows);

  const mayGo = ({ id, follows, received }: ReceivedEvent): boolean =>
    follows === null || ready.has(follows) || isSeen(follows) || released.has(id) || now - toMicroseconds(received) >= LOOKBACK_SECONDS * 1_000_000;

  for (const event of events) {
    if (ready.has(event.id) || isSeen(event.id)) continue;
    waiting.set(event.id, event);
    if (!mayGo(event)) continue;
    // A stack and no recursion: a chain of followers may be long.
    const stack = [event];
    for (let next = stack.pop(); next; next = stack.pop()) {
      if (ready.has(next.id) || isSeen(next.id)) continue;
      ready.set(next.id, next);
      waiting.delete(next.id);
      const followers = [...followersOf(next.id), ...(byLeader.get(next.id) ?? []).filter(({ id }) => waiting.has(id))];
      stack.push(...followers.toSorted(byOccurrence).toReversed());
    }
  }
  return { ready: [...ready.values()], early: [...waiting.values()] };
}
