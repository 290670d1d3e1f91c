import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '@praetor/schema/json';
import { maskSecrets, restoreSecrets, secretPaths } from '../src/block-documents/secrets.ts';

const MASKED: [secrets: string[], data: JsonObject, shown: JsonObject][] = [
  [['s'], { a: 'x', s: 'sec' }, { a: 'x', s: '********' }],
  [['s'], { s: null }, { s: null }],
  [['s'], { s: [1, { q: 1 }] }, { s: '********' }],
  [['s'], { s: { a: 'b', c: { d: 1 } } }, { s: { a: '********', c: { d: '********' } } }],
  [['s'], { s: {} }, { s: '********' }],
  [['a.b'], { a: { b: 'sec', c: 'x' }, b: 'y' }, { a: { b: '********', c: 'x' }, b: 'y' }],
  [['a.b'], { a: 'x' }, { a: 'x' }],
  [['d.*'], { d: { x: '1', y: { z: 2 } }, dd: 'q' }, { d: { x: '********', y: { z: '********' } }, dd: 'q' }],
  [['d.*'], { d: 'plain' }, { d: '********' }],
  [[], { s: 'open' }, { s: 'open' }],
];

test('secrets are masked at their paths and below', () => {
  for (const [secrets, data, shown] of MASKED) assert.deepEqual(maskSecrets(data, secretPaths({ secret_fields: secrets })), shown, secrets.join());
});

const RESTORED: [secrets: string[], sent: JsonObject, stored: JsonObject, kept: JsonObject][] = [
  [['s'], { s: '********', a: 'y' }, { s: 'sec', a: 'x' }, { s: 'sec', a: 'y' }],
  [['s'], { s: 'new' }, { s: 'sec' }, { s: 'new' }],
  [['s'], { s: '********' }, {}, { s: '********' }],
  [['s'], { s: { a: '********', b: 'new' } }, { s: { a: 'sec', b: 'old' } }, { s: { a: 'sec', b: 'new' } }],
  [['s'], { s: '********' }, { s: { a: 1 } }, { s: { a: 1 } }],
  [['d.*'], { d: { x: '********', y: { z: 3 } } }, { d: { x: '1', y: { z: 2 } } }, { d: { x: '1', y: { z: 3 } } }],
  [[], { s: '********' }, { s: 'open' }, { s: '********' }],
];

test('a mask that comes back stands for what is stored', () => {
  for (const [secrets, sent, stored, kept] of RESTORED) assert.deepEqual(restoreSecrets(sent, stored, secretPaths({ secret_fields: secrets })), kept, secrets.join());
});

test('a schema without secret fields has none', () => assert.deepEqual(secretPaths({}), []));
