import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOW_POLICIES } from '../src/policies.ts';
import { toOutboxEvent } from '../src/lifecycle-events.ts';
import { type FlowCase, deployment, proposal, runFlow, state } from './transitions.ts';

function eventOf(flowCase: FlowCase) {
  const { effects, proposed } = runFlow(FLOW_POLICIES.minimal, flowCase);
  const emitted = effects.find((effect) => effect.type === 'emit');
  assert.ok(emitted && proposed);
  return { event: emitted.event, state: proposed };
}

test('the event of a deployed run in a work pool looks like the one that Prefect recorded', () => {
  const { event, state: stored } = eventOf({
    from: state('PENDING'),
    to: proposal('PENDING', { name: 'Submitting' }),
    run: { name: 'khaki-whale', deployment_id: 'd', tags: ['b', 'a'] },
    facts: {
      flow: { id: 'f', name: 'pooled', tags: ['b', 'c'] },
      deployment: deployment({ id: 'd', name: 'pd', tags: ['Z'] }),
      workQueue: { id: 'q', name: 'default' },
      workPool: { id: 'p', name: 'proc', type: 'process' },
    },
  });
  assert.deepEqual(event, {
    id: stored.id,
    occurred: '2026-11-21T12:00:00Z',
    event: 'prefect.flow-run.Submitting',
    follows: 'initial',
    resource: {
      'prefect.resource.id': 'prefect.flow-run.flow-run',
      'prefect.resource.name': 'khaki-whale',
      'prefect.run-count': '0',
      'prefect.state-message': '',
      'prefect.state-name': 'Submitting',
      'prefect.state-timestamp': '2026-11-21T12:00:00+00:00',
      'prefect.state-type': 'PENDING',
    },
    related: [
      { 'prefect.resource.id': 'prefect.flow.f', 'prefect.resource.role': 'flow', 'prefect.resource.name': 'pooled' },
      { 'prefect.resource.id': 'prefect.deployment.d', 'prefect.resource.role': 'deployment', 'prefect.resource.name': 'pd' },
      { 'prefect.resource.id': 'prefect.work-queue.q', 'prefect.resource.role': 'work-queue', 'prefect.resource.name': 'default' },
      {
        'prefect.resource.id': 'prefect.work-pool.p',
        'prefect.resource.role': 'work-pool',
        'prefect.resource.name': 'proc',
        'prefect.work-pool.type': 'process',
      },
      ...['Z', 'a', 'b', 'c'].map((tag) => ({ 'prefect.resource.id': `prefect.tag.${tag}`, 'prefect.resource.role': 'tag' })),
    ],
    payload: {
      intended: { from: 'PENDING', to: 'PENDING' },
      initial_state: { type: 'PENDING', name: 'Pending' },
      validated_state: { type: 'PENDING', name: 'Submitting' },
    },
  });
});

test('a sub-flow shows the task run of its parent, an automation shows as creator', () => {
  const { event } = eventOf({
    from: null,
    to: proposal('SCHEDULED'),
    run: { parent_task_run_id: 't', created_by: { id: 'm', type: 'AUTOMATION', display_value: 'auto1' } },
    facts: { flow: null, parentTaskRun: { id: 't', name: 'child-0', tags: ['x'] } },
  });
  assert.deepEqual(event.related, [
    { 'prefect.resource.id': 'prefect.task-run.t', 'prefect.resource.role': 'task-run', 'prefect.resource.name': 'child-0' },
    { 'prefect.resource.id': 'prefect.tag.x', 'prefect.resource.role': 'tag' },
    { 'prefect.resource.id': 'prefect.automation.m', 'prefect.resource.role': 'creator', 'prefect.resource.name': 'auto1' },
  ]);
  assert.deepEqual([event.follows, event.payload?.['initial_state']], [null, null]);
});

test('a schedule is no creator', () => {
  const { event } = eventOf({
    from: null,
    to: proposal('PENDING'),
    run: { created_by: { id: 's', type: 'SCHEDULE', display_value: 'x' } },
    facts: { flow: null },
  });
  assert.deepEqual(event.related, []);
});

test('an event follows one of the last five minutes only', () => {
  const { event } = eventOf({ from: { ...state('PENDING'), timestamp: '2026-11-21T11:55:00Z' }, to: proposal('RUNNING') });
  assert.equal(event.follows, null);
});

test('messages are cut, and a pause says whether it reschedules', () => {
  const { event } = eventOf({ from: state('RUNNING'), to: proposal('PAUSED', { message: 'm'.repeat(100_001), pause_reschedule: true }) });
  const message = 'm'.repeat(100_000);
  assert.equal(event.resource['prefect.state-message'], message);
  assert.deepEqual(event.payload?.['validated_state'], { type: 'PAUSED', name: 'Paused', message, pause_reschedule: 'true' });
});

test('the text of an event has the key order of the wire', () => {
  const { event } = eventOf({ from: null, to: proposal('PENDING') });
  assert.deepEqual(Object.keys(JSON.parse(toOutboxEvent(event).body)), ['occurred', 'event', 'resource', 'related', 'payload', 'id', 'follows', 'received']);
});
