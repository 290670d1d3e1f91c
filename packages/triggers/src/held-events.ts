/*
 * Events that a proactive trigger expects after others may come before those. Each is held, so that a bucket which opens
 * later over its time counts it (facts/prefect-3.9.1.md §4). Moments are microseconds since 1970.
 */

export interface HeldEvent {
  readonly id: string;
  readonly occurred: number;
}

/** Held at least this long: an event may wait as long for the one it follows, and one as old may open a bucket. */
export const HELD_SECONDS = 30 * 60;

/** How much of a key is worth keeping. */
export interface HoldLimits {
  /** Length of the trigger's buckets, in microseconds. */
  width: number;
  threshold: number;
}

export const isHeld = (held: readonly HeldEvent[], event: HeldEvent): boolean => held.some(({ id }) => id === event.id);

/** Those that occurred within a stretch of time, its end excluded. */
export function countHeld(held: readonly HeldEvent[], start: number, end: number): number {
  return held.filter(({ occurred }) => start <= occurred && occurred < end).length;
}

const byTime = (one: HeldEvent, other: HeldEvent): number => one.occurred - other.occurred || (one.id < other.id ? -1 : 1);

/**
 * Adds an event, and drops what no bucket can need: what is too old beside the newest, and in the event's slot (time cut
 * into the trigger's width) what is neither of the first nor of the last `threshold` ones, which are enough to meet it.
 */
export function hold(held: readonly HeldEvent[], event: HeldEvent, { width, threshold }: HoldLimits): HeldEvent[] {
  const all = [...held, event].toSorted(byTime);
  const newest = all.at(-1)?.occurred ?? event.occurred;
  const horizon = newest - Math.max(HELD_SECONDS * 1_000_000, width);
  const recent = all.filter(({ occurred }) => occurred >= horizon);
  const slot = Math.floor(event.occurred / width) * width;
  const isInSlot = ({ occurred }: HeldEvent): boolean => slot <= occurred && occurred < slot + width;
  const first = recent.findIndex(isInSlot);
  const size = recent.filter(isInSlot).length;
  return recent.filter((one, index) => !isInSlot(one) || index < first + threshold || index >= first + size - threshold);
}
