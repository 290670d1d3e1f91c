import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backlog } from '@praetor/broadcaster/backlog';
import { LiveFeed } from '@praetor/broadcaster/live-feed';
import { createLogMatcher } from '@praetor/broadcaster/logs-out';
import { logFilter } from '@praetor/schema/filters/log';
import { log } from '@praetor/schema/log';

const ID = '00000000-0000-4000-8000-000000000001';
const OTHER = '00000000-0000-4000-8000-000000000002';
const line = log.parse({ id: ID, created: '2026-11-21T08:00:00Z', updated: '2026-11-21T08:00:00Z', name: 'prefect.flow_runs', level: 30, message: 'Disk is full', timestamp: '2026-11-21T08:00:00.5Z', flow_run_id: ID });

for (const [filter, matches] of [
  [{}, true],
  [{ level: { ge_: 30, le_: 30 } }, true],
  [{ level: { ge_: 31 } }, false],
  [{ timestamp: { after_: '2026-11-21T08:00:00.5Z', before_: '2026-11-21T08:00:00.5Z' } }, true],
  [{ timestamp: { before_: '2026-11-21T08:00:00Z' } }, false],
  [{ flow_run_id: { any_: [ID] } }, true],
  [{ flow_run_id: { any_: [OTHER] } }, false],
  [{ flow_run_id: { any_: [] } }, false],
  [{ task_run_id: { any_: [ID] } }, false],
  [{ task_run_id: { is_null_: true } }, true],
  [{ task_run_id: { is_null_: false } }, false],
  [{ text: { query: 'disk -empty' } }, true],
  [{ text: { query: 'nothing' } }, false],
] as const)
  test(`a log line ${matches ? 'passes' : 'does not pass'} ${JSON.stringify(filter)}`, () => assert.equal(createLogMatcher(logFilter.parse(filter))(line), matches));

test('a feed keeps the last messages, and hands out new ones only while somebody listens', () => {
  const feed = new LiveFeed<{ n: number }>('test');
  const seen: number[] = [];
  feed.receive('{"n":1}');
  {
    using subscription = feed.subscribe(({ value }) => void seen.push(value.n));
    assert.ok(subscription);
    feed.receive('{"n":2}');
    feed.receive('no JSON');
  }
  feed.receive('{"n":3}');
  assert.deepEqual(seen, [2]);
  assert.deepEqual(feed.recent().map(({ value }) => value.n), [1, 2, 3]);
  assert.equal(feed.subscribers, 0);
});

test('a feed keeps no more than it may of messages that are large', () => {
  const feed = new LiveFeed<string>('test');
  const large = JSON.stringify('x'.repeat(1_500_000));
  for (let count = 0; count < 100; count++) feed.receive(large);
  const kept = feed.recent().length;
  assert.ok(kept >= 5 && kept <= 10, `${kept} messages`);
});

test('a connection that is too slow loses what goes beyond its backlog, and goes on', async () => {
  const controller = new AbortController();
  let dropped = 0;
  const backlog = new Backlog<number>(controller.signal, () => dropped++);
  for (let n = 0; n < 300; n++) backlog.push(n);
  const taken: number[] = [];
  const taking = (async () => {
    for await (const n of backlog) taken.push(n);
  })();
  await new Promise(setImmediate);
  backlog.push(300);
  await new Promise(setImmediate);
  controller.abort();
  await taking;
  assert.equal(dropped, 44);
  assert.deepEqual([taken.length, taken.at(-2), taken.at(-1)], [257, 255, 300]);
});
