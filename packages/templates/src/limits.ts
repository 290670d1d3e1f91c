/* Prefect's limits of what one template may ask for (facts/events.md §7, Templates). budget.ts has ours. */

export const MAXIMUM_RANGE = 100;
export const MAXIMUM_LOOPS = 10;
export const MAXIMUM_LOOP_DEPTH = 2;
