import { type Span, readIntake } from '@praetor/orchestration/intake';
import { addSeconds, now } from '@praetor/schema/timestamps';
import type { RoundContext } from './propose.ts';

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

/** When events of a run would have been stored, had it sent any, so that silence means something; undefined if that is not known. */
export async function readListening({ database, broker }: Pick<RoundContext, 'database' | 'broker'>): Promise<Span | undefined> {
  const groups = await broker.lag();
  const waiting = groups.find(({ group }) => group === 'event-persister');
  return await readIntake(database.sql, addSeconds(now(), -(waiting?.oldestSeconds ?? 0)));
}
