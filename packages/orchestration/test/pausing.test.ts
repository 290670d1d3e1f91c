import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOW_POLICIES } from '../src/policies.ts';
import { handlePausingFlows, handleResumingPausedFlows } from '../src/rules/pausing.ts';
import { EARLIER, LATER, deployed, flowTable, outcome, policyIs, policyOf, proposal, runFlow, state } from './transitions.ts';

flowTable(handlePausingFlows, {
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

flowTable(handleResumingPausedFlows, {
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

test('core: pause, resume and the counting of attempts', () => {
  // Paused → RUNNING counts as an attempt and leaves `resuming` set until the next RUNNING or end (facts/orchestration.md §7).
  const resume = runFlow(FLOW_POLICIES.core, { from: state('PAUSED'), to: proposal('RUNNING'), run: { run_count: 1 } });
  assert.deepEqual([resume.run.run_count, resume.run.empirical_policy.resuming], [2, true]);
  const suspended = runFlow(FLOW_POLICIES.core, { from: state('PENDING'), to: proposal('RUNNING'), run: { run_count: 1 }, policy: { resuming: true } });
  assert.deepEqual([suspended.run.run_count, suspended.run.empirical_policy.resuming], [1, false]);
  const again = runFlow(FLOW_POLICIES.core, { from: state('RUNNING'), to: proposal('RUNNING'), run: { run_count: 1 } });
  assert.deepEqual([outcome(again), again.run.run_count, again.run.total_run_time], ['ACCEPT RUNNING Running', 2, 10]);
});
