import { proposeState } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';
import { type FoundRun, type RoundContext, proposeForFlowRun, proposeForTaskRun, settleInBatches } from './propose.ts';

/* What a cancellation leaves behind (facts/services.md §4). */

const BATCH_SIZE = 200;
const PARENT_CANCELLED = 'Its parent flow run was cancelled.';

interface CancellingRun extends FoundRun {
  state_timestamp: Timestamp;
}

/** Runs whose cancellation nobody confirmed for too long count as cancelled. */
export function finishCancellations(context: RoundContext, signal: AbortSignal): Promise<number> {
  const { sql } = context.database;
  const { cancellingTimeoutSeconds } = context.settings.services.cancellationCleanup;
  return settleInBatches<CancellingRun>(
    BATCH_SIZE,
    (after) => sql<CancellingRun[]>`
      select id, state_id, state_timestamp from flow_run
      where state_type = 'CANCELLING' and state_id is not null
        and state_timestamp < now() - make_interval(secs => ${cancellingTimeoutSeconds})
        and ${after ? sql`(state_timestamp, id) > (${after.state_timestamp}::timestamptz, ${after.id}::uuid)` : sql`true`}
      order by state_timestamp, id limit ${BATCH_SIZE}`,
    (run) => proposeForFlowRun(context, run, { state: proposeState('CANCELLED', { message: 'The cancellation was not confirmed in time.' }), policy: 'cancelling-timeout' }),
    signal,
  );
}

/** Unfinished task runs of runs that were cancelled within the last day are cancelled too. */
export function cancelChildTaskRuns(context: RoundContext, signal: AbortSignal): Promise<number> {
  const { sql } = context.database;
  return settleInBatches<FoundRun>(
    BATCH_SIZE,
    (after) => sql<FoundRun[]>`
      select task_run.id, task_run.state_id from task_run join flow_run on flow_run.id = task_run.flow_run_id
      where flow_run.state_type = 'CANCELLED' and flow_run.end_time > now() - interval '1 day'
        and task_run.state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING') and task_run.state_id is not null
        and ${after ? sql`task_run.id > ${after.id}::uuid` : sql`true`}
      order by task_run.id limit ${BATCH_SIZE}`,
    (run) => proposeForTaskRun(context, run, { state: proposeState('CANCELLED', { message: PARENT_CANCELLED }), policy: 'minimal' }),
    signal,
  );
}

interface Subflow extends FoundRun {
  has_deployment: boolean;
}

/** Unfinished sub-flows of cancelled (or deleted) runs: those with infrastructure of their own are asked to stop, others are cancelled. */
export function cancelSubflows(context: RoundContext, signal: AbortSignal): Promise<number> {
  const { sql } = context.database;
  return settleInBatches<Subflow>(
    BATCH_SIZE,
    (after) => sql<Subflow[]>`
      select child.id, child.state_id, child.deployment_id is not null as has_deployment
      from flow_run child
      join task_run on task_run.id = child.parent_task_run_id
      left join flow_run parent on parent.id = task_run.flow_run_id
      where child.state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING') and child.state_id is not null
        and task_run.flow_run_id is not null and (parent.id is null or parent.state_type = 'CANCELLED')
        and not (child.deployment_id is not null and child.state_type = 'CANCELLING')
        and ${after ? sql`child.id > ${after.id}::uuid` : sql`true`}
      order by child.id limit ${BATCH_SIZE}`,
    (run) => proposeForFlowRun(context, run, { state: proposeState(run.has_deployment ? 'CANCELLING' : 'CANCELLED', { message: PARENT_CANCELLED }), policy: 'minimal' }),
    signal,
  );
}
