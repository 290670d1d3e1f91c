import { z } from 'zod';
import { timestamp } from './primitives.ts';
import { stateType } from './state.ts';

/** A type and name that some retained state of a run has, and when it was entered first and last. */
export const observedState = z
  .object({ state_type: stateType, state_name: z.string(), first_seen: timestamp(), last_seen: timestamp() })
  .meta({ id: 'ObservedState' });
export type ObservedState = z.output<typeof observedState>;

export const observedStateSort = z.enum(['NAME_ASC', 'LAST_SEEN_DESC']).meta({ id: 'ObservedStateSort' });
export type ObservedStateSort = z.output<typeof observedStateSort>;
