import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compactStateDetails, completeStateDetails, proposeState, stateCreate } from '../src/state.ts';
import { secondsBetween, now } from '../src/timestamps.ts';

test('a state is named after its type unless it has a name', () => {
  assert.equal(stateCreate.parse({ type: 'RUNNING' }).name, 'Running');
  assert.equal(stateCreate.parse({ type: 'RUNNING', name: null }).name, 'Running');
  assert.equal(stateCreate.parse({ type: 'SCHEDULED', name: 'Late' }).name, 'Late');
});

test('a scheduled state without a time is scheduled for now', () => {
  const { scheduled_time } = stateCreate.parse({ type: 'SCHEDULED' }).state_details;
  assert.ok(scheduled_time && Math.abs(secondsBetween(scheduled_time, now())) < 5);
  assert.equal(stateCreate.parse({ type: 'PENDING' }).state_details.scheduled_time, null);
});

test('moments inside the details keep their offset', () => {
  const scheduled = (scheduled_time: unknown) => stateCreate.parse({ type: 'SCHEDULED', state_details: { scheduled_time } }).state_details.scheduled_time;
  assert.deepEqual(
    ['2026-11-21T10:00:00+02:00', '2026-11-21T10:00:00.5-0530', '2026-11-21T10:00:00', '2026-11-21T10:00:00+00:00', 1795255200].map(scheduled),
    ['2026-11-21T10:00:00+02:00', '2026-11-21T10:00:00.500000-05:30', '2026-11-21T10:00:00Z', '2026-11-21T10:00:00Z', '2026-11-21T10:00:00Z'],
  );
  assert.throws(() => scheduled('tomorrow'));
});

test('details are complete whatever was sent or stored; unknown ones are dropped', () => {
  const sent = stateCreate.parse({ type: 'RUNNING', state_details: { deferred: null, cache_key: 'k', unknown: 1 } }).state_details;
  assert.deepEqual([sent.deferred, sent.cache_key, Object.keys(sent).length], [null, 'k', 18]);
  assert.deepEqual(completeStateDetails({ cache_key: 'k', deferred: null }), sent);
  assert.deepEqual(proposeState('RUNNING', { details: { cache_key: 'k', deferred: null } }).state_details, sent);
});

test('only details that say something are stored', () => {
  const { state_details } = stateCreate.parse({ type: 'RUNNING', state_details: { deferred: null, cache_key: 'k', retriable: false, pause_reschedule: false } });
  assert.deepEqual(compactStateDetails(state_details), { deferred: null, cache_key: 'k', retriable: false });
  assert.deepEqual(completeStateDetails(compactStateDetails(state_details)), state_details);
});

test('a state has no fields but its own', () => {
  assert.throws(() => stateCreate.parse({ type: 'RUNNING', timestamp: now() }));
  assert.throws(() => stateCreate.parse({ type: 'NEW' }));
});
