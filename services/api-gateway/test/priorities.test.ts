import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findFreePriority, makeRoom } from '../src/work-queues/priorities.ts';

const queues = (...ranks: [id: string, priority: number][]) => ranks.map(([id, priority]) => ({ id, priority }));

describe('the lowest free priority', () => {
  const cases: [taken: number[], free: number][] = [
    [[], 1],
    [[1], 2],
    [[2, 1, 4], 3],
    [[2, 3], 1],
  ];
  for (const [taken, free] of cases) test(`of ${taken.join(', ')} is ${free}`, () => assert.equal(findFreePriority(taken.map((priority) => ({ id: `${priority}`, priority }))), free));
});

describe('room for a queue', () => {
  const given = queues(['a', 1], ['b', 2], ['c', 5], ['d', 6], ['e', 9]);
  const cases: [placed: [string, number], moved: [string, number][]][] = [
    [['new', 3], []],
    [['new', 10], []],
    [['new', 1], [['a', 2], ['b', 3]]],
    [['new', 5], [['c', 6], ['d', 7]]],
    [['e', 5], [['c', 6], ['d', 7]]],
    [['a', 2], [['b', 3]]],
  ];
  for (const [[id, priority], moved] of cases) test(`${id} at ${priority}`, () => assert.deepEqual(makeRoom(given, { id, priority }), queues(...moved)));
});
