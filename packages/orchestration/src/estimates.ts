import { type RawBuilder, sql } from 'kysely';
import { type StateType, TERMINAL_STATE_TYPES, isTerminal } from '@praetor/schema/state';
import { type Timestamp, toMicroseconds } from '@praetor/schema/timestamps';

/*
 * The fields of a run that are computed when it is read (facts/orchestration.md §8), for one run in hand and, for sorting
 * and sums, in SQL.
 */

interface RunTimes {
  state_type: StateType | null;
  state_timestamp: Timestamp | null;
  start_time: Timestamp | null;
  expected_start_time: Timestamp | null;
  /** Seconds. */
  total_run_time: number;
}

/** Seconds that the run has been running, the time since it entered RUNNING included. `now` in microseconds since 1970. */
export function estimateRunTime(run: RunTimes, now: number): number {
  if (run.state_type !== 'RUNNING' || run.state_timestamp === null) return run.total_run_time;
  return run.total_run_time + (now - toMicroseconds(run.state_timestamp)) / 1_000_000;
}

/** Seconds that the run started later than expected, or is late so far. */
export function estimateStartTimeDelta(run: RunTimes, now: number): number {
  if (run.expected_start_time === null || (run.start_time === null && isTerminal(run.state_type))) return 0;
  const started = run.start_time === null ? now : toMicroseconds(run.start_time);
  return Math.max(0, started - toMicroseconds(run.expected_start_time)) / 1_000_000;
}

type RunTable = 'flow_run' | 'task_run';

/** SQL: the same run time, as an interval. */
export function estimatedRunTime(table: RunTable): RawBuilder<number> {
  const column = (name: string) => sql.ref(`${table}.${name}`);
  return sql`case when ${column('state_type')} = 'RUNNING' then ${column('total_run_time')} + (now() - ${column('state_timestamp')}) else ${column('total_run_time')} end`;
}

/** SQL: the terminal types, for `in (…)`. */
export const TERMINAL = sql.raw(TERMINAL_STATE_TYPES.map((type) => `'${type}'`).join(', '));

/** SQL: the same lateness, as an interval. A run without a state is not late, as in Prefect's own query. */
export function estimatedStartTimeDelta(table: RunTable): RawBuilder<number> {
  const column = (name: string) => sql.ref(`${table}.${name}`);
  return sql`case
    when ${column('start_time')} is not null then greatest(interval '0', ${column('start_time')} - ${column('expected_start_time')})
    when ${column('state_type')} not in (${TERMINAL}) then greatest(interval '0', now() - ${column('expected_start_time')})
    else interval '0' end`;
}
