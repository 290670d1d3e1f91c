import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../src/engine.ts';
import { FLOW_POLICIES } from '../src/policies.ts';
import { bypassCancellingFlowRunsWithNoInfra, enforceCancellingToCancelled } from '../src/rules/cancelling.ts';
import {
  preserveDeploymentConcurrencyLeaseId,
  releaseFlowConcurrencySlots,
  removeDeploymentConcurrencyLeaseForOldClients,
  secureFlowConcurrencySlots,
  validateDeploymentConcurrencyAtRunning,
} from '../src/rules/deployment-concurrency.ts';
import { preventDuplicateTransitions, preventPendingTransitions } from '../src/rules/duplicates.ts';
import { enforceDeploymentConcurrencyOnLate, ensureOnlyScheduledFlowsMarkedLate } from '../src/rules/late-runs.ts';
import { handlePausingFlows, handleResumingPausedFlows } from '../src/rules/pausing.ts';
import { retryFailedFlows } from '../src/rules/retries.ts';
import { copyScheduledTime, waitForScheduledTime } from '../src/rules/scheduled-time.ts';
import { handleFlowTerminalStateTransitions, preventResultDataLoss } from '../src/rules/terminal-states.ts';
import type { FlowTransition } from '../src/transition.ts';
import { EARLIER, type FlowCase, LATER, NOW, RESULT, deployment, limit, outcome, proposal, runFlow, state } from './transitions.ts';

/** One transition under one rule: the outcome, and what else must hold of it. */
type Row = FlowCase & { is: string; and?: (transition: FlowTransition) => void };

function table(rule: Step<FlowTransition>, rows: Record<string, Row>): void {
  for (const [title, { is, and, ...flowCase }] of Object.entries(rows)) {
    test(`${rule.name}: ${title}`, () => {
      const transition = runFlow([rule], flowCase);
      assert.equal(outcome(transition), is);
      and?.(transition);
    });
  }
}

const LEASE = { deployment_concurrency_lease_id: 'lease' };
const leaseOf = ({ proposed }: FlowTransition) => proposed?.state_details.deployment_concurrency_lease_id;
const policyOf = ({ run }: FlowTransition) => ({
  resuming: run.empirical_policy.resuming,
  pause_keys: run.empirical_policy.pause_keys,
  retry_type: run.empirical_policy.retry_type,
});
const paused = { resuming: true, pause_keys: ['k'], retry_type: 'in_process' };

table(preserveDeploymentConcurrencyLeaseId, {
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

table(preventDuplicateTransitions, {
  'the same transition': { from: state('RUNNING', { transition_id: 't' }), to: proposal('RUNNING', { transition_id: 't' }), is: 'REJECT' },
  'another transition': { from: state('RUNNING', { transition_id: 't' }), to: proposal('RUNNING', { transition_id: 'u' }), is: 'ACCEPT RUNNING Running' },
  'no ids': { from: state('RUNNING'), to: proposal('RUNNING'), is: 'ACCEPT RUNNING Running' },
});

table(handleFlowTerminalStateTransitions, {
  'to CANCELLING': { from: state('COMPLETED'), to: proposal('CANCELLING'), is: 'ABORT' },
  'to PAUSED': { from: state('FAILED'), to: proposal('PAUSED'), is: 'ABORT' },
  'to CRASHED': { from: state('CANCELLED'), to: proposal('CRASHED'), is: 'ABORT' },
  'again, with a result': { from: state('COMPLETED', { data: RESULT }), to: proposal('RUNNING'), is: 'REJECT' },
  'again, with an empty result': { from: state('COMPLETED', { data: {} }), to: proposal('RUNNING'), is: 'ACCEPT RUNNING Running' },
  'again, with data that is no result': { from: state('COMPLETED', { data: 5 }), to: proposal('RUNNING'), is: 'ACCEPT RUNNING Running' },
  'again, result not persisted': { from: state('COMPLETED', { data: { type: 'unpersisted' } }), to: proposal('RUNNING'), is: 'ACCEPT RUNNING Running' },
  'a result would be lost': { from: state('COMPLETED', { data: RESULT }), to: proposal('COMPLETED'), is: 'REJECT' },
  'a result for a result': { from: state('COMPLETED', { data: RESULT }), to: proposal('COMPLETED', { data: RESULT }), is: 'ACCEPT COMPLETED Completed' },
  'a result may fail': { from: state('COMPLETED', { data: RESULT }), to: proposal('FAILED'), is: 'ACCEPT FAILED Failed' },
  'scheduled without a deployment': { from: state('FAILED'), to: proposal('SCHEDULED'), is: 'ABORT' },
  'scheduled again': {
    from: state('FAILED'),
    to: proposal('SCHEDULED'),
    run: { deployment_id: 'deployment' },
    policy: paused,
    is: 'ACCEPT SCHEDULED Scheduled',
    and: (t) => assert.deepEqual(policyOf(t), { resuming: false, pause_keys: [], retry_type: 'reschedule' }),
  },
  'run again': {
    from: state('FAILED'),
    to: proposal('RUNNING'),
    policy: paused,
    is: 'ACCEPT RUNNING Running',
    and: (t) => assert.deepEqual(policyOf(t), { resuming: false, pause_keys: [], retry_type: null }),
  },
  'run again by an old client': {
    from: state('FAILED'),
    to: proposal('RUNNING'),
    policy: paused,
    apiVersion: '0.8.3',
    is: 'ACCEPT RUNNING Running',
    and: (t) => assert.deepEqual(policyOf(t), paused),
  },
  'another end': {
    from: state('FAILED'),
    to: proposal('COMPLETED'),
    policy: paused,
    is: 'ACCEPT COMPLETED Completed',
    and: (t) => assert.deepEqual(policyOf(t), paused),
  },
});

test('HandleFlowTerminalStateTransitions: takes its change of the policy back when a later rule substitutes another state', () => {
  const full = { facts: { deployment: deployment({ limit: limit({ activeSlots: 1 }) }) }, run: { deployment_id: 'deployment' } };
  const transition = runFlow(FLOW_POLICIES.core, { from: state('FAILED'), to: proposal('PENDING'), policy: paused, ...full });
  assert.equal(outcome(transition), 'REJECT SCHEDULED AwaitingConcurrencySlot');
  assert.deepEqual(policyOf(transition), paused);
});

table(enforceCancellingToCancelled, {
  'to CANCELLED': { from: state('CANCELLING'), to: proposal('CANCELLED'), is: 'ACCEPT CANCELLED Cancelled' },
  'to COMPLETED': { from: state('CANCELLING'), to: proposal('COMPLETED'), is: 'REJECT' },
  'to RUNNING': { from: state('CANCELLING'), to: proposal('RUNNING'), is: 'REJECT' },
});

table(bypassCancellingFlowRunsWithNoInfra, {
  'scheduled, no process': { from: state('SCHEDULED'), to: proposal('CANCELLING'), is: 'REJECT CANCELLED Cancelled' },
  'scheduled, with a process': { from: state('SCHEDULED'), to: proposal('CANCELLING'), run: { infrastructure_pid: '1' }, is: 'ACCEPT CANCELLING Cancelling' },
  'resuming has no process yet': {
    from: state('SCHEDULED', { name: 'Resuming' }),
    to: proposal('CANCELLING'),
    run: { infrastructure_pid: '1' },
    is: 'REJECT CANCELLED Cancelled',
  },
  suspended: { from: state('PAUSED', { pause_reschedule: true }), to: proposal('CANCELLING'), is: 'REJECT CANCELLED Cancelled' },
  paused: { from: state('PAUSED'), to: proposal('CANCELLING'), is: 'ACCEPT CANCELLING Cancelling' },
  running: { from: state('RUNNING'), to: proposal('CANCELLING'), is: 'ACCEPT CANCELLING Cancelling' },
});

table(preventPendingTransitions, {
  'a second claim': { from: state('PENDING'), to: proposal('PENDING'), is: 'ABORT' },
  'a second claim of a submitted run': { from: state('PENDING', { name: 'Submitting' }), to: proposal('PENDING'), is: 'ABORT' },
  'the same step again': { from: state('PENDING', { name: 'Submitting' }), to: proposal('PENDING', { name: 'Submitting' }), is: 'ABORT' },
  'the next step keeps time and lease': {
    from: state('PENDING', { ...LEASE, scheduled_time: EARLIER }),
    to: proposal('PENDING', { name: 'Submitting', scheduled_time: LATER }),
    is: 'ACCEPT PENDING Submitting',
    and: (t) => assert.deepEqual([t.proposed?.state_details.scheduled_time, leaseOf(t)], [EARLIER, 'lease']),
  },
  running: { from: state('RUNNING'), to: proposal('PENDING'), is: 'ABORT' },
  cancelling: { from: state('CANCELLING'), to: proposal('PENDING'), is: 'ABORT' },
  cancelled: { from: state('CANCELLED'), to: proposal('PENDING'), is: 'REJECT' },
  scheduled: { from: state('SCHEDULED'), to: proposal('PENDING'), is: 'ACCEPT PENDING Pending' },
});

const deployed = { run: { deployment_id: 'deployment' } };
const limited = (fields = {}, options = {}) => ({ ...deployed, facts: { deployment: deployment({ limit: limit(fields), ...options }) } });

table(validateDeploymentConcurrencyAtRunning, {
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

table(secureFlowConcurrencySlots, {
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

table(removeDeploymentConcurrencyLeaseForOldClients, {
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

table(ensureOnlyScheduledFlowsMarkedLate, {
  'a waiting run': { from: state('SCHEDULED'), to: proposal('SCHEDULED', { name: 'Late' }), is: 'ACCEPT SCHEDULED Late' },
  'late already': { from: state('SCHEDULED', { name: 'Late' }), to: proposal('SCHEDULED', { name: 'Late' }), is: 'REJECT' },
  running: { from: state('RUNNING'), to: proposal('SCHEDULED', { name: 'Late' }), is: 'REJECT' },
  'another name': { from: state('RUNNING'), to: proposal('SCHEDULED'), is: 'ACCEPT SCHEDULED Scheduled' },
});

table(handlePausingFlows, {
  'no state': { from: null, to: proposal('PAUSED'), is: 'ABORT' },
  'not running': { from: state('PENDING'), to: proposal('PAUSED'), is: 'REJECT' },
  'a key used before': {
    from: state('RUNNING'),
    to: proposal('PAUSED', { pause_key: 'k', run_input_keyset: { response: 'r' } }),
    policy: { pause_keys: ['k'] },
    is: 'REJECT',
    and: (t) => assert.deepEqual([policyOf(t).pause_keys, t.effects], [['k'], []]),
  },
  'pause with input': {
    from: state('RUNNING'),
    to: proposal('PAUSED', { pause_key: 'k', run_input_keyset: { response: 'r', schema: 's', x: 'y' } }),
    is: 'ACCEPT PAUSED Paused',
    and: (t) => assert.deepEqual([policyOf(t).pause_keys, t.effects], [['k'], [{ type: 'delete_inputs', keys: ['r', 's', 'y'] }]]),
  },
  'pause without a key': {
    from: state('RUNNING'),
    to: proposal('PAUSED'),
    is: 'ACCEPT PAUSED Paused',
    and: (t) => assert.equal(policyOf(t).pause_keys.length, 1),
  },
  'suspend a sub-flow': { from: state('RUNNING'), to: proposal('PAUSED', { pause_reschedule: true }), run: { parent_task_run_id: 'task' }, is: 'ABORT' },
  'suspend without a deployment': { from: state('RUNNING'), to: proposal('PAUSED', { pause_reschedule: true }), is: 'ABORT' },
  suspend: { from: state('RUNNING'), to: proposal('PAUSED', { pause_reschedule: true, name: 'Suspended' }), ...deployed, is: 'ACCEPT PAUSED Suspended' },
});

const keyed = { resuming: false, pause_keys: ['k'], retry_type: null };
const resumed = { resuming: true, pause_keys: ['k'], retry_type: null };
const startedOver = { resuming: false, pause_keys: [], retry_type: 'reschedule' };
const policyIs = (expected: object) => (t: FlowTransition) => assert.deepEqual(policyOf(t), expected);

table(handleResumingPausedFlows, {
  'to PENDING; resuming all the same': { from: state('PAUSED'), to: proposal('PENDING'), policy: keyed, is: 'REJECT', and: policyIs(resumed) },
  'to PAUSED': { from: state('PAUSED'), to: proposal('PAUSED'), policy: keyed, is: 'REJECT', and: policyIs(resumed) },
  'to RUNNING': { from: state('PAUSED'), to: proposal('RUNNING'), policy: keyed, is: 'ACCEPT RUNNING Running', and: policyIs(resumed) },
  'to FAILED': { from: state('PAUSED'), to: proposal('FAILED'), policy: keyed, is: 'ACCEPT FAILED Failed', and: policyIs(resumed) },
  'paused to SCHEDULED starts over': {
    from: state('PAUSED'),
    to: proposal('SCHEDULED'),
    policy: keyed,
    is: 'ACCEPT SCHEDULED Scheduled',
    and: policyIs(startedOver),
  },
  'the same by an old client': {
    from: state('PAUSED'),
    to: proposal('SCHEDULED'),
    policy: keyed,
    apiVersion: '0.8.3',
    is: 'ACCEPT SCHEDULED Scheduled',
    and: policyIs(resumed),
  },
  'suspended to SCHEDULED resumes': {
    from: state('PAUSED', { pause_reschedule: true }),
    to: proposal('SCHEDULED'),
    policy: keyed,
    ...deployed,
    is: 'ACCEPT SCHEDULED Scheduled',
    and: policyIs(resumed),
  },
  'suspended without a deployment': { from: state('PAUSED', { pause_reschedule: true }), to: proposal('SCHEDULED'), is: 'REJECT' },
  'too late': { from: state('PAUSED', { pause_timeout: EARLIER }), to: proposal('RUNNING'), policy: keyed, is: 'REJECT FAILED Failed', and: policyIs(resumed) },
  'too late, but cancelled': { from: state('PAUSED', { pause_timeout: EARLIER }), to: proposal('CANCELLING'), is: 'ACCEPT CANCELLING Cancelling' },
  'in time': { from: state('PAUSED', { pause_timeout: LATER }), to: proposal('RUNNING'), is: 'ACCEPT RUNNING Running' },
});

const scheduledTime = (expected: string | null) => (t: FlowTransition) => assert.equal(t.proposed?.state_details.scheduled_time, expected);

table(copyScheduledTime, {
  'goes along': { from: state('SCHEDULED', { scheduled_time: LATER }), to: proposal('PENDING'), is: 'ACCEPT PENDING Pending', and: scheduledTime(LATER) },
  'unless proposed': {
    from: state('SCHEDULED', { scheduled_time: LATER }),
    to: proposal('PENDING', { scheduled_time: EARLIER }),
    is: 'ACCEPT PENDING Pending',
    and: scheduledTime(EARLIER),
  },
});

table(waitForScheduledTime, {
  future: { from: state('SCHEDULED', { scheduled_time: LATER }), to: proposal('RUNNING'), is: 'WAIT 60' },
  'future, from PENDING': { from: state('PENDING', { scheduled_time: '2026-11-21T12:00:01.400000Z' }), to: proposal('RUNNING'), is: 'WAIT 1' },
  'with an offset': { from: state('PENDING', { scheduled_time: '2026-11-21T14:00:10+02:00' }), to: proposal('RUNNING'), is: 'WAIT 10' },
  'less than half a second': {
    from: state('SCHEDULED', { scheduled_time: '2026-11-21T12:00:00.400000Z' }),
    to: proposal('RUNNING'),
    is: 'ACCEPT RUNNING Running',
  },
  past: { from: state('SCHEDULED', { scheduled_time: EARLIER }), to: proposal('RUNNING'), is: 'ACCEPT RUNNING Running' },
  'no time': { from: state('PENDING'), to: proposal('RUNNING'), is: 'ACCEPT RUNNING Running' },
});

const failure = proposal('FAILED', { message: 'boom', data: RESULT });
const RETRY = { is: 'REJECT SCHEDULED AwaitingRetry', run: { run_count: 1 } };

table(retryFailedFlows, {
  'no retries': {
    from: state('RUNNING'),
    to: failure,
    policy: paused,
    run: { run_count: 1 },
    is: 'ACCEPT FAILED Failed',
    and: policyIs({ ...paused, retry_type: null }),
  },
  'none left': { from: state('RUNNING'), to: failure, policy: { retries: 1 }, run: { run_count: 2 }, is: 'ACCEPT FAILED Failed' },
  'one left': {
    ...RETRY,
    from: state('RUNNING', LEASE),
    to: failure,
    policy: { ...paused, retries: 1, retry_delay: 60 },
    and: (t) => {
      assert.deepEqual(
        [t.proposed?.message, t.proposed?.data, t.proposed?.state_details.scheduled_time, leaseOf(t)],
        ['boom', RESULT, '2026-11-21T12:01:00Z', 'lease'],
      );
      assert.deepEqual(t.details, { type: 'reject_details', reason: 'Retrying' });
      policyIs({ resuming: false, pause_keys: [], retry_type: 'in_process' })(t);
    },
  },
  'the deprecated spelling': {
    ...RETRY,
    from: state('RUNNING'),
    to: failure,
    policy: { max_retries: 1, retry_delay_seconds: 5 },
    and: scheduledTime('2026-11-21T12:00:05Z'),
  },
  'client 0.8.3 keeps its policy': {
    ...RETRY,
    from: state('RUNNING'),
    to: failure,
    policy: { ...paused, retries: 1 },
    apiVersion: '0.8.3',
    and: (t) => assert.deepEqual([policyOf(t), t.effects], [paused, []]),
  },
  'client 0.8.2 retries its task runs': {
    ...RETRY,
    from: state('RUNNING'),
    to: failure,
    policy: { retries: 1 },
    apiVersion: '0.8.2',
    and: (t) => assert.deepEqual(t.effects, [{ type: 'retry_failed_task_runs', scheduledTime: '2026-11-21T12:00:00Z' }]),
  },
});

const released = { type: 'release_lease', leaseId: 'lease', limitId: 'limit' };
const effectsAre =
  (...expected: object[]) =>
  (t: FlowTransition) =>
    assert.deepEqual(t.effects, expected);

table(releaseFlowConcurrencySlots, {
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
    to: failure,
    policy: { retries: 1 },
    ...limited(),
  });
  assert.deepEqual(effects, []);
});

table(preventResultDataLoss, {
  'a result would be lost': { from: state('COMPLETED', { data: RESULT }), to: proposal('COMPLETED', { data: { type: 'unpersisted' } }), is: 'REJECT' },
  'no result to lose': { from: state('COMPLETED'), to: proposal('COMPLETED'), is: 'ACCEPT COMPLETED Completed' },
  'another end': { from: state('COMPLETED', { data: RESULT }), to: proposal('CRASHED'), is: 'ACCEPT CRASHED Crashed' },
});

const late = { from: state('SCHEDULED'), to: proposal('SCHEDULED', { name: 'Late' }) };

table(enforceDeploymentConcurrencyOnLate, {
  'full and cancelling': { ...late, ...limited({ activeSlots: 1 }, { collisionStrategy: 'CANCEL_NEW' }), is: 'REJECT CANCELLED Cancelled' },
  'full and queueing': { ...late, ...limited({ activeSlots: 1 }), is: 'ACCEPT SCHEDULED Late' },
  'a free slot': { ...late, ...limited({}, { collisionStrategy: 'CANCEL_NEW' }), is: 'ACCEPT SCHEDULED Late' },
  'no limit': { ...late, ...deployed, facts: { deployment: deployment({ limit: null, collisionStrategy: 'CANCEL_NEW' }) }, is: 'ACCEPT SCHEDULED Late' },
  'not late': { ...late, to: proposal('SCHEDULED'), ...limited({ activeSlots: 1 }, { collisionStrategy: 'CANCEL_NEW' }), is: 'ACCEPT SCHEDULED Scheduled' },
});

test('the policies hold the rules in the order of the contract', () => {
  const names = (policy: readonly { name: string }[]) => policy.map(({ name }) => name);
  const transforms = names(FLOW_POLICIES.core).slice(17);
  assert.deepEqual(names(FLOW_POLICIES.minimal), [
    'PreserveDeploymentConcurrencyLeaseId',
    'PreventResultDataLoss',
    'BypassCancellingFlowRunsWithNoInfra',
    'InstrumentFlowRunStateTransitions',
    'ReleaseFlowConcurrencySlots',
    ...transforms,
  ]);
  assert.deepEqual(names(FLOW_POLICIES['mark-late']), [
    'EnsureOnlyScheduledFlowsMarkedLate',
    'EnforceDeploymentConcurrencyOnLate',
    'InstrumentFlowRunStateTransitions',
    ...transforms,
  ]);
});

test('core: pause, resume and the counting of attempts', () => {
  // Paused → RUNNING counts as an attempt and leaves `resuming` set until the next RUNNING or end (facts/orchestration.md §7).
  const resume = runFlow(FLOW_POLICIES.core, { from: state('PAUSED'), to: proposal('RUNNING'), run: { run_count: 1 } });
  assert.deepEqual([resume.run.run_count, resume.run.empirical_policy.resuming], [2, true]);
  const suspended = runFlow(FLOW_POLICIES.core, { from: state('PENDING'), to: proposal('RUNNING'), run: { run_count: 1 }, policy: { resuming: true } });
  assert.deepEqual([suspended.run.run_count, suspended.run.empirical_policy.resuming], [1, false]);
  const again = runFlow(FLOW_POLICIES.core, { from: state('RUNNING'), to: proposal('RUNNING'), run: { run_count: 1 } });
  assert.deepEqual([outcome(again), again.run.run_count, again.run.total_run_time], ['ACCEPT RUNNING Running', 2, 10]);
});

test('core: one event for one stored state, none for a refusal', () => {
  const events = (flowCase: FlowCase) => runFlow(FLOW_POLICIES.core, flowCase).effects.filter(({ type }) => type === 'emit').length;
  assert.equal(events({ from: state('PENDING'), to: proposal('RUNNING') }), 1);
  assert.equal(events({ from: state('RUNNING'), to: failure, policy: { retries: 1 }, run: { run_count: 1 } }), 1);
  assert.equal(events({ from: state('PENDING'), to: proposal('PENDING') }), 0);
});

test(`core: nothing is stored at ${NOW} for a run that must wait`, () => {
  const transition = runFlow(FLOW_POLICIES.core, { from: state('SCHEDULED', { scheduled_time: LATER }), to: proposal('RUNNING') });
  assert.deepEqual([outcome(transition), transition.effects, transition.run], ['WAIT 60', [], transition.stored]);
});
