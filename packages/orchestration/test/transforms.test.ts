import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOW_POLICIES, TASK_POLICIES } from '../src/policies.ts';
import type { FlowRunFields, TaskRunFields } from '../src/transition.ts';
import { EARLIER, type FlowCase, LATER, NOW, type TaskCase, proposal, runFlow, runTask, state } from './transitions.ts';

/** What a forced transition makes of the columns of a run. */
function columns<T extends FlowCase | TaskCase>(
  title: string,
  run: (input: T) => { run: FlowRunFields | TaskRunFields },
  input: T,
  expected: Partial<FlowRunFields & TaskRunFields>,
): void {
  test(title, () => {
    const { run: changed } = run(input);
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, Reflect.get(changed, key)])), expected);
  });
}

const flow = (input: FlowCase) => runFlow(FLOW_POLICIES.minimal, input);
const task = (input: TaskCase) => runTask(TASK_POLICIES.minimal, input);

columns(
  'the state columns follow the state',
  flow,
  { from: null, to: proposal('PENDING', { name: 'Submitting' }) },
  { state_type: 'PENDING', state_name: 'Submitting', state_timestamp: NOW },
);
columns('the first RUNNING starts the run', flow, { from: state('PENDING'), to: proposal('RUNNING') }, { start_time: NOW, end_time: null, run_count: 1 });
columns(
  'a later RUNNING does not',
  flow,
  { from: state('PENDING'), to: proposal('RUNNING'), run: { start_time: EARLIER, run_count: 1 } },
  { start_time: EARLIER, run_count: 2 },
);
columns(
  'a terminal state ends it',
  flow,
  { from: state('RUNNING'), to: proposal('FAILED'), run: { start_time: EARLIER } },
  { start_time: EARLIER, end_time: NOW },
);
columns('a run that never ran starts when it ends', flow, { from: state('PENDING'), to: proposal('CRASHED') }, { start_time: NOW, end_time: NOW });
columns('a second terminal state keeps the end', flow, { from: state('FAILED'), to: proposal('CANCELLED'), run: { end_time: EARLIER } }, { end_time: EARLIER });
columns(
  'leaving a terminal state takes the end back',
  flow,
  { from: state('FAILED'), to: proposal('RUNNING'), run: { end_time: EARLIER } },
  { end_time: null },
);
columns('time spent running adds up', flow, { from: state('RUNNING'), to: proposal('PAUSED'), run: { total_run_time: 2.5 } }, { total_run_time: 12.5 });
columns('time spent otherwise does not', flow, { from: state('PAUSED'), to: proposal('RUNNING'), run: { total_run_time: 2.5 } }, { total_run_time: 2.5 });
columns(
  'a scheduled run is expected at its time',
  flow,
  { from: null, to: proposal('SCHEDULED', { scheduled_time: '2026-11-21T14:01:00+02:00' }) },
  { expected_start_time: LATER, next_scheduled_start_time: LATER },
);
columns('any other is expected at once', flow, { from: null, to: proposal('PENDING') }, { expected_start_time: NOW, next_scheduled_start_time: null });
columns(
  'expectations do not change',
  flow,
  { from: state('SCHEDULED'), to: proposal('PENDING'), run: { expected_start_time: EARLIER, next_scheduled_start_time: EARLIER } },
  { expected_start_time: EARLIER, next_scheduled_start_time: null },
);
columns(
  'a retry is scheduled anew',
  flow,
  { from: state('SCHEDULED'), to: proposal('SCHEDULED', { scheduled_time: LATER }), run: { next_scheduled_start_time: EARLIER } },
  { next_scheduled_start_time: LATER },
);
columns(
  'a resumed flow does not count again',
  flow,
  { from: state('PENDING'), to: proposal('RUNNING'), run: { run_count: 1 }, policy: { resuming: true } },
  { run_count: 1 },
);
columns(
  'it does for old clients',
  flow,
  { from: state('PENDING'), to: proposal('RUNNING'), run: { run_count: 1 }, policy: { resuming: true }, apiVersion: '0.8.3' },
  { run_count: 2 },
);
columns('every RUNNING of a task counts', task, { from: state('RUNNING'), to: proposal('RUNNING'), run: { run_count: 1 } }, { run_count: 2 });

test('two states of a run never share a moment', () => {
  const { proposed, run } = flow({ from: { ...state('PENDING'), timestamp: NOW }, to: proposal('RUNNING') });
  assert.deepEqual([proposed?.timestamp, run.state_timestamp, run.start_time], Array(3).fill('2026-11-21T12:00:00.000001Z'));
});

test('the resuming mark goes with the next RUNNING or end, and stays otherwise', () => {
  const resuming = (to: FlowCase['to']) => flow({ from: state('PENDING'), to, policy: { resuming: true } }).run.empirical_policy.resuming;
  assert.deepEqual([resuming(proposal('RUNNING')), resuming(proposal('CANCELLED')), resuming(proposal('PENDING'))], [false, false, true]);
});

test('a state knows its run', () => {
  const flowState = flow({ from: null, to: proposal('PENDING', { flow_run_id: 'other' }) }).proposed?.state_details;
  assert.deepEqual([flowState?.flow_run_id, flowState?.task_run_id], ['flow-run', null]);
  const taskState = task({ from: null, to: proposal('PENDING'), run: { flow_run_id: 'flow-run' } }).proposed?.state_details;
  assert.deepEqual([taskState?.flow_run_id, taskState?.task_run_id], ['flow-run', 'task-run']);
});

test('the state of a sub-flow is copied to the task run that stands for it', () => {
  const { proposed, effects } = flow({ from: null, to: proposal('PENDING'), run: { parent_task_run_id: 'parent' } });
  assert.equal(proposed?.state_details.task_run_id, 'parent');
  const copy = effects.find((effect) => effect.type === 'copy_to_parent_task');
  assert.deepEqual([copy?.taskRunId, copy?.state.type, copy?.state.state_details.child_flow_run_id], ['parent', 'PENDING', 'flow-run']);
  assert.equal(proposed?.state_details.child_flow_run_id, null);
});

test('nothing changes where nothing is stored', () => {
  const { run, stored } = runFlow(FLOW_POLICIES.core, { from: state('CANCELLING'), to: proposal('RUNNING') });
  assert.deepEqual(run, stored);
});
