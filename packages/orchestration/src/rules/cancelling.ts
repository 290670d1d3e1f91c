import { proposeState } from '@praetor/schema/state';
import { v5 as uuidv5 } from 'uuid';
import { type Rule, anyBut, reject, types } from '../engine.ts';
import type { FlowTransition } from '../transition.ts';

/** A run that is being cancelled ends as CANCELLED, whatever its process says. */
export const enforceCancellingToCancelled: Rule<FlowTransition> = {
  name: 'EnforceCancellingToCancelled',
  from: types('CANCELLING'),
  to: anyBut('CANCELLED'),
  before: () => reject(null, 'A run that is being cancelled can only become CANCELLED.'),
};

/** CANCELLING asks a process to stop; a run that has none is CANCELLED at once. */
export const bypassCancellingFlowRunsWithNoInfra: Rule<FlowTransition> = {
  name: 'BypassCancellingFlowRunsWithNoInfra',
  from: types('SCHEDULED', 'PAUSED'),
  to: types('CANCELLING'),
  before({ initial, run }) {
    if ((initial?.type === 'SCHEDULED' && !run.infrastructure_pid) || initial?.name === 'Resuming') {
      return reject(proposeState('CANCELLED'), 'The scheduled run has no infrastructure to stop.');
    }
    if (initial?.type === 'PAUSED' && initial.state_details.pause_reschedule) {
      return reject(proposeState('CANCELLED'), 'The suspended run has no infrastructure to stop.');
    }
    return undefined;
  },
};

/** Pools whose runs no worker started, so no worker can clean up after them. */
const WORKERLESS = /:(?:push|managed)$/;

const TEARDOWN = 'cancelling_timeout_teardown.v1';

/** Nobody confirmed the cancellation in time: a worker of the run's pool is asked to tear down what the run left behind. */
export const tearDownUnconfirmedCancellation: Rule<FlowTransition> = {
  name: 'TearDownUnconfirmedCancellation',
  from: types('CANCELLING'),
  to: types('CANCELLED'),
  after({ facts: { workPool, workQueue }, proposed, run, effects }) {
    if (proposed === null || workPool === null || workQueue === null || WORKERLESS.test(workPool.type)) return;
    effects.push({
      type: 'enqueue_cleanup',
      message: {
        id: uuidv5(`prefect:${TEARDOWN}:${run.id}:${proposed.id}`, uuidv5.URL),
        workPoolId: workPool.id,
        workQueueId: workQueue.id,
        kind: TEARDOWN,
        target: { flow_run_id: run.id, infrastructure_pid: run.infrastructure_pid },
      },
    });
  },
};
