import { NotFoundError } from '@praetor/schema/errors';
import { type FlowRunProposal, setFlowRunState } from '@praetor/orchestration/set-state';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import type { ServiceContext } from '@praetor/runtime/service';
import { publishOutboxEvents } from '@praetor/streams/outbox';

/** A run that a look at the tables found, with the state it was found in. */
export interface FoundRun {
  id: string;
  state_id: string;
}

/** Database and instruments that the rounds of this service need. */
export type RoundContext = Pick<ServiceContext, 'settings' | 'database' | 'broker' | 'logger'>;

/**
 * Proposes a state for a run that was found in another one, and only if it still is: whatever happened in between, also
 * by another copy of this service, wins. True where a new state was stored.
 */
export async function propose({ settings, database, broker, logger }: RoundContext, run: FoundRun, proposal: Omit<FlowRunProposal, 'flowRunId' | 'onlyFromStateId'>): Promise<boolean> {
  try {
    const change = await setFlowRunState(database, { ...proposal, flowRunId: run.id, onlyFromStateId: run.state_id }, orchestrationSettings(settings));
    publishOutboxEvents(broker, change.events, (error) => logger.warn({ error }, 'events wait in the outbox'));
    return change.isNew;
  } catch (error) {
    // The run was deleted meanwhile.
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

/**
 * Takes batches from `find` and hands them to `settle` until one is not full or none of it could be settled (the same
 * rows would come again). Returns how many were settled.
 */
export async function settleInBatches<Run>(batchSize: number, find: () => PromiseLike<Run[]>, settle: (run: Run) => Promise<boolean>, signal: AbortSignal): Promise<number> {
  let total = 0;
  for (;;) {
    const runs = await find();
    let settled = 0;
    for (const run of runs) {
      if (signal.aborted) return total + settled;
      if (await settle(run)) settled++;
    }
    total += settled;
    if (runs.length < batchSize || settled === 0) return total;
  }
}

