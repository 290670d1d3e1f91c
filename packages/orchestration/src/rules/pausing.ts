import { isTerminal, proposeState } from '@praetor/schema/state';
import { toMicroseconds } from '@praetor/schema/timestamps';
import { ANY, type Rule, abort, reject, types } from '../engine.ts';
import type { FlowTransition } from '../transition.ts';
import { knowsPauses } from '../version.ts';

/** Only a running flow can pause, and at each pause (key) once. */
export const handlePausingFlows: Rule<FlowTransition> = {
  name: 'HandlePausingFlows',
  from: ANY,
  to: types('PAUSED'),
  before({ initial, proposed, run }) {
    if (!proposed) return undefined;
    const verb = proposed.name === 'Suspended' ? 'suspend' : 'pause';
    if (!initial) return abort(`Cannot ${verb} a run without a state.`);
    if (initial.type !== 'RUNNING') return reject(null, `Cannot ${verb} a run that is not running.`);
    const { pause_key, pause_reschedule } = proposed.state_details;
    if (pause_key !== null && run.empirical_policy.pause_keys.includes(pause_key)) return reject(null, `This ${verb} has been used already.`);
    if (pause_reschedule && run.parent_task_run_id !== null) return abort('Cannot suspend a sub-flow.');
    if (pause_reschedule && run.deployment_id === null) return abort('Cannot suspend a run without a deployment.');
    return undefined;
  },
  after({ proposed, run, effects, newId }) {
    const details = proposed?.state_details;
    run.empirical_policy = { ...run.empirical_policy, pause_keys: [...run.empirical_policy.pause_keys, details?.pause_key ?? newId()] };
    // Whatever lies under these keys belongs to an earlier attempt; the client stores its schema after the pause.
    if (details?.run_input_keyset) effects.push({ type: 'delete_inputs', keys: Object.values(details.run_input_keyset) });
  },
};

/** A paused flow goes on, is scheduled again, is cancelled or ends; and not after its time is over. */
export const handleResumingPausedFlows: Rule<FlowTransition> = {
  name: 'HandleResumingPausedFlows',
  from: types('PAUSED'),
  to: ANY,
  before({ initial, proposed, run, now }) {
    if (!initial || !proposed) return undefined;
    const canLeave = ['RUNNING', 'SCHEDULED', 'CANCELLING'].includes(proposed.type) || isTerminal(proposed.type);
    if (!canLeave) return reject(null, `A paused run cannot become ${proposed.type}.`);
    const { pause_reschedule, pause_timeout } = initial.state_details;
    if (pause_reschedule && run.deployment_id === null) return reject(null, 'A run without a deployment cannot be scheduled again.');
    // A paused process still lives, so its cancellation must reach the worker, however late.
    if (proposed.type === 'CANCELLING') return undefined;
    if (pause_timeout !== null && toMicroseconds(pause_timeout) < toMicroseconds(now)) {
      return reject(proposeState('FAILED', { message: 'The flow was paused and never resumed.' }), 'The pause has timed out.');
    }
    return undefined;
  },
  // Also after its own refusal: a Prefect quirk that clients can see.
  after({ initial, proposed, run, apiVersion }) {
    const startsOver = initial?.state_details.pause_reschedule === false && proposed?.type === 'SCHEDULED' && knowsPauses(apiVersion);
    run.empirical_policy = startsOver
      ? { ...run.empirical_policy, resuming: false, pause_keys: [], retry_type: 'reschedule' }
      : { ...run.empirical_policy, resuming: true };
  },
};
