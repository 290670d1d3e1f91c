import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReceivedEvent } from '@praetor/schema/event';
import { orderCausally } from '../src/causal-order.ts';
import { at, createEvent } from './events.ts';

const id = (name: string): string => `00000000-0000-4000-8000-00000000000${name}`;
const create = (name: string, leader: string | null, seconds: number): ReceivedEvent => createEvent(name, seconds, { id: id(name), follows: leader === null ? null : id(leader) });

const a = create('a', null, 1);
const b = create('b', 'a', 2);
const c = create('c', 'b', 3);
const d = create('d', 'b', 2.5);

type Case = [description: string, given: ReceivedEvent[], seen: string[], parked: ReceivedEvent[], now: number, ready: string[], early: string[], released?: string[]];

for (const [description, given, seen, parked, now, ready, early, released = []] of [
  ['as they came', [create('1', null, 5), create('2', null, 3)], [], [], 5, ['1', '2'], []],
  ['a leader first', [c, b, a], [], [], 5, ['a', 'b', 'c'], []],
  ['followers by their time', [a, c, d, b], [], [], 5, ['a', 'b', 'd', 'c'], []],
  ['a leader seen before', [b], ['a'], [], 5, ['b'], []],
  ['a leader that is missing', [b, c], [], [], 5, [], ['b', 'c']],
  ['a leader that is missing for too long', [c, b], [], [], 902, ['b', 'c'], []],
  ['a leader that others wait for', [a], [], [c, b], 5, ['a', 'b', 'c'], []],
  ['one that need not wait', [b, c], [], [], 5, ['b', 'c'], [], ['b']],
  ['each event once', [a, a, b, b], ['b'], [], 5, ['a'], []],
  ['two that follow each other', [create('e', 'f', 0), create('f', 'e', 0)], [], [], 5, [], ['e', 'f']],
] satisfies Case[])
  test(`the order of evaluation: ${description}`, () => {
    const order = orderCausally(given, {
      isSeen: (one) => seen.some((name) => id(name) === one),
      followersOf: (one) => parked.filter(({ follows }) => follows === one),
      released: new Set(released.map(id)),
      now: at(now),
    });
    assert.deepEqual([order.ready.map(({ event }) => event), order.early.map(({ event }) => event)], [ready, early]);
  });
