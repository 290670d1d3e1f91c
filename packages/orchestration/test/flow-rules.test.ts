import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOW_POLICIES } from '../src/policies.ts';
import { bypassCancellingFlowRunsWithNoInfra, enforceCancellingToCancelled } from '../src/rules/cancelling.ts';
import { preventDuplicateTransitions, preventPendingTransitions } from '../src/rules/duplicates.ts';
import { ensureOnlyScheduledFlowsMarkedLate } from '../src/rules/late-runs.ts';
import { retryFailedFlows } from '../src/rules/retries.ts';
import { copyScheduledTime, waitForScheduledTime } from '../src/rules/scheduled-time.ts';
import { handleFlowTerminalStateTransitions, preventResultDataLoss } from '../src/rules/terminal-states.ts';
import type { FlowTransition } from '../src/transition.ts';
import { EARLIER, LATER, LEASE, RESULT, flowTable, leaseOf, limited, outcome, policyIs, policyOf, proposal, runFlow, state } from './transitions.ts';

const paused = { resuming: true, pause_keys: ['k'], retry_type: 'in_process' };

flowTable(preventDuplicateTransitions, {
  'the same transition': { from: state('RUNNING', { transition_id: 't' }), to: proposal('RUNNING', { transition_id: 't' }), is: 'REJECT' },
  'another transition': { from: state('RUNNING', { transition_id: 't' }), to: proposal('RUNNING', { transition_id: 'u' }), is: 'ACCEPT RUNNING Running' },
  'no ids': { from: state('RUNNING'), to: proposal('RUNNING'), is: 'ACCEPT RUNNING Running' },
});

flowTable(handleFlowTerminalStateTransitions, {
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
  const transition = runFlow(FLOW_POLICIES.core, { from: state('FAILED'), to: proposal('PENDING'), policy: paused, ...limited({ activeSlots: 1 }) });
  assert.equal(outcome(transition), 'REJECT SCHEDULED AwaitingConcurrencySlot');
  assert.deepEqual(policyOf(transition), paused);
});

flowTable(enforceCancellingToCancelled, {
  'to CANCELLED': { from: state('CANCELLING'), to: proposal('CANCELLED'), is: 'ACCEPT CANCELLED Cancelled' },
  'to COMPLETED': { from: state('CANCELLING'), to: proposal('COMPLETED'), is: 'REJECT' },
  'to RUNNING': { from: state('CANCELLING'), to: proposal('RUNNING'), is: 'REJECT' },
});

flowTable(bypassCancellingFlowRunsWithNoInfra, {
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

flowTable(preventPendingTransitions, {
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

flowTable(ensureOnlyScheduledFlowsMarkedLate, {
  'a waiting run': { from: state('SCHEDULED'), to: proposal('SCHEDULED', { name: 'Late' }), is: 'ACCEPT SCHEDULED Late' },
  'late already': { from: state('SCHEDULED', { name: 'Late' }), to: proposal('SCHEDULED', { name: 'Late' }), is: 'REJECT' },
  running: { from: state('RUNNING'), to: proposal('SCHEDULED', { name: 'Late' }), is: 'REJECT' },
  'another name': { from: state('RUNNING'), to: proposal('SCHEDULED'), is: 'ACCEPT SCHEDULED Scheduled' },
});

const scheduledTime = (expected: string | null) => (t: FlowTransition) => assert.equal(t.proposed?.state_details.scheduled_time, expected);

flowTable(copyScheduledTime, {
  'goes along': { from: state('SCHEDULED', { scheduled_time: LATER }), to: proposal('PENDING'), is: 'ACCEPT PENDING Pending', and: scheduledTime(LATER) },
  'unless proposed': {
    from: state('SCHEDULED', { scheduled_time: LATER }),
    to: proposal('PENDING', { scheduled_time: EARLIER }),
    is: 'ACCEPT PENDING Pending',
    and: scheduledTime(EARLIER),
  },
});

flowTable(waitForScheduledTime, {
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

flowTable(retryFailedFlows, {
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

flowTable(preventResultDataLoss, {
  'a result would be lost': { from: state('COMPLETED', { data: RESULT }), to: proposal('COMPLETED', { data: { type: 'unpersisted' } }), is: 'REJECT' },
  'no result to lose': { from: state('COMPLETED'), to: proposal('COMPLETED'), is: 'ACCEPT COMPLETED Completed' },
  'another end': { from: state('COMPLETED', { data: RESULT }), to: proposal('CRASHED'), is: 'ACCEPT CRASHED Crashed' },
});
