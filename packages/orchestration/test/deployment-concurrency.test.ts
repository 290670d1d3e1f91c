import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOW_POLICIES } from '../src/policies.ts';
import {
  preserveDeploymentConcurrencyLeaseId,
  releaseFlowConcurrencySlots,
  removeDeploymentConcurrencyLeaseForOldClients,
  secureFlowConcurrencySlots,
  validateDeploymentConcurrencyAtRunning,
} from '../src/rules/deployment-concurrency.ts';
import { enforceDeploymentConcurrencyOnLate } from '../src/rules/late-runs.ts';
import { retryFailedFlows } from '../src/rules/retries.ts';
import { LEASE, deployed, deployment, effectsAre, flowTable, leaseOf, limited, outcome, proposal, runFlow, state } from './transitions.ts';

flowTable(preserveDeploymentConcurrencyLeaseId, {
  'a lease id goes along': {
    from: state('PENDING', LEASE),
    to: proposal('PENDING'),
    is: 'ACCEPT PENDING Pending',
    and: (t) => assert.equal(leaseOf(t), 'lease'),
  },
  'one that is proposed counts': {
    from: state('PENDING', LEASE),
    to: proposal('PENDING', { deployment_concurrency_lease_id: 'other' }),
    is: 'ACCEPT PENDING Pending',
    and: (t) => assert.equal(leaseOf(t), 'other'),
  },
  'no state before': { from: null, to: proposal('PENDING'), is: 'ACCEPT PENDING Pending' },
});

flowTable(validateDeploymentConcurrencyAtRunning, {
  'no lease': {
    from: state('PENDING'),
    to: proposal('RUNNING', LEASE),
    ...limited(),
    is: 'ACCEPT RUNNING Running',
    and: (t) => assert.deepEqual([leaseOf(t), t.effects], [null, []]),
  },
  'a living lease is renewed': {
    from: state('PENDING', LEASE),
    to: proposal('RUNNING'),
    ...deployed,
    facts: { deployment: deployment({ gracePeriodSeconds: 90 }), hasLease: true },
    is: 'ACCEPT RUNNING Running',
    and: (t) => assert.deepEqual(t.effects, [{ type: 'renew_lease', leaseId: 'lease', seconds: 90 }]),
  },
  'a lost lease, a free slot': {
    from: state('PENDING', LEASE),
    to: proposal('RUNNING'),
    ...limited(),
    is: 'ACCEPT RUNNING Running',
    and: (t) => {
      assert.deepEqual(t.effects, [
        { type: 'take_slots', limitIds: ['limit'], lease: { id: leaseOf(t), seconds: 300, holder: { type: 'flow_run', id: 'flow-run' } } },
      ]);
      assert.notEqual(leaseOf(t), 'lease');
    },
  },
  'a lost lease, no slot': { from: state('PENDING', LEASE), to: proposal('RUNNING'), ...limited({ activeSlots: 1 }), is: 'REJECT CANCELLED Cancelled' },
  'an old client': {
    from: state('PENDING', LEASE),
    to: proposal('RUNNING'),
    ...limited({ activeSlots: 1 }),
    clientVersion: '3.4.10',
    is: 'ACCEPT RUNNING Running',
    and: (t) => assert.equal(leaseOf(t), 'lease'),
  },
  'no limit any more': {
    from: state('PENDING', LEASE),
    to: proposal('RUNNING'),
    ...deployed,
    facts: { deployment: deployment({ limit: null }) },
    is: 'ACCEPT RUNNING Running',
  },
});

flowTable(secureFlowConcurrencySlots, {
  'no deployment': { from: state('SCHEDULED'), to: proposal('PENDING'), is: 'ACCEPT PENDING Pending' },
  'deployment deleted': { from: state('SCHEDULED'), to: proposal('PENDING'), ...deployed, is: 'ABORT' },
  'no limit': {
    from: state('SCHEDULED'),
    to: proposal('PENDING'),
    ...deployed,
    facts: { deployment: deployment({ limit: null }) },
    is: 'ACCEPT PENDING Pending',
    and: (t) => assert.deepEqual(t.effects, []),
  },
  'limit 0': { from: state('SCHEDULED'), to: proposal('PENDING'), ...limited({ limit: 0 }), is: 'ABORT' },
  'a free slot': {
    from: state('SCHEDULED'),
    to: proposal('PENDING'),
    ...limited(),
    is: 'ACCEPT PENDING Pending',
    and: (t) => assert.deepEqual(t.effects, [{ type: 'take_slots', limitIds: ['limit'], lease: { id: leaseOf(t), seconds: 300, holder: null } }]),
  },
  'full: wait in the queue': {
    from: state('SCHEDULED'),
    to: proposal('PENDING'),
    ...limited({ activeSlots: 1 }),
    is: 'REJECT SCHEDULED AwaitingConcurrencySlot',
    and: (t) => assert.equal(t.proposed?.state_details.scheduled_time, '2026-11-21T12:00:30Z'),
  },
  'full: cancel': {
    from: state('SCHEDULED'),
    to: proposal('PENDING'),
    ...limited({ activeSlots: 1 }, { collisionStrategy: 'CANCEL_NEW' }),
    is: 'REJECT CANCELLED Cancelled',
  },
  'an inactive limit gives no slot': {
    from: state('SCHEDULED'),
    to: proposal('PENDING'),
    ...limited({ active: false }),
    is: 'REJECT SCHEDULED AwaitingConcurrencySlot',
  },
  'a worker that manages slots itself': {
    from: state('SCHEDULED'),
    to: proposal('PENDING'),
    ...limited({ activeSlots: 1 }),
    clientVersion: '3.0.2',
    is: 'ACCEPT PENDING Pending',
  },
  'from PENDING': { from: state('PENDING'), to: proposal('PENDING', { name: 'Submitting' }), ...limited({ activeSlots: 1 }), is: 'ACCEPT PENDING Submitting' },
});

test('SecureFlowConcurrencySlots: takes no slot when a later rule refuses', () => {
  const transition = runFlow(FLOW_POLICIES.core, { from: state('PAUSED'), to: proposal('PENDING'), ...limited() });
  assert.equal(outcome(transition), 'REJECT');
  assert.deepEqual(transition.effects, []);
});

flowTable(removeDeploymentConcurrencyLeaseForOldClients, {
  'an old client': {
    from: state('PENDING', LEASE),
    to: proposal('RUNNING'),
    clientVersion: '3.4.10',
    is: 'ACCEPT RUNNING Running',
    and: (t) => assert.deepEqual(t.effects, [{ type: 'forget_lease', leaseId: 'lease' }]),
  },
  'a client that renews': {
    from: state('PENDING', LEASE),
    to: proposal('RUNNING'),
    clientVersion: '3.4.11',
    is: 'ACCEPT RUNNING Running',
    and: (t) => assert.deepEqual(t.effects, []),
  },
  'no lease': {
    from: state('PENDING'),
    to: proposal('RUNNING'),
    clientVersion: '3.4.10',
    is: 'ACCEPT RUNNING Running',
    and: (t) => assert.deepEqual(t.effects, []),
  },
});

const released = { type: 'release_lease', leaseId: 'lease', limitId: 'limit' };

flowTable(releaseFlowConcurrencySlots, {
  'end of a run with a lease': {
    from: state('RUNNING', LEASE),
    to: proposal('COMPLETED'),
    ...limited(),
    is: 'ACCEPT COMPLETED Completed',
    and: effectsAre(released),
  },
  'end of a run without one': {
    from: state('RUNNING'),
    to: proposal('COMPLETED'),
    ...limited(),
    is: 'ACCEPT COMPLETED Completed',
    and: effectsAre({ type: 'release_unleased_slot', limitId: 'limit' }),
  },
  'a lease outlives its deployment': {
    from: state('RUNNING', LEASE),
    to: proposal('FAILED'),
    ...deployed,
    is: 'ACCEPT FAILED Failed',
    and: effectsAre({ ...released, limitId: null }),
  },
  'cancelled while pending': {
    from: state('PENDING', LEASE),
    to: proposal('CANCELLED'),
    ...limited(),
    is: 'ACCEPT CANCELLED Cancelled',
    and: effectsAre(released),
  },
  'rescheduled by its process': {
    from: state('RUNNING', LEASE),
    to: proposal('SCHEDULED', { name: 'AwaitingRetry' }),
    ...limited(),
    is: 'ACCEPT SCHEDULED AwaitingRetry',
    and: effectsAre(released),
  },
  'still at work': { from: state('PENDING', LEASE), to: proposal('RUNNING'), ...limited(), is: 'ACCEPT RUNNING Running', and: effectsAre() },
  'was not at work': { from: state('SCHEDULED', LEASE), to: proposal('CANCELLED'), ...limited(), is: 'ACCEPT CANCELLED Cancelled', and: effectsAre() },
  'no deployment': { from: state('RUNNING', LEASE), to: proposal('COMPLETED'), is: 'ACCEPT COMPLETED Completed', and: effectsAre() },
});

test('ReleaseFlowConcurrencySlots: a retry within the process keeps its slot', () => {
  const { effects } = runFlow([retryFailedFlows, releaseFlowConcurrencySlots], {
    from: state('RUNNING', LEASE),
    to: proposal('FAILED'),
    policy: { retries: 1 },
    ...limited(),
  });
  assert.deepEqual(effects, []);
});

const late = { from: state('SCHEDULED'), to: proposal('SCHEDULED', { name: 'Late' }) };

flowTable(enforceDeploymentConcurrencyOnLate, {
  'full and cancelling': { ...late, ...limited({ activeSlots: 1 }, { collisionStrategy: 'CANCEL_NEW' }), is: 'REJECT CANCELLED Cancelled' },
  'full and queueing': { ...late, ...limited({ activeSlots: 1 }), is: 'ACCEPT SCHEDULED Late' },
  'a free slot': { ...late, ...limited({}, { collisionStrategy: 'CANCEL_NEW' }), is: 'ACCEPT SCHEDULED Late' },
  'no limit': { ...late, ...deployed, facts: { deployment: deployment({ limit: null, collisionStrategy: 'CANCEL_NEW' }) }, is: 'ACCEPT SCHEDULED Late' },
  'not late': { ...late, to: proposal('SCHEDULED'), ...limited({ activeSlots: 1 }, { collisionStrategy: 'CANCEL_NEW' }), is: 'ACCEPT SCHEDULED Scheduled' },
});
