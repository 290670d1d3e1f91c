import { proposeState } from '@praetor/schema/state';
import { addSeconds } from '@praetor/schema/timestamps';
import { type Rule, type Transform, abort, anyBut, reject, types } from '../engine.ts';
import type { DeploymentFacts, FlowTransition, LimitFacts } from '../transition.ts';
import { isAtLeast } from '../version.ts';

/* A deployment's concurrency limit: a slot is taken when a run becomes PENDING and given back when it stops. */

/** These workers take and release the slots of deployments themselves. */
const SELF_MANAGING_CLIENTS = new Set(['3.0.0rc20', '3.0.0', '3.0.1', '3.0.2', '3.0.3']);

const renewsLeases = (clientVersion: string | null): boolean => clientVersion !== null && isAtLeast(clientVersion, '3.4.11');
const hasFreeSlot = ({ active, activeSlots, limit }: LimitFacts): boolean => active && activeSlots < limit;
const leaseSeconds = ({ settings }: FlowTransition, { gracePeriodSeconds }: DeploymentFacts): number => gracePeriodSeconds ?? settings.deploymentLeaseSeconds;

/** Workers propose states with an explicit null for the lease id, which must not make the run forget its lease. */
export const preserveDeploymentConcurrencyLeaseId: Transform<FlowTransition> = {
  name: 'PreserveDeploymentConcurrencyLeaseId',
  before({ initial, proposed }) {
    if (initial && proposed) proposed.state_details.deployment_concurrency_lease_id ??= initial.state_details.deployment_concurrency_lease_id;
  },
};

/** Between PENDING and RUNNING the lease may have expired; then a free slot is taken again, or the run is cancelled. */
export const validateDeploymentConcurrencyAtRunning: Rule<FlowTransition> = {
  name: 'ValidateDeploymentConcurrencyAtRunning',
  from: types('PENDING'),
  to: types('RUNNING'),
  before(transition) {
    const { initial, proposed, facts, run, effects, clientVersion, newId } = transition;
    const leaseId = initial?.state_details.deployment_concurrency_lease_id ?? null;
    if (proposed) proposed.state_details.deployment_concurrency_lease_id = leaseId;
    const { deployment } = facts;
    if (!proposed || leaseId === null || !renewsLeases(clientVersion) || !deployment?.limit) return undefined;
    const seconds = leaseSeconds(transition, deployment);
    if (facts.hasLease) {
      effects.push({ type: 'renew_lease', leaseId, seconds });
      return undefined;
    }
    if (!hasFreeSlot(deployment.limit)) {
      // Its infrastructure is up already, so the run cannot be put back into the queue.
      const message = 'The deployment concurrency slot was lost while the infrastructure started, and none is free.';
      return reject(proposeState('CANCELLED', { message }), message);
    }
    const lease = { id: newId(), seconds, holder: { type: 'flow_run' as const, id: run.id } };
    effects.push({ type: 'take_slots', limitIds: [deployment.limit.id], lease });
    proposed.state_details.deployment_concurrency_lease_id = lease.id;
    return undefined;
  },
};

/** A run of a limited deployment needs a slot before a worker may prepare infrastructure for it. */
export const secureFlowConcurrencySlots: Rule<FlowTransition> = {
  name: 'SecureFlowConcurrencySlots',
  from: anyBut('PENDING', 'RUNNING', 'CANCELLING'),
  to: types('PENDING'),
  before(transition) {
    const { proposed, facts, run, effects, clientVersion, newId, now, settings } = transition;
    if (!proposed || run.deployment_id === null || (clientVersion !== null && SELF_MANAGING_CLIENTS.has(clientVersion))) return undefined;
    const { deployment } = facts;
    if (!deployment) return abort('The deployment does not exist.');
    if (!deployment.limit) return undefined;
    if (deployment.limit.limit === 0) return abort('The concurrency limit of the deployment is 0; the run would wait for ever.');
    if (hasFreeSlot(deployment.limit)) {
      const lease = { id: newId(), seconds: leaseSeconds(transition, deployment), holder: null };
      effects.push({ type: 'take_slots', limitIds: [deployment.limit.id], lease });
      proposed.state_details.deployment_concurrency_lease_id = lease.id;
      return undefined;
    }
    const reason = 'The concurrency limit of the deployment is reached.';
    if (deployment.collisionStrategy === 'CANCEL_NEW') return reject(proposeState('CANCELLED', { message: reason }), reason);
    const details = { scheduled_time: addSeconds(now, settings.deploymentSlotWaitSeconds) };
    return reject(proposeState('SCHEDULED', { name: 'AwaitingConcurrencySlot', details }), reason);
  },
  cleanup(transition) {
    transition.effects = transition.effects.filter((effect) => effect.type !== 'take_slots');
    if (transition.proposed) transition.proposed.state_details.deployment_concurrency_lease_id = null;
  },
};

/** A client that cannot renew its lease must not lose the slot when the lease expires. */
export const removeDeploymentConcurrencyLeaseForOldClients: Rule<FlowTransition> = {
  name: 'RemoveDeploymentConcurrencyLeaseForOldClients',
  from: types('PENDING'),
  to: types('RUNNING', 'CANCELLING'),
  after({ initial, effects, clientVersion }) {
    const leaseId = initial?.state_details.deployment_concurrency_lease_id ?? null;
    if (leaseId !== null && !renewsLeases(clientVersion)) effects.push({ type: 'forget_lease', leaseId });
  },
};

const HOLDS_SLOT = types('RUNNING', 'CANCELLING', 'PENDING');

/** The slot comes back when the run leaves the states that hold one. */
export const releaseFlowConcurrencySlots: Transform<FlowTransition> = {
  name: 'ReleaseFlowConcurrencySlots',
  after({ initial, proposed, facts, run, status, effects }) {
    if (!initial || !proposed || run.deployment_id === null) return;
    if (!HOLDS_SLOT.has(initial.type) || HOLDS_SLOT.has(proposed.type)) return;
    // A retry within the same process goes on renewing its lease.
    if (status === 'REJECT' && proposed.type === 'SCHEDULED' && proposed.name === 'AwaitingRetry') return;
    const limitId = facts.deployment?.limit?.id ?? null;
    const leaseId = initial.state_details.deployment_concurrency_lease_id;
    if (leaseId !== null) effects.push({ type: 'release_lease', leaseId, limitId });
    else if (limitId !== null) effects.push({ type: 'release_unleased_slot', limitId });
  },
};
