import assert from 'node:assert/strict';
import test from 'node:test';
import { type TimeUnit, bucketCount, spans, timeBuckets } from '../src/events/time-buckets.ts';

const NOW = '2026-11-21T12:11:28Z';

// What Prefect 3.9.1 answers at that moment.
const SPANS: [since: string, until: string, unit: TimeUnit, interval: number, count: number, first: string, lastEnd: string][] = [
  ['2026-11-20T05:00:00Z', '2026-11-23T03:00:00Z', 'day', 1, 2, '2026-11-20T00:00:00Z', '2026-11-21T23:59:59.999999Z'],
  ['2026-11-21T11:10:00Z', '2026-11-30T03:00:00Z', 'hour', 0.5, 4, '2026-11-21T11:00:00Z', '2026-11-21T12:59:59.999999Z'],
  ['2026-11-10T11:10:00Z', '2027-11-30T03:00:00Z', 'week', 1, 2, '2026-11-09T00:00:00Z', '2026-11-22T23:59:59.999999Z'],
  ['2026-11-21T10:00:00Z', '2026-11-21T11:00:00Z', 'hour', 1, 1, '2026-11-21T10:00:00Z', '2026-11-21T10:59:59.999999Z'],
  ['2026-11-21T10:00:00Z', '2026-11-21T10:00:00.000001Z', 'second', 1, 1, '2026-11-21T10:00:00Z', '2026-11-21T10:00:00.999999Z'],
];

test('time is cut into buckets that are aligned to a common start', () => {
  for (const [since, until, unit, interval, count, first, lastEnd] of SPANS) {
    const list = [...spans(timeBuckets(since, until, unit, interval, NOW))];
    assert.deepEqual([list.length, list[0]?.start, list.at(-1)?.end], [count, first, lastEnd], `${since} ${unit}`);
  }
});

test('the number of buckets is known beforehand', () => {
  assert.equal(bucketCount('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', 'hour', 1), 24);
  assert.equal(bucketCount('2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', 'day', 0.01), 1);
});
