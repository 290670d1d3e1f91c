import assert from 'node:assert/strict';
import { test } from 'node:test';
import { event, eventFilter, parseIncomingEvent, receiveEvent } from '@praetor/schema/event';
import { compilePattern, createEventMatcher } from '@praetor/schema/event-matching';
import { parseTextSearch } from '@praetor/schema/text-search';
import { parseJson } from '@praetor/schema/json';
import { toMicroseconds } from '@praetor/schema/timestamps';
import { flattenZeros } from '@praetor/schema/zero-floats';

const ID = '01a1fd27-9eb9-7d42-bb7c-f29bc63fc164';
const given = {
  id: ID,
  occurred: '2026-11-21T09:09:54.617+01:00',
  event: 'prefect.flow-run.Completed',
  resource: { 'prefect.resource.id': 'prefect.flow-run.1', 'prefect.resource.name': 'brisk-otter' },
  related: [{ 'prefect.resource.id': 'prefect.flow.2', 'prefect.resource.role': 'flow' }],
  payload: { retries: 1.5, note: 'Out of Memory' },
  colour: 'unknown keys are ignored',
};

test('an event is received in the key order of the wire, its numbers and labels untouched', () => {
  const text = receiveEvent(event.parse(parseJson('{"id":"01A1FD279EB97D42BB7CF29BC63FC164","occurred":"2026-11-21T08:00:00Z","event":"x","payload":{"a":1.0},"resource":{"prefect.resource.id":"r"}}')));
  assert.match(
    text ?? '',
    /^\{"occurred":"2026-11-21T08:00:00Z","event":"x","resource":\{"prefect.resource.id":"r"\},"related":\[\],"payload":\{"a":1.0\},"id":"01a1fd27-9eb9-7d42-bb7c-f29bc63fc164","follows":null,"received":"[^"]+Z"\}$/,
  );
});

const FLOATS = '"run":{"retry_delay_seconds":0.0,"retries":0,"total_run_time": 0.0},"say":"{\\"total_run_time\\":0.0}","other":[0.0,10.0],"total_run_time":0';

for (const [name, payload] of [
  ['alone', FLOATS],
  ['beside others', `"large":12345678901234567890,${FLOATS}`],
] as const)
  test(`zeros that are floats stay floats, ${name}`, () => {
    const text = `{"id":"${ID}","occurred":"2026-11-21T08:00:00Z","event":"x","resource":{"prefect.resource.id":"r"},"payload":{${payload}}}`;
    const received = receiveEvent(event.parse(parseIncomingEvent(text)));
    assert.ok(received?.includes(`"payload":{${payload.replace('": 0', '":0')}}`), received ?? 'dropped');
    assert.equal(flattenZeros(text), text.replace('_seconds":0.0', '_seconds":0').replace('time": 0.0', 'time": 0'));
  });

test('what Postgres holds in no text is left out, and only that', () => {
  const received = receiveEvent(event.parse({ ...given, payload: { nul: 'a\0b', half: 'x\ud83dy', whole: '😀', backslash: 'c:\\u0000 \\ud83d', 'k\0': 1 } }));
  assert.deepEqual(JSON.parse(received ?? '').payload, { nul: 'ab', half: 'x\ufffdy', whole: '😀', backslash: 'c:\\u0000 \\ud83d', k: 1 });
});

test('a label that is a number is none, whatever it is called', () => {
  const text = `{"id":"${ID}","occurred":"2026-11-21T08:00:00Z","event":"x","resource":{"prefect.resource.id":"r","total_run_time":0.0}}`;
  assert.throws(() => event.parse(parseIncomingEvent(text)), /expected string/);
});

test('events over 1 500 000 bytes are dropped', () => {
  const sized = (length: number) => receiveEvent(event.parse({ ...given, payload: { text: 'é'.repeat(length / 2) } }));
  assert.ok(sized(1_499_000));
  assert.equal(sized(1_500_000), undefined);
});

const resources = (count: number) => Array.from({ length: count }, () => ({ 'prefect.resource.id': 'r', 'prefect.resource.role': 'tag' }));
const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`label-${index}`, 'x']));

for (const [name, change, valid] of [
  ['as it is', {}, true],
  ['a name of 1024', { event: 'x'.repeat(1024) }, true],
  ['a name of 1025', { event: 'x'.repeat(1025) }, false],
  ['100 related', { related: resources(100) }, true],
  ['101 related', { related: resources(101) }, false],
  ['500 labels', { resource: { ...labels(499), 'prefect.resource.id': 'r' } }, true],
  ['501 labels', { resource: { ...labels(500), 'prefect.resource.id': 'r' } }, false],
  ['an empty resource id', { resource: { 'prefect.resource.id': '' } }, false],
  ['a label that is null', { resource: { 'prefect.resource.id': 'r', label: null } }, false],
  ['related without a role', { related: [{ 'prefect.resource.id': 'r' }] }, false],
  ['no id', { id: undefined }, false],
  ['a payload that is a list', { payload: [] }, false],
  ['follows null', { follows: null }, true],
] as const)
  test(`an event with ${name} is ${valid ? 'valid' : 'refused'}`, () => assert.equal(event.safeParse({ ...given, ...change }).success, valid));

test('a filter without times runs from the start of the day 180 days ago until now', () => {
  const { occurred } = eventFilter.parse({});
  assert.match(occurred.since, /T00:00:00Z$/);
  const days = (toMicroseconds(occurred.until) - toMicroseconds(occurred.since)) / 86_400e6;
  assert.ok(days >= 180 && days < 181);
});

test('a filter forbids unknown keys at every level', () => {
  for (const filter of [{ x: 1 }, { occurred: { x: 1 } }, { resource: { x: [] } }, { related: [{ x: [] }] }, { occurred: null }])
    assert.equal(eventFilter.safeParse(filter).success, false, JSON.stringify(filter));
});

const always = { since: '2000-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' };
for (const [filter, matches] of [
  [{}, true],
  [{ occurred: { since: '2026-11-21T08:09:54.617Z', until: '2026-11-21T08:09:54.617Z' } }, true],
  [{ occurred: { ...always, since: '2026-11-21T08:09:54.617001Z' } }, false],
  [{ id: { id: [] } }, true],
  [{ id: { id: [ID.toUpperCase()] } }, true],
  [{ id: { id: ['00000000-0000-0000-0000-000000000000'] } }, false],
  [{ event: { prefix: ['prefect.task-run.', 'prefect.flow-run.'] } }, true],
  [{ event: { prefix: [], name: ['prefect.flow-run.Completed'] } }, true],
  [{ event: { name: ['prefect.flow-run.Failed'] } }, false],
  [{ event: { exclude_prefix: ['prefect.'] } }, false],
  [{ event: { exclude_name: ['prefect.flow-run.Completed'] } }, false],
  [{ resource: { id: ['prefect.flow-run.1'] } }, true],
  [{ resource: { id_prefix: ['prefect.flow.'] } }, false],
  [{ resource: { labels: { 'prefect.resource.name': ['nobody', 'brisk-*'] } } }, true],
  [{ resource: { labels: { 'prefect.resource.name': '!brisk-*' } } }, false],
  [{ resource: { labels: { 'prefect.resource.name': [] } } }, false],
  [{ resource: { labels: { missing: '!x' } } }, false],
  [{ any_resource: { id: ['prefect.flow.2'] } }, true],
  [{ any_resource: [{ id: ['prefect.flow.2'] }, { id: ['prefect.flow.3'] }] }, false],
  [{ any_resource: { id: ['prefect.flow.2'], labels: { 'prefect.resource.name': '*' } } }, false],
  [{ related: { id: ['not applied to live events'] } }, true],
  [{ text: { query: 'otter' } }, true],
  [{ text: { query: 'nothing "out of memory"' } }, true],
  [{ text: { query: 'otter -memory' } }, false],
  [{ text: { query: '+otter +badger' } }, false],
] as const)
  test(`${JSON.stringify(filter)} ${matches ? 'lets the event pass' : 'stops the event'}`, () => {
    const matcher = createEventMatcher(eventFilter.parse({ occurred: always, ...filter }));
    assert.equal(matcher(event.parse(given)), matches);
  });

for (const [pattern, value, matches] of [
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['a.c', 'abc', false],
  ['*', '', true],
  ['[ab]*', 'bcd', true],
  ['[!ab]*', 'bcd', false],
  ['prefect.flow-run.*', 'prefect.flow-run.1\n2', true],
  ['!x', 'y', true],
] as const)
  test(`the pattern ${pattern} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(value)}`, () => assert.equal(compilePattern(pattern)(value), matches));

for (const [query, include, require, exclude] of [
  ['', [], [], []],
  ['Error  WARN', ['error', 'warn'], [], []],
  ['a -b !c +d', ['a'], ['d'], ['b', 'c']],
  ['- + x', ['x'], [], []],
  ['"two words" -"not this"', ['two words'], [], ['not this']],
  ['"open end', ['open end'], [], []],
  [String.raw`"say \"hi\""`, ['say "hi"'], [], []],
  ['a-b', ['a-b'], [], []],
] as const)
  test(`the text query ${JSON.stringify(query)}`, () => assert.deepEqual(parseTextSearch(query), { include, require, exclude }));
