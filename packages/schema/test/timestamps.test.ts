import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nowMicroseconds, parseTimestamp, toMicroseconds } from '../src/timestamps.ts';

test('the wire form is read like any other', () => {
  for (const text of ['2026-11-21T08:10:29.157970Z', '2026-11-21T08:10:29Z', '1969-12-31T23:59:59.000001Z', '0001-01-01T00:00:00Z', '2024-02-29T23:59:59.999999Z'])
    assert.equal(toMicroseconds(text), parseTimestamp(text), text);
  assert.equal(toMicroseconds('1970-01-01T01:00:00.5+01:00'), 500_000);
});

test('what is no timestamp is refused', () => {
  for (const text of ['', 'tomorrow', '2026-13-01T00:00:00Z', 'xxxx-xx-xxTxx:xx:xx.xxxxxxZ']) assert.throws(() => toMicroseconds(text), RangeError, text);
});

test('now is what the wall clock says, also after the machine has slept or its clock was set', (t) => {
  const isAbout = (milliseconds: number) => Math.abs(nowMicroseconds() / 1000 - milliseconds) < 100;
  assert.ok(isAbout(Date.now()));
  const hours = 8 * 3_600_000;
  const wall = Date.now.bind(Date);
  const later = t.mock.method(Date, 'now', () => wall() + hours);
  assert.ok(isAbout(wall() + hours));
  later.mock.restore();
  assert.ok(isAbout(wall()));
  const [first, second] = [nowMicroseconds(), nowMicroseconds()];
  assert.ok(second >= first && second - first < 50_000);
});
