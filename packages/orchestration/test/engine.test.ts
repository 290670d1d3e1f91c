import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proposeState } from '@praetor/schema/state';
import { ANY, type Rule, type Step, type Types, abort, reject, types, wait } from '../src/engine.ts';
import type { FlowTransition } from '../src/transition.ts';
import { outcome, proposal, runFlow, state } from './transitions.ts';

/** Runs PENDING → RUNNING through these steps and tells which hooks ran, in order, and the outcome. */
function trace(...build: ((log: string[]) => Step<FlowTransition>)[]): string[] {
  const log: string[] = [];
  const transition = runFlow(
    build.map((step) => step(log)),
    { from: state('PENDING'), to: proposal('RUNNING') },
  );
  return [...log, outcome(transition)];
}

const rule =
  (name: string, { decide, from = ANY, to = ANY }: { decide?: Rule<FlowTransition>['before']; from?: Types; to?: Types } = {}) =>
  (log: string[]): Rule<FlowTransition> => ({
    name,
    from,
    to,
    before(transition) {
      log.push(`+${name}`);
      return decide?.(transition);
    },
    after: () => void log.push(`-${name}`),
    cleanup: () => void log.push(`~${name}`),
  });

const transform =
  (name: string) =>
  (log: string[]): Step<FlowTransition> => ({
    name,
    before: ({ proposed }) => void log.push(`+${name}:${proposed?.type ?? 'none'}`),
    after: ({ proposed }) => void log.push(`-${name}:${proposed?.type ?? 'none'}`),
  });

test('rules and transforms are entered in order and exited in reverse', () => {
  assert.deepEqual(trace(rule('A'), rule('B'), transform('T')), ['+A', '+B', '+T:RUNNING', '-T:RUNNING', '-B', '-A', 'ACCEPT RUNNING Running']);
});

test('a rule takes part only between the types that it governs', () => {
  assert.deepEqual(
    trace(rule('A', { from: types('SCHEDULED') }), rule('B', { to: types('FAILED') }), rule('C', { from: types('PENDING'), to: types('RUNNING') })),
    ['+C', '-C', 'ACCEPT RUNNING Running'],
  );
});

test('a rule is invalid once an earlier one has changed the type; a transform still runs', () => {
  const refuse = rule('A', { decide: () => reject(null, 'no') });
  assert.deepEqual(trace(refuse, rule('B'), transform('T')), ['+A', '+T:none', '-T:none', '-A', 'REJECT']);
});

test('a rule stays valid where an earlier one substituted a state of the same type', () => {
  const substitute = rule('A', { decide: () => reject(proposeState('RUNNING', { name: 'Other' }), 'other') });
  assert.deepEqual(trace(substitute, rule('B')), ['+A', '+B', '-B', '-A', 'REJECT RUNNING Other']);
});

test('a rule fizzles when a later one changes the outcome: its cleanup runs, not its after-hook', () => {
  const later = rule('B', { decide: () => reject(proposeState('CANCELLED'), 'no slot') });
  assert.deepEqual(trace(rule('A'), later), ['+A', '+B', '-B', '~A', 'REJECT CANCELLED Cancelled']);
  assert.deepEqual(trace(rule('A'), rule('B', { decide: () => wait(3, 'soon') })), ['+A', '+B', '-B', '~A', 'WAIT 3']);
});

test('the after-hook of a rule that refused by itself runs', () => {
  assert.deepEqual(trace(rule('A', { decide: () => abort('stop') })), ['+A', '-A', 'ABORT']);
});

test('… unless what it made of the transition is not among the types that it governs', () => {
  const toRunning = { to: types('RUNNING') };
  assert.deepEqual(trace(rule('A', { ...toRunning, decide: () => abort('stop') })), ['+A', 'ABORT']);
  assert.deepEqual(trace(rule('A', { ...toRunning, decide: () => reject(proposeState('CANCELLED'), 'no') })), ['+A', 'REJECT CANCELLED Cancelled']);
  assert.deepEqual(trace(rule('A', { ...toRunning, decide: () => reject(proposeState('RUNNING'), 'no') })), ['+A', '-A', 'REJECT RUNNING Running']);
});

test('a transition from no state is governed by rules that know of none', () => {
  const log: string[] = [];
  const steps = [rule('A', { from: types('PENDING') }), rule('B', { from: types(null) })].map((step) => step(log));
  runFlow(steps, { from: null, to: proposal('RUNNING') });
  assert.deepEqual(log, ['+B', '-B']);
});

test('a substituted state gets an id of its own and the moment of the decision', () => {
  const { proposed, intended, now } = runFlow([rule('A', { decide: () => reject(proposeState('FAILED'), 'x') })([])], { from: null, to: proposal('RUNNING') });
  assert.notEqual(proposed?.id, intended.id);
  assert.equal(proposed?.timestamp, now);
});

test('neither the stored run nor the proposal is touched', () => {
  const to = proposal('RUNNING');
  const before = structuredClone(to);
  const steps: Step<FlowTransition>[] = [
    { name: 'T', before: ({ run, proposed }) => void (proposed && (run.run_count = (proposed.state_details.cache_key = 'x').length)) },
  ];
  const { stored, run } = runFlow(steps, { from: null, to });
  assert.deepEqual([stored.run_count, run.run_count, to], [0, 1, before]);
});
