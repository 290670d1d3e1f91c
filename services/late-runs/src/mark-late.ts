import { proposeState } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';
import { type FoundRun, type RoundContext, proposeForFlowRun, settleInBatches } from './propose.ts';

const BATCH_SIZE = 400;

interface DueRun extends FoundRun {
  next_scheduled_start_time: Timestamp;
}

/**
 * Marks runs as Late which nobody has started in time. Only those in the very state `Scheduled`: what waits for a retry or
 * a slot is not late (facts/services.md §2). The scheduled time stays what it was.
 */
export function markLateRuns(context: RoundContext, signal: AbortSignal): Promise<number> {
  const { sql } = context.database;
  const { afterSeconds } = context.settings.services.lateRuns;
  return settleInBatches<DueRun>(
    BATCH_SIZE,
    (after) => sql<DueRun[]>`
      select id, state_id, next_scheduled_start_time from flow_run
      where state_type = 'SCHEDULED' and state_name = 'Scheduled' and state_id is not null
        and next_scheduled_start_time <= now() - make_interval(secs => ${afterSeconds})
        and ${after ? sql`(next_scheduled_start_time, id) > (${after.next_scheduled_start_time}::timestamptz, ${after.id}::uuid)` : sql`true`}
      order by next_scheduled_start_time, id limit ${BATCH_SIZE}`,
    (run) =>
      proposeForFlowRun(context, run, {
        state: proposeState('SCHEDULED', { name: 'Late', details: { scheduled_time: run.next_scheduled_start_time } }),
        policy: 'mark-late',
      }),
    signal,
  );
}
