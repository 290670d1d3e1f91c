import { z } from 'zod';
import { float, integer, timestamp } from './primitives.ts';
import { stateType } from './state.ts';

/** The span of a history and the length of its intervals. */
export const historyRange = {
  history_start: timestamp(),
  history_end: timestamp(),
  history_interval_seconds: float().meta({ format: 'time-delta' }),
};

const historyState = z
  .object({
    state_type: stateType,
    state_name: z.string(),
    count_runs: integer(),
    /** Seconds, of the runs whose time is positive. */
    sum_estimated_run_time: float(),
    sum_estimated_lateness: float(),
  })
  .meta({ id: 'HistoryResponseState' });
export type HistoryState = z.output<typeof historyState>;

export const historyInterval = z
  .object({ interval_start: timestamp(), interval_end: timestamp(), states: z.array(historyState) })
  .meta({ id: 'HistoryResponse' });
export type HistoryInterval = z.output<typeof historyInterval>;
