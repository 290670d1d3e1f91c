import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTimestamp, toMicroseconds } from '../src/timestamps.ts';

test('the wire form is read like any other', () => {
  for (const text of ['2026-11-21T08:10:29.157970Z', '2026-11-21T08:10:29Z', '1969-12-31T23:59:59.000001Z', '0001-01-01T00:00:00Z', '2024-02-29T23:59:59.999999Z'])
    assert.equal(toMicroseconds(text), parseTimestamp(text), text);
  assert.equal(toMicroseconds('1970-01-01T01:00:00.5+01:00'), 500_000);
});

test('what is no timestamp is refused', () => {
  for (const text of ['', 'tomorrow', '2026-13-01T00:00:00Z', 'xxxx-xx-xxTxx:xx:xx.xxxxxxZ']) assert.throws(() => toMicroseconds(text), RangeError, text);
});
