import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventTrigger } from '@praetor/schema/automation/trigger';
import { fromMicroseconds } from '@praetor/schema/timestamps';
import { type ChildFirings, applyFiring } from '../src/composite.ts';
import { type CompositeTrigger, allEvents, allFirings, fireEventTrigger } from '../src/firing.ts';
import { at, createEvent, createTrigger } from './events.ts';

const CHILDREN: EventTrigger[] = ['a', 'b', 'c'].map((name) => createTrigger({ id: name, expect: [name] }));

/** Children fire as `name@seconds`; gives the steps at which the composite trigger does. */
function play(trigger: CompositeTrigger, script: string): string[] {
  let children: ChildFirings = new Map();
  return script.split(' ').filter((step) => {
    const [name = '', seconds = '0'] = step.split('@');
    const child = trigger.triggers.find(({ id }) => id === name);
    assert.ok(child?.type === 'event');
    const stamp = () => ({ id: step, triggered: fromMicroseconds(at(Number(seconds))) });
    const verdict = applyFiring(trigger, children, fireEventTrigger(child, [], createEvent(name), stamp), stamp);
    children = verdict.children;
    return verdict.firing !== null;
  });
}

const compound = (require: number | 'any' | 'all', within: number | null = null): CompositeTrigger => ({ type: 'compound', id: 'p', triggers: CHILDREN, within, require });
const sequence = (within: number | null = null): CompositeTrigger => ({ type: 'sequence', id: 'p', triggers: CHILDREN, within });

for (const [description, trigger, script, fired] of [
  ['any', compound('any'), 'a@0 a@1 b@2', ['a@0', 'a@1', 'b@2']],
  ['one', compound(1), 'a@0 b@1', ['a@0', 'b@1']],
  ['two of three', compound(2), 'a@0 a@1 b@2 c@3 a@4', ['b@2', 'a@4']],
  ['all', compound('all'), 'a@0 b@1 a@2 c@3 c@4 b@5', ['c@3']],
  ['all within a time', compound('all', 10), 'a@0 b@5 c@11 a@12', ['a@12']],
  ['a firing as old as the time still counts', compound('all', 10), 'a@0 b@5 c@10', ['c@10']],
  ['a sequence', sequence(), 'a@0 b@1 c@2 a@3', ['c@2']],
  ['a sequence in another order', sequence(), 'c@0 b@1 a@2', []],
  ['a sequence with a false start', sequence(), 'b@0 a@1 b@2 c@3', ['c@3']],
  ['a sequence that takes too long', sequence(10), 'a@0 b@5 c@11', []],
  ['a sequence of one', { ...sequence(), triggers: CHILDREN.slice(0, 1) }, 'a@0', ['a@0']],
] as const)
  test(`a composite trigger: ${description}`, () => assert.deepEqual(play(trigger, script), fired));

test('a firing knows the firings and events that led to it', () => {
  const trigger = compound('any');
  const stamp = () => ({ id: 'x', triggered: '2026-01-01T00:00:00Z' });
  const event = createEvent('a');
  const child = fireEventTrigger(createTrigger({ id: 'a', for_each: ['z', 'x'] }), ['1', '2'], event, stamp);
  assert.deepEqual(child.triggering_labels, { x: '1', z: '2' });
  const { firing } = applyFiring(trigger, new Map(), child, stamp);
  assert.ok(firing);
  assert.deepEqual(allFirings(firing), [firing, child]);
  assert.deepEqual(allEvents(firing), [event, event]);
});
