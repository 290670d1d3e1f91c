import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOW_POLICIES } from '../src/policies.ts';
import { type FlowCase, LATER, outcome, proposal, runFlow, state } from './transitions.ts';

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
