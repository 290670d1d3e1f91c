import { classifyDatabaseError } from '@praetor/database/errors';
import { publishEvents } from '@praetor/orchestration/changes';
import { type FlowRunProposal, type StateChange, type TaskRunProposal, setFlowRunState, setTaskRunState } from '@praetor/orchestration/set-state';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import type { ServiceContext } from '@praetor/runtime/service';
import { NotFoundError } from '@praetor/schema/errors';

/** A run that a look at the tables found, with the state it was found in. */
export interface FoundRun {
  id: string;
  state_id: string;
}

/** Database and instruments that the rounds of this service need. */
export type RoundContext = Pick<ServiceContext, 'settings' | 'database' | 'broker' | 'logger'>;

/** The proposal for a run as it was found: whatever happened since, also by another copy of this service, wins. */
type Proposal<T extends FlowRunProposal | TaskRunProposal> = Omit<T, 'flowRunId' | 'taskRunId' | 'onlyFromStateId'>;

/** Publishes what a change tells. True where a new state was stored; a run that was deleted meanwhile has none. */
async function settleOne(context: RoundContext, runId: string, change: Promise<StateChange>): Promise<boolean> {
  try {
    const { events, isNew } = await change;
    publishEvents(context, events);
    return isNew;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    // One run that cannot be settled must not stop the others; without a database there are none.
    if (classifyDatabaseError(error) === 'unavailable') throw error;
    context.logger.error({ error, runId }, 'a run could not be given its new state');
    return false;
  }
}

/** Proposes a state for a flow run that was found in another one. True where a new state was stored. */
export function proposeForFlowRun(context: RoundContext, { id, state_id }: FoundRun, proposal: Proposal<FlowRunProposal>): Promise<boolean> {
  return settleOne(context, id, setFlowRunState(context.database, { ...proposal, flowRunId: id, onlyFromStateId: state_id }, orchestrationSettings(context.settings)));
}

/** The same for a task run. */
export function proposeForTaskRun(context: RoundContext, { id, state_id }: FoundRun, proposal: Proposal<TaskRunProposal>): Promise<boolean> {
  return settleOne(context, id, setTaskRunState(context.database, { ...proposal, taskRunId: id, onlyFromStateId: state_id }, orchestrationSettings(context.settings)));
}

/** Runs that are settled side by side. */
const CONCURRENCY = 8;

/**
 * Takes batches from `find` and hands them to `settle` until one is not full. Each begins after the last run of the one before,
 * in the order in which `find` gives them, so that runs which cannot be settled hold up nobody. Returns how many were settled.
 */
export async function settleInBatches<Run>(batchSize: number, find: (after: Run | undefined) => PromiseLike<Run[]>, settle: (run: Run) => Promise<boolean>, signal: AbortSignal): Promise<number> {
  let total = 0;
  for (let after: Run | undefined; ; ) {
    const runs: Run[] = await find(after);
    for (let first = 0; first < runs.length && !signal.aborted; first += CONCURRENCY) {
      const outcomes = await Promise.all(runs.slice(first, first + CONCURRENCY).map(settle));
      total += outcomes.filter(Boolean).length;
    }
    if (signal.aborted || runs.length < batchSize) return total;
    after = runs.at(-1);
  }
}
