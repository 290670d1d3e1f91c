import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotFoundError } from '@praetor/schema/errors';
import { TASK_POLICIES } from '../src/policies.ts';
import { copyTaskParametersId, enqueueScheduledTasks } from '../src/rules/background-tasks.ts';
import { renameReruns, retryFailedTasks } from '../src/rules/retries.ts';
import { cacheInsertion, cacheRetrieval } from '../src/rules/task-caching.ts';
import { releaseTaskConcurrencySlots, secureTaskConcurrencySlots } from '../src/rules/task-concurrency.ts';
import { preventRunningTasksFromStoppedFlows, updateFlowRunTrackerOnTasks } from '../src/rules/task-flow-run.ts';
import { handleTaskTerminalStateTransitions } from '../src/rules/terminal-states.ts';
import type { LegacyLimitFacts, TaskFacts, TaskTransition } from '../src/transition.ts';
import { LATER, RESULT, effectsAre, limit, outcome, proposal, runTask, state, taskTable } from './transitions.ts';

const flowRun = (type: Parameters<typeof state>[0] | null, run_count = 1, details = {}): Partial<TaskFacts> => ({
  flowRun: { id: 'flow-run', run_count, state: type && state(type, details) },
});
const inFlow = { run: { flow_run_id: 'flow-run' } };
const running = { from: state('PENDING'), to: proposal('RUNNING') };
const cached = { cachedState: proposal('COMPLETED', { data: RESULT, cache_key: 'key' }) };

taskTable(cacheRetrieval, {
  'a cached result': {
    ...running,
    to: proposal('RUNNING', { cache_key: 'key' }),
    facts: cached,
    is: 'REJECT COMPLETED Cached',
    and: (t) => assert.deepEqual(t.proposed?.data, RESULT),
  },
  'nothing cached': { ...running, to: proposal('RUNNING', { cache_key: 'key' }), is: 'ACCEPT RUNNING Running' },
  'to be computed anew': { ...running, to: proposal('RUNNING', { cache_key: 'key', refresh_cache: true }), facts: cached, is: 'ACCEPT RUNNING Running' },
  'no key': { ...running, facts: cached, is: 'ACCEPT RUNNING Running' },
});

taskTable(handleTaskTerminalStateTransitions, {
  'to CANCELLING': { from: state('FAILED'), to: proposal('CANCELLING'), is: 'ABORT' },
  'to PAUSED': { from: state('COMPLETED'), to: proposal('PAUSED'), is: 'ABORT' },
  'to CRASHED': { from: state('CRASHED'), to: proposal('CRASHED'), is: 'ABORT' },
  'away from a result': { from: state('COMPLETED', { data: RESULT }), to: proposal('FAILED'), is: 'REJECT' },
  'run again counts anew': {
    from: state('FAILED'),
    to: proposal('RUNNING'),
    run: { run_count: 3 },
    is: 'ACCEPT RUNNING Running',
    and: (t) => assert.equal(t.run.run_count, 0),
  },
  'run again in another attempt of the flow': {
    from: state('FAILED'),
    to: proposal('RUNNING'),
    run: { flow_run_id: 'flow-run', flow_run_run_count: 1 },
    facts: flowRun('RUNNING', 2),
    is: 'ACCEPT RUNNING Retrying',
  },
  'another end': {
    from: state('FAILED'),
    to: proposal('COMPLETED'),
    run: { run_count: 3 },
    is: 'ACCEPT COMPLETED Completed',
    and: (t) => assert.equal(t.run.run_count, 3),
  },
});

test('HandleTaskTerminalStateTransitions: gives the count of runs back when a later rule refuses', () => {
  const transition = runTask(TASK_POLICIES.core, {
    from: state('FAILED'),
    to: proposal('RUNNING'),
    run: { flow_run_id: 'flow-run', run_count: 3 },
    facts: flowRun('FAILED'),
  });
  assert.deepEqual([outcome(transition), transition.run.run_count], ['ABORT', 3]);
});

taskTable(preventRunningTasksFromStoppedFlows, {
  'no flow': { ...running, is: 'ACCEPT RUNNING Running' },
  'flow runs': { ...running, ...inFlow, facts: flowRun('RUNNING'), is: 'ACCEPT RUNNING Running' },
  'flow has ended': { ...running, ...inFlow, facts: flowRun('FAILED'), is: 'ABORT' },
  'flow has no state': { ...running, ...inFlow, facts: flowRun(null), is: 'ABORT' },
  'flow is paused': {
    ...running,
    ...inFlow,
    facts: flowRun('PAUSED', 1, { pause_timeout: LATER, pause_reschedule: true }),
    is: 'REJECT PAUSED NotReady',
    and: (t) => assert.deepEqual([t.proposed?.state_details.pause_timeout, t.proposed?.state_details.pause_reschedule], [LATER, true]),
  },
});

const legacy = (fields: Partial<LegacyLimitFacts> = {}): LegacyLimitFacts => ({ id: 'legacy', tag: 'x', limit: 1, holders: [], ...fields });
const century = 100 * 365 * 86_400;

taskTable(secureTaskConcurrencySlots, {
  'no limits': { ...running, is: 'ACCEPT RUNNING Running', and: effectsAre() },
  'free slots of all tags': {
    ...running,
    facts: { tagLimits: [limit({ id: 'a' }), limit({ id: 'b', name: 'tag:y' })] },
    is: 'ACCEPT RUNNING Running',
    and: effectsAre({ type: 'take_slots', limitIds: ['a', 'b'], lease: { id: 'id-2', seconds: century, holder: { type: 'task_run', id: 'task-run' } } }),
  },
  'one is full': {
    ...running,
    facts: { tagLimits: [limit(), limit({ id: 'b', activeSlots: 1, averageOccupancySeconds: 8 })] },
    is: 'WAIT 8',
    and: effectsAre(),
  },
  'waits at most the setting': { ...running, facts: { tagLimits: [limit({ activeSlots: 1, averageOccupancySeconds: 1000 })] }, is: 'WAIT 10' },
  'one is 0': { ...running, facts: { tagLimits: [limit(), limit({ limit: 0 })] }, is: 'ABORT', and: effectsAre() },
  'inactive limits do not count': { ...running, facts: { tagLimits: [limit({ active: false, limit: 0 })] }, is: 'ACCEPT RUNNING Running', and: effectsAre() },
  'first generation: free': {
    ...running,
    facts: { legacyLimits: [legacy()] },
    is: 'ACCEPT RUNNING Running',
    and: effectsAre({ type: 'take_legacy_slots', limitIds: ['legacy'] }),
  },
  'first generation: full': { ...running, facts: { legacyLimits: [legacy({ holders: ['other'] })] }, is: 'WAIT 10' },
  'first generation: 0': { ...running, facts: { legacyLimits: [legacy({ limit: 0 })] }, is: 'ABORT' },
  'first generation: replaced': { ...running, facts: { tagLimits: [limit()], legacyLimits: [legacy({ limit: 0 })] }, is: 'ACCEPT RUNNING Running' },
});

test('SecureTaskConcurrencySlots: takes no slot when a later rule makes the run wait', () => {
  const transition = runTask(TASK_POLICIES.core, {
    from: state('SCHEDULED', { scheduled_time: LATER }),
    to: proposal('RUNNING'),
    facts: { tagLimits: [limit()], legacyLimits: [legacy({ tag: 'z' })] },
  });
  assert.deepEqual([outcome(transition), transition.effects], ['WAIT 60', []]);
});

const FAILING = { from: state('RUNNING'), run: { run_count: 1 }, is: 'REJECT SCHEDULED AwaitingRetry' };
const waits = (seconds: string) => (t: TaskTransition) => assert.equal(t.proposed?.state_details.scheduled_time, `2026-11-21T12:00:${seconds}Z`);

taskTable(retryFailedTasks, {
  'no retries': { ...FAILING, to: proposal('FAILED'), is: 'ACCEPT FAILED Failed' },
  'none left': { ...FAILING, to: proposal('FAILED'), policy: { retries: 1 }, run: { run_count: 2 }, is: 'ACCEPT FAILED Failed' },
  'not to be retried': { ...FAILING, to: proposal('FAILED', { retriable: false }), policy: { retries: 1 }, is: 'ACCEPT FAILED Failed' },
  'one left': {
    ...FAILING,
    to: proposal('FAILED', { message: 'boom' }),
    policy: { retries: 1 },
    and: (t) => assert.deepEqual([t.proposed?.message, t.details], ['boom', { type: 'reject_details', reason: 'Retrying' }]),
  },
  'after a delay': { ...FAILING, to: proposal('FAILED'), policy: { retries: 1, retry_delay: 5 }, and: waits('05') },
  'the second of several delays': {
    ...FAILING,
    to: proposal('FAILED'),
    policy: { retries: 3, retry_delay: [1, 2.5] },
    run: { run_count: 2 },
    and: waits('02.500000'),
  },
  'the last delay repeats': { ...FAILING, to: proposal('FAILED'), policy: { retries: 9, retry_delay: [1, 2] }, run: { run_count: 7 }, and: waits('02') },
  'with jitter': { ...FAILING, to: proposal('FAILED'), policy: { retries: 1, retry_delay: 10, retry_jitter_factor: 0.5 }, and: waits('09.728038') },
});

taskTable(renameReruns, {
  first: { ...running, is: 'ACCEPT RUNNING Running' },
  again: { from: state('RUNNING'), to: proposal('RUNNING'), run: { run_count: 1 }, is: 'ACCEPT RUNNING Rerunning' },
  'after a failure': { from: state('SCHEDULED', { name: 'AwaitingRetry' }), to: proposal('RUNNING'), run: { run_count: 1 }, is: 'ACCEPT RUNNING Retrying' },
  'without a state': { from: null, to: proposal('RUNNING'), run: { run_count: 1 }, is: 'ACCEPT RUNNING Running' },
});

taskTable(updateFlowRunTrackerOnTasks, {
  'in a flow': { ...running, ...inFlow, facts: flowRun('RUNNING', 4), is: 'ACCEPT RUNNING Running', and: (t) => assert.equal(t.run.flow_run_run_count, 4) },
  alone: { ...running, is: 'ACCEPT RUNNING Running', and: (t) => assert.equal(t.run.flow_run_run_count, 0) },
});

test('UpdateFlowRunTrackerOnTasks: a flow run that is gone', () => {
  assert.throws(() => runTask([updateFlowRunTrackerOnTasks], { ...running, ...inFlow }), NotFoundError);
});

taskTable(cacheInsertion, {
  'no key': { from: state('RUNNING'), to: proposal('COMPLETED'), is: 'ACCEPT COMPLETED Completed', and: effectsAre() },
  'a key': {
    from: state('RUNNING'),
    to: proposal('COMPLETED', { cache_key: 'key', cache_expiration: LATER }),
    is: 'ACCEPT COMPLETED Completed',
    and: effectsAre({ type: 'cache_state', key: 'key', expiration: LATER }),
  },
  'a key too long is stored all the same': {
    from: state('RUNNING'),
    to: proposal('COMPLETED', { cache_key: 'k'.repeat(2001), data: RESULT }),
    is: 'REJECT COMPLETED Completed',
    and: (t) => assert.deepEqual([t.proposed?.data, t.effects.length], [RESULT, 1]),
  },
});

const held = { heldLeaseIds: ['lease'], legacyLimits: [legacy({ holders: ['task-run', 'other'] }), legacy({ id: 'second', holders: ['other'] })] };

taskTable(releaseTaskConcurrencySlots, {
  ended: {
    from: state('RUNNING'),
    to: proposal('FAILED'),
    facts: held,
    is: 'ACCEPT FAILED Failed',
    and: effectsAre({ type: 'release_held_leases', leaseIds: ['lease'] }, { type: 'release_legacy_slots', limitIds: ['legacy'] }),
  },
  'holds nothing': { from: state('RUNNING'), to: proposal('FAILED'), is: 'ACCEPT FAILED Failed', and: effectsAre() },
  running: { from: state('RUNNING'), to: proposal('RUNNING'), facts: held, is: 'ACCEPT RUNNING Running', and: effectsAre() },
  cancelling: { from: state('RUNNING'), to: proposal('CANCELLING'), facts: held, is: 'ACCEPT CANCELLING Cancelling', and: effectsAre() },
});

const parameters = (id: string) => (t: TaskTransition) => assert.equal(t.proposed?.state_details.task_parameters_id, id);

taskTable(copyTaskParametersId, {
  'goes along': { from: state('PENDING', { task_parameters_id: 'p' }), to: proposal('RUNNING'), is: 'ACCEPT RUNNING Running', and: parameters('p') },
  'unless proposed': {
    from: state('SCHEDULED', { task_parameters_id: 'p' }),
    to: proposal('PENDING', { task_parameters_id: 'q' }),
    is: 'ACCEPT PENDING Pending',
    and: parameters('q'),
  },
});

taskTable(enqueueScheduledTasks, {
  'for a worker': {
    from: null,
    to: proposal('SCHEDULED', { deferred: true }),
    is: 'ACCEPT SCHEDULED Scheduled',
    and: effectsAre({ type: 'enqueue', isRetry: false }),
  },
  'to be tried again': {
    from: state('RUNNING'),
    to: proposal('SCHEDULED', { deferred: true, name: 'AwaitingRetry' }),
    is: 'ACCEPT SCHEDULED AwaitingRetry',
    and: effectsAre({ type: 'enqueue', isRetry: true }),
  },
  'not for a worker': { from: null, to: proposal('SCHEDULED'), is: 'ACCEPT SCHEDULED Scheduled', and: effectsAre() },
});

test('background: only one worker gets a task', () => {
  assert.equal(outcome(runTask(TASK_POLICIES.background, { from: state('PENDING'), to: proposal('PENDING', { deferred: true }) })), 'ABORT');
});

test('a retried background task waits in no queue, for the retry itself is not deferred', () => {
  const transition = runTask(TASK_POLICIES.background, {
    from: state('RUNNING'),
    to: proposal('FAILED', { deferred: true }),
    policy: { retries: 1 },
    run: { run_count: 1 },
  });
  assert.deepEqual([outcome(transition), transition.effects], ['REJECT SCHEDULED AwaitingRetry', []]);
});
