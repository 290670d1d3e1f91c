import assert from 'node:assert/strict';
import test from 'node:test';
import { isRawJson, parseJson, toJson } from '../src/json.ts';

const NUMBERS = [
  '0', '1', '-1', '100', '1.5', '0.000001', '123456789012345',
  '1.0', '-1.50', '-0', '-0.0', '0.0000001', '1e5', '1E+2', '1.5e-7', '1e400',
  '1234567890123456', '12345678901234567890123', '123456789.12345678901', '0.12345678901234567',
];

test('every number comes back as it was written, wherever it stands', () => {
  for (const number of NUMBERS)
    for (const text of [number, `[${number}]`, `[1,${number},2]`, `{"a":${number}}`, `{"a":{"b":${number}},"c":"2026-01-01T00:00:30.100Z"}`])
      assert.equal(toJson(parseJson(text)), text);
  assert.deepEqual(parseJson(' { "a" : 1.10 } '), { a: JSON.rawJSON('1.10') });
});

test('numbers that a double prints alike are plain numbers, and texts are left alone', () => {
  for (const number of ['0', '1', '-1', '100', '1.5', '0.000001', '123456789012345']) assert.equal(parseJson(number), Number(number));
  assert.deepEqual(parseJson('["x 1.0 y", 1]'), ['x 1.0 y', 1]);
  assert.ok(isRawJson(parseJson('1.0')));
});
