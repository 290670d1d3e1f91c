import { proposeState } from '@praetor/schema/state';
import { ANY, type Rule, reject, types } from '../engine.ts';
import type { FlowTransition } from '../transition.ts';

/** Only a run that still waits can be late, and only once. */
export const ensureOnlyScheduledFlowsMarkedLate: Rule<FlowTransition> = {
  name: 'EnsureOnlyScheduledFlowsMarkedLate',
  from: ANY,
  to: types('SCHEDULED'),
  before({ initial, proposed }) {
    if (!initial || proposed?.name !== 'Late') return undefined;
    if (initial.type !== 'SCHEDULED') return reject(null, 'Only scheduled runs can be late.');
    return initial.name === 'Late' ? reject(null, 'The run is already late.') : undefined;
  },
};

/** A late run of a full deployment that cancels what it cannot run is cancelled, since it may never become PENDING. */
export const enforceDeploymentConcurrencyOnLate: Rule<FlowTransition> = {
  name: 'EnforceDeploymentConcurrencyOnLate',
  from: types('SCHEDULED'),
  to: types('SCHEDULED'),
  before({ proposed, facts: { deployment } }) {
    if (proposed?.name !== 'Late' || deployment?.collisionStrategy !== 'CANCEL_NEW' || !deployment.limit) return undefined;
    if (deployment.limit.activeSlots < deployment.limit.limit) return undefined;
    const message = 'The concurrency limit of the deployment is reached.';
    return reject(proposeState('CANCELLED', { message }), message);
  },
};
