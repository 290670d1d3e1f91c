import { proposeState } from '@praetor/schema/state';
import { type FoundRun, type RoundContext, proposeForFlowRun, settleInBatches } from './propose.ts';

const BATCH_SIZE = 200;

/** Fails paused and suspended runs which nobody resumed before their timeout (facts/services.md §3). */
export function expirePauses(context: RoundContext, signal: AbortSignal): Promise<number> {
  const { sql } = context.database;
  return settleInBatches<FoundRun>(
    BATCH_SIZE,
    (after) => sql<FoundRun[]>`
      select flow_run.id, flow_run.state_id from flow_run join flow_run_state s on s.id = flow_run.state_id
      where flow_run.state_type = 'PAUSED' and (s.state_details ->> 'pause_timeout')::timestamptz < now()
        and ${after ? sql`flow_run.id > ${after.id}::uuid` : sql`true`}
      order by flow_run.id limit ${BATCH_SIZE}`,
    (run) => proposeForFlowRun(context, run, { state: proposeState('FAILED', { message: 'The flow was paused and never resumed.' }), policy: 'minimal' }),
    signal,
  );
}
