import { ANY, type Rule, abort, reject, types } from '../engine.ts';
import type { FlowTransition, Transition } from '../transition.ts';

/** A client that did not get our answer sends the same transition again. */
export const preventDuplicateTransitions: Rule<FlowTransition> = {
  name: 'PreventDuplicateTransitions',
  from: ANY,
  to: ANY,
  before({ initial, proposed }) {
    const id = initial?.state_details.transition_id ?? null;
    return id !== null && id === proposed?.state_details.transition_id ? reject(null, 'The run has already made this transition.') : undefined;
  },
};

/**
 * PENDING is how a worker claims a run, so only one may get it. A PENDING run may still move between named steps
 * (Submitting, InfrastructurePending); what the claim secured goes along.
 */
export const preventPendingTransitions: Rule<Transition> = {
  name: 'PreventPendingTransitions',
  from: types('PENDING', 'CANCELLING', 'RUNNING', 'CANCELLED'),
  to: types('PENDING'),
  before({ initial, proposed }) {
    if (!initial || !proposed) return undefined;
    if (initial.type === 'PENDING' && proposed.name !== initial.name && proposed.name !== 'Pending') {
      proposed.state_details.scheduled_time = initial.state_details.scheduled_time;
      proposed.state_details.deployment_concurrency_lease_id = initial.state_details.deployment_concurrency_lease_id;
      return undefined;
    }
    const reason = `A run in state ${initial.type} cannot become PENDING.`;
    // Prefect aborts here too; answering with the CANCELLED state is safe, since no worker takes that for a claim.
    return initial.type === 'CANCELLED' ? reject(null, reason) : abort(reason);
  },
};
