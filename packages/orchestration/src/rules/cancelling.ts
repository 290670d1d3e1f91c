import { proposeState } from '@praetor/schema/state';
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
