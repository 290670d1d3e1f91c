import { type Kysely, sql } from 'kysely';
import type { Condition } from '@praetor/database/filter';
import { readShared } from '@praetor/database/shared-reads';
import type { Tables } from '@praetor/database/tables';
import { TERMINAL } from '@praetor/orchestration/estimates';
import { UnprocessableError } from '@praetor/schema/errors';
import type { HistoryInterval, HistoryState } from '@praetor/schema/run-history';
import { type Timestamp, fromMicroseconds, toMicroseconds } from '@praetor/schema/timestamps';

/** Longer histories are cut here, without an error (facts/rules.md §13). */
const MAXIMUM_INTERVALS = 500;

export interface HistoryRange {
  history_start: Timestamp;
  history_end: Timestamp;
  history_interval_seconds: number;
}

interface HistoryRow extends HistoryState {
  position: number;
}

/**
 * How many runs were expected in each interval, in which states, with their run times and latenesses summed up; the
 * condition is on the table of runs. Throws UnprocessableError for intervals shorter than a second.
 */
export async function readHistory(db: Kysely<Tables>, table: 'flow_run' | 'task_run', condition: Condition, range: HistoryRange): Promise<HistoryInterval[]> {
  if (range.history_interval_seconds < 1) throw new UnprocessableError('The history interval must be at least 1 second.');
  const start = toMicroseconds(range.history_start);
  const length = Math.round(range.history_interval_seconds * 1_000_000);
  const count = Math.min(Math.ceil((toMicroseconds(range.history_end) - start) / length), MAXIMUM_INTERVALS);
  if (count <= 0) return [];

  const column = (name: string) => sql.ref(`${table}.${name}`);
  const expected = column('expected_start_time');
  // What is summed are intervals of those runs that have one: numerics, or a case for each of a million runs, take seconds.
  const sums = sql<HistoryRow>`
    select round(extract(epoch from bucket - ${range.history_start}::timestamptz) * 1000000 / ${length})::integer as position,
      state_type, state_name, count_runs,
      extract(epoch from coalesce(run_time, '0') + coalesce(running_time, '0'))::float8 as sum_estimated_run_time,
      extract(epoch from coalesce(start_delay, '0') + coalesce(waiting_time, '0'))::float8 as sum_estimated_lateness
    from (
      select date_bin(${`${length} microseconds`}::interval, ${expected}, ${range.history_start}::timestamptz) as bucket,
        ${column('state_type')}, ${column('state_name')}, count(*) as count_runs,
        sum(${column('total_run_time')}) as run_time,
        sum(now() - ${column('state_timestamp')}) filter (where ${column('state_type')} = 'RUNNING') as running_time,
        sum(${column('start_time')} - ${expected}) filter (where ${column('start_time')} > ${expected}) as start_delay,
        sum(now() - ${expected}) filter (where ${column('start_time')} is null and ${expected} < now() and ${column('state_type')} not in (${TERMINAL})) as waiting_time
      from ${sql.table(table)}
      where ${expected} >= ${range.history_start} and ${expected} < ${fromMicroseconds(start + count * length)} and ${condition}
      group by 1, 2, 3
    ) sums order by state_type, state_name`;

  const intervals = Array.from({ length: count }, (_, index): HistoryInterval => ({
    interval_start: fromMicroseconds(start + index * length),
    interval_end: fromMicroseconds(start + (index + 1) * length),
    states: [],
  }));
  for (const { position, ...state } of await readShared(db, sums)) intervals[position]?.states.push(state);
  return intervals;
}
