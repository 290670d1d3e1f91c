import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOW_POLICIES, TASK_POLICIES } from '../src/policies.ts';
import { type FlowCase, LATER, outcome, proposal, runFlow, state } from './transitions.ts';

const FLOW_TRANSFORMS = [
  'EnsureStateTimestampIsUnique',
  'SetRunState',
  'SetStartTime',
  'SetEndTime',
  'IncrementRunTime',
  'SetExpectedStartTime',
  'SetNextScheduledStartTime',
  'UpdateStateDetails',
  'UpdateSubflowParentTask',
  'UpdateSubflowStateDetails',
  'IncrementFlowRunCount',
  'RemoveResumingIndicator',
];

const TASK_TRANSFORMS = [
  'EnsureStateTimestampIsUnique',
  'SetRunState',
  'SetStartTime',
  'SetEndTime',
  'IncrementRunTime',
  'SetExpectedStartTime',
  'SetNextScheduledStartTime',
  'UpdateStateDetails',
  'IncrementTaskRunCount',
];

const FLOW_CORE = [
  'PreserveDeploymentConcurrencyLeaseId',
  'PreventDuplicateTransitions',
  'HandleFlowTerminalStateTransitions',
  'EnforceCancellingToCancelled',
  'BypassCancellingFlowRunsWithNoInfra',
  'PreventPendingTransitions',
  'ValidateDeploymentConcurrencyAtRunning',
  'SecureFlowConcurrencySlots',
  'RemoveDeploymentConcurrencyLeaseForOldClients',
  'EnsureOnlyScheduledFlowsMarkedLate',
  'HandlePausingFlows',
  'HandleResumingPausedFlows',
  'CopyScheduledTime',
  'WaitForScheduledTime',
  'RetryFailedFlows',
  'InstrumentFlowRunStateTransitions',
  'ReleaseFlowConcurrencySlots',
  ...FLOW_TRANSFORMS,
];

/** The names of the steps of each policy, in order. */
const namesOf = (policies: Record<string, readonly { name: string }[]>) => Object.fromEntries(Object.entries(policies).map(([policy, steps]) => [policy, steps.map(({ name }) => name)]));

/* Written out, as Prefect's core_policy.py and global_policy.py have them: the order decides which rule speaks first. */

test('the policies of flow runs hold the rules of the contract in its order, and no others', () => {
  assert.deepEqual(namesOf(FLOW_POLICIES), {
    core: FLOW_CORE,
    minimal: [
      'PreserveDeploymentConcurrencyLeaseId',
      'PreventResultDataLoss',
      'BypassCancellingFlowRunsWithNoInfra',
      'InstrumentFlowRunStateTransitions',
      'ReleaseFlowConcurrencySlots',
      ...FLOW_TRANSFORMS,
    ],
    'cancelling-timeout': ['TearDownUnconfirmedCancellation', ...FLOW_CORE],
    'mark-late': ['EnsureOnlyScheduledFlowsMarkedLate', 'EnforceDeploymentConcurrencyOnLate', 'InstrumentFlowRunStateTransitions', ...FLOW_TRANSFORMS],
  });
});

test('the policies of task runs hold the rules of the contract in its order, and no others', () => {
  assert.deepEqual(namesOf(TASK_POLICIES), {
    core: [
      'CacheRetrieval',
      'HandleTaskTerminalStateTransitions',
      'PreventRunningTasksFromStoppedFlows',
      'SecureTaskConcurrencySlots',
      'CopyScheduledTime',
      'WaitForScheduledTime',
      'RetryFailedTasks',
      'RenameReruns',
      'UpdateFlowRunTrackerOnTasks',
      'CacheInsertion',
      'ReleaseTaskConcurrencySlots',
      ...TASK_TRANSFORMS,
    ],
    background: [
      'PreventPendingTransitions',
      'CacheRetrieval',
      'HandleTaskTerminalStateTransitions',
      'CopyScheduledTime',
      'CopyTaskParametersID',
      'WaitForScheduledTime',
      'RetryFailedTasks',
      'RenameReruns',
      'UpdateFlowRunTrackerOnTasks',
      'CacheInsertion',
      'ReleaseTaskConcurrencySlots',
      'EnqueueScheduledTasks',
      ...TASK_TRANSFORMS,
    ],
    minimal: ['ReleaseTaskConcurrencySlots', ...TASK_TRANSFORMS],
  });
});

test('core: one event for one stored state, none for a refusal', () => {
  const events = (flowCase: FlowCase) => runFlow(FLOW_POLICIES.core, flowCase).effects.filter(({ type }) => type === 'emit').length;
  assert.equal(events({ from: state('PENDING'), to: proposal('RUNNING') }), 1);
  assert.equal(events({ from: state('RUNNING'), to: proposal('FAILED'), policy: { retries: 1 }, run: { run_count: 1 } }), 1);
  assert.equal(events({ from: state('PENDING'), to: proposal('PENDING') }), 0);
});

test('core: nothing is stored for a run that must wait', () => {
  const transition = runFlow(FLOW_POLICIES.core, { from: state('SCHEDULED', { scheduled_time: LATER }), to: proposal('RUNNING') });
  assert.deepEqual([outcome(transition), transition.effects, transition.run], ['WAIT 60', [], transition.stored]);
});
