import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventTrigger } from '@praetor/schema/automation/trigger';
import { EMPTY_STATE, applyEvent, applyTime, openFirstBucket } from '../src/bucket.ts';
import { compileMatcher } from '../src/matching.ts';
import { at, createEvent, createTrigger } from './events.ts';

/** What happens: `name@seconds` is an event, `look@seconds` a look at the clock. */
type Script = string;

/** The steps at which a trigger fires, and the count of its bucket in the end. */
function play(trigger: EventTrigger, script: Script): { fired: string[]; count: number | null } {
  const matcher = compileMatcher(trigger);
  let state = EMPTY_STATE;
  const fired: string[] = [];
  for (const step of script.split(' ')) {
    const [name = '', seconds = '0'] = step.split('@');
    const now = at(Number(seconds));
    const isFirst = name === 'look' && trigger.for_each.length === 0;
    const before = isFirst ? { held: state.held, bucket: openFirstBucket(trigger, state, now) } : state;
    const verdict = name === 'look' ? applyTime(trigger, matcher, before, now) : applyEvent(trigger, matcher, before, createEvent(name, Number(seconds)));
    fired.push(...verdict.firings.map(({ event }) => `${step}:${event?.event ?? 'nothing'}`));
    state = verdict;
  }
  return { fired, count: state.bucket?.count ?? null };
}

const CASES: [description: string, trigger: Partial<EventTrigger>, script: Script, fired: string[], count: number | null][] = [
  ['fires with every event', { expect: ['a'] }, 'a@0 a@1 a@0.5', ['a@0:a', 'a@1:a', 'a@0.5:a'], null],
  ['fires with every third event', { expect: ['a'], threshold: 3 }, 'a@0 a@1 a@2 a@3', ['a@2:a'], 1],
  ['fires with an event from before the first', { expect: ['a'], threshold: 2 }, 'a@0 a@-899', ['a@-899:a'], null],
  ['ignores what happened long before the first', { expect: ['a'], threshold: 2 }, 'a@0 a@-901', [], 1],
  ['counts within a stretch only', { expect: ['a'], threshold: 2, within: 10 }, 'a@0 a@10', [], 1],
  ['fires once in a stretch', { expect: ['a'], threshold: 1, within: 10 }, 'a@0 a@5 a@9.9 a@10 a@19', ['a@0:a', 'a@10:a'], 0],
  ['the stretch after a pause begins with its event', { expect: ['a'], threshold: 2, within: 10 }, 'a@0 a@50 a@59', ['a@59:a'], 0],
  ['a threshold of nothing fires at once', { expect: ['a'], threshold: 0 }, 'a@0', ['a@0:a'], null],
  ['needs what comes before', { after: ['a'], expect: ['b'] }, 'b@0 a@1 b@2 b@3', ['b@2:b'], null],
  ['what arms must be older', { after: ['a'], expect: ['b'] }, 'a@1 b@0', [], 0],
  ['what comes too late disarms', { after: ['a'], expect: ['b'], within: 10 }, 'a@0 b@10 b@5', [], null],
  ['arming twice changes nothing', { after: ['a'], expect: ['b'], within: 10 }, 'a@0 a@9 b@11 b@12', [], null],
  ['an event that arms and counts waits for the next', { after: ['a'], expect: ['a'], within: 10 }, 'a@0 a@1', ['a@1:a'], null],
  ['any event counts where none is named', { after: ['a'], within: 10 }, 'a@0 b@1', ['b@1:b'], null],
  ['fires when nothing comes', { posture: 'Proactive', expect: ['a'], within: 10 }, 'look@0 look@9.9 look@10', ['look@10:nothing'], 0],
  ['fires again and again while nothing comes', { posture: 'Proactive', expect: ['a'], within: 10 }, 'look@0 look@10 look@20', ['look@10:nothing', 'look@20:nothing'], 0],
  ['is silent while events come', { posture: 'Proactive', expect: ['a'], within: 10 }, 'look@0 a@5 look@10 look@12', [], 0],
  ['tells of the last event', { posture: 'Proactive', expect: ['a'], for_each: ['x'], threshold: 2, within: 10 }, 'a@0 look@10', ['look@10:a'], 0],
  ['an event can end a stretch of absence', { posture: 'Proactive', expect: ['a'], threshold: 3, within: 10 }, 'a@0 a@15', ['a@15:a'], 1],
  ['absence after an event', { posture: 'Proactive', after: ['a'], expect: ['b'], for_each: ['x'], within: 12 }, 'a@0 look@12', ['look@12:a'], null],
  ['presence after an event', { posture: 'Proactive', after: ['a'], expect: ['b'], for_each: ['x'], within: 12 }, 'a@0 b@1 look@12', [], null],
  ['presence that arrives first', { posture: 'Proactive', after: ['a'], expect: ['b'], for_each: ['x'], within: 12 }, 'b@0.5 a@0 look@12', [], null],
  ['presence before the event', { posture: 'Proactive', after: ['a'], expect: ['b'], for_each: ['x'], within: 12 }, 'b@-1 a@0 look@12', ['look@12:a'], null],
  ['heartbeats that stop', { posture: 'Proactive', after: ['h'], expect: ['h', 't'], for_each: ['x'], within: 12 }, 'h@0 h@10 h@20 look@31 look@32', ['look@32:h'], null],
  ['heartbeats and an end', { posture: 'Proactive', after: ['h'], expect: ['h', 't'], for_each: ['x'], within: 12 }, 'h@0 h@10 t@12 look@40', [], null],
  ['an end that a heartbeat comes after', { posture: 'Proactive', after: ['h'], expect: ['h', 't'], for_each: ['x'], within: 12 }, 'h@0 t@2 h@1 look@30', [], null],
  ['an idle start without for_each', { posture: 'Proactive', after: ['a'], expect: ['b'], within: 10 }, 'look@0 look@10', ['look@10:nothing'], null],
];

for (const [description, fields, script, fired, count] of CASES)
  test(`a bucket: ${description}`, () => assert.deepEqual(play(createTrigger(fields), script), { fired, count }));

test('a held event is counted once, however often it comes', () => {
  const trigger = createTrigger({ posture: 'Proactive', after: ['a'], expect: ['b'], threshold: 2, within: 12 });
  const matcher = compileMatcher(trigger);
  const early = createEvent('b', 1);
  let state = EMPTY_STATE;
  for (const event of [early, early, createEvent('a', 0), early]) state = applyEvent(trigger, matcher, state, event);
  assert.equal(state.bucket?.count, 1);
});

test('of held events the first and last of a slot are kept, and none that is too old', () => {
  const trigger = createTrigger({ posture: 'Proactive', after: ['a'], expect: ['b'], threshold: 2, within: 60 });
  const matcher = compileMatcher(trigger);
  let state = EMPTY_STATE;
  for (const second of [0, 1, 2, 3, 4, 5]) state = applyEvent(trigger, matcher, state, createEvent('b', second));
  assert.deepEqual(state.held.map(({ occurred }) => occurred), [0, 1, 4, 5].map(at));
  state = applyEvent(trigger, matcher, state, createEvent('b', 1804));
  assert.deepEqual(state.held.map(({ occurred }) => occurred), [4, 5, 1804].map(at));
});
