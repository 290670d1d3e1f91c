import type { Broker } from '@praetor/streams/broker';
import { type Timestamp, addSeconds, now } from '@praetor/schema/timestamps';

/** Heartbeats that are looked at; their interval is what lies between them. */
export const HEARTBEATS = 6;
/** Between fewer of them there may be little time for other reasons, as when a run was started again. */
const ENOUGH_GAPS = 3;
/** Clients send none at a shorter interval. */
const SHORTEST_INTERVAL_SECONDS = 30;

/**
 * The interval, in seconds, at which a run sends heartbeats: the median of what was seen (seconds since 1970, the newest
 * first), or at least `fallback` while that is too little to tell.
 */
export function heartbeatInterval(heartbeats: readonly number[], fallback: number): number {
  const gaps = heartbeats.slice(1).map((earlier, index) => (heartbeats[index] ?? earlier) - earlier);
  const median = gaps.toSorted((one, other) => one - other)[Math.floor(gaps.length / 2)] ?? 0;
  return gaps.length < ENOUGH_GAPS ? Math.max(median, fallback) : Math.max(median, SHORTEST_INTERVAL_SECONDS);
}

/** Up to when, and since when, silence of the events means something. */
export interface Listening {
  since: Timestamp;
  until: Timestamp;
}

/**
 * Watches whether events arrive at all: those that nobody could publish or has stored yet say nothing about runs. Listens
 * from its creation, and anew after each time that the streams were away.
 */
export function createListener(broker: Pick<Broker, 'lag'>): () => Promise<Listening> {
  let since = now();
  return async () => {
    try {
      const groups = await broker.lag();
      const lag = groups.find(({ group }) => group === 'event-persister');
      return { since, until: addSeconds(now(), -(lag?.oldestSeconds ?? 0)) };
    } catch (error) {
      since = now();
      throw error;
    }
  };
}
