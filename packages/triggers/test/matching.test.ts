import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventTrigger, Trigger } from '@praetor/schema/automation/trigger';
import { TriggerIndex, placeTriggers } from '../src/trigger-index.ts';
import { createEvent, createTrigger } from './events.ts';

const event = createEvent('prefect.flow-run.Completed', 0, {
  resource: { 'prefect.resource.id': 'prefect.flow-run.1', 'prefect.resource.name': 'brisk-otter' },
  related: [
    { 'prefect.resource.id': 'prefect.flow.2', 'prefect.resource.role': 'flow', 'prefect.resource.name': 'etl' },
    { 'prefect.resource.id': 'prefect.tag.x', 'prefect.resource.role': 'tag' },
    { 'prefect.resource.id': 'prefect.tag.y', 'prefect.resource.role': 'tag' },
  ],
});

const COVERED: [trigger: Partial<EventTrigger>, isCovered: boolean][] = [
  [{}, true],
  [{ expect: ['prefect.flow-run.Completed'] }, true],
  [{ expect: ['prefect.flow-run.*'] }, true],
  [{ expect: ['prefect.flow-run.Completed*'] }, false],
  [{ expect: ['prefect.flow-run'] }, false],
  [{ expect: ['prefect.flow-run.Complete?'] }, false],
  [{ expect: ['!prefect.flow-run.Failed'] }, false],
  [{ expect: ['x'], after: ['prefect.*.Completed'] }, true],
  [{ expect: ['x'], after: ['y'] }, false],
  [{ after: ['y'] }, true],
  [{ match: { 'prefect.resource.id': 'prefect.flow-run.*' } }, true],
  [{ match: { 'prefect.resource.id': ['prefect.flow.*', 'prefect.flow-run.1'] } }, true],
  [{ match: { 'prefect.resource.name': '!brisk-*' } }, false],
  [{ match: { missing: '!x' } }, false],
  [{ match: { 'prefect.resource.id': [] } }, false],
  [{ match_related: { 'prefect.resource.role': 'flow', 'prefect.resource.name': 'etl' } }, true],
  [{ match_related: { 'prefect.resource.role': 'tag', 'prefect.resource.name': 'etl' } }, false],
  [{ match_related: [{ 'prefect.resource.id': 'prefect.tag.y' }, { 'prefect.resource.id': 'prefect.tag.x' }] }, true],
  [{ match_related: [{ 'prefect.resource.id': 'prefect.tag.y' }, { 'prefect.resource.id': 'prefect.tag.z' }] }, false],
  [{ match_related: [] }, true],
];

for (const [fields, isCovered] of COVERED)
  test(`a trigger with ${JSON.stringify(fields)} ${isCovered ? 'covers' : 'does not cover'} the event`, () => {
    const index = new TriggerIndex(placeTriggers({ id: 'watcher', trigger: createTrigger(fields) }));
    assert.equal(index.find(event).length, isCovered ? 1 : 0);
  });

for (const [forEach, key] of [
  [[], []],
  [['prefect.resource.name', 'prefect.resource.id'], ['prefect.flow-run.1', 'brisk-otter']],
  [['related:flow:prefect.resource.name', 'missing'], ['', 'etl']],
  [['related:tag:prefect.resource.id'], ['prefect.tag.x']],
  [['related:deployment:prefect.resource.id'], ['']],
] as const)
  test(`the key for each of ${JSON.stringify(forEach)}`, () => {
    const index = new TriggerIndex(placeTriggers({ id: 'watcher', trigger: createTrigger({ for_each: [...forEach] }) }));
    assert.deepEqual(index.find(event).map(({ matcher }) => matcher.bucketingKey(event)), [[...key]]);
  });

test('logs concern no trigger', () => {
  assert.deepEqual(new TriggerIndex(placeTriggers({ id: 'watcher', trigger: createTrigger({}) })).find(createEvent('prefect.log.write')), []);
});

for (const [name, resource, isCovered] of [
  ['prefect.automation.triggered', 'watcher', false],
  ['prefect.automation.action.failed', 'watcher', false],
  ['prefect.automation.updated', 'watcher', true],
  ['prefect.automation.triggered', 'other', true],
] as const)
  test(`${name} of the ${resource} ${isCovered ? 'sets' : 'does not set'} the watcher off`, () => {
    const told = createEvent(name, 0, { resource: { 'prefect.resource.id': `prefect.automation.${resource}` } });
    assert.equal(new TriggerIndex(placeTriggers({ id: 'watcher', trigger: createTrigger({}) })).find(told).length, isCovered ? 1 : 0);
  });

test('a nested trigger knows what stands above it, nearest first', () => {
  const inner: Trigger = { type: 'sequence', id: 'inner', triggers: [createTrigger({})], within: null };
  const outer: Trigger = { type: 'compound', id: 'outer', triggers: [inner], within: null, require: 'all' };
  const [placed] = new TriggerIndex(placeTriggers({ id: 'watcher', trigger: outer })).find(event);
  assert.deepEqual(placed?.ancestors.map(({ id }) => id), ['inner', 'outer']);
});
