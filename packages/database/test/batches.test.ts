import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { inBatches } from '@praetor/database/batches';
import { DatabaseUnavailableError } from '@praetor/database/pool';

/** Batches that end when they are told to; `begun` lists the inputs of each. */
function controlledBatches(fail: (inputs: readonly number[]) => boolean = () => false) {
  const begun: (readonly number[])[] = [];
  const ends: (() => void)[] = [];
  const double = inBatches(async (_connection: object, inputs: readonly number[]) => {
    begun.push(inputs);
    await new Promise<void>((resolve) => ends.push(resolve));
    if (fail(inputs)) throw new Error(`${inputs.join()} failed`);
    return inputs.map((input) => input * 2);
  });
  /** Ends what runs, and what begins in the turns after that. */
  const endAll = async () => {
    do {
      for (const end of ends.splice(0)) end();
      await nextTurn();
      await nextTurn();
    } while (ends.length > 0);
  };
  return { begun, double, endAll };
}

test('who asks in the same turn shares a batch; who comes while it runs shares the next one', async () => {
  const { begun, double, endAll } = controlledBatches();
  const connection = {};
  const early = [double(connection, 1), double(connection, 2)];
  await nextTurn();
  const answers = Promise.all([...early, ...[3, 4, 5].map((input) => double(connection, input))]);
  assert.deepEqual(begun, [[1, 2]]);
  await endAll();
  assert.deepEqual(begun, [[1, 2], [3, 4, 5]]);
  assert.deepEqual(await answers, [2, 4, 6, 8, 10]);
});

test('a batch has a limit', async () => {
  const { begun, double, endAll } = controlledBatches();
  const connection = {};
  const answers = Promise.all(Array.from({ length: 50 }, (_, input) => double(connection, input)));
  await endAll();
  assert.deepEqual(begun.map((inputs) => inputs.length), [32, 18]);
  assert.equal((await answers).length, 50);
});

test('a batch that is held up holds up nobody for long', async () => {
  const { begun, double, endAll } = controlledBatches();
  const connection = {};
  const first = double(connection, 1);
  await nextTurn();
  const answers = Promise.all([first, ...[2, 3].map((input) => double(connection, input))]);
  while (begun.length < 2) await sleep(5);
  assert.deepEqual(begun, [[1], [2, 3]]);
  await endAll();
  assert.deepEqual(await answers, [2, 4, 6]);
});

test('an error is only for those whose input it is about', async () => {
  const { begun, double, endAll } = controlledBatches((inputs) => inputs.includes(4));
  const connection = {};
  const answers = Promise.allSettled([1, 2, 3, 4, 5].map((input) => double(connection, input)));
  await endAll();
  assert.deepEqual(begun, [[1, 2, 3, 4, 5], [1], [2], [3], [4], [5]]);
  assert.deepEqual((await answers).map(({ status }) => status), ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
});

test('a database that is away is away for the whole batch', async () => {
  const runs: (readonly number[])[] = [];
  const ask = inBatches(async (_connection: object, inputs: readonly number[]) => {
    runs.push(inputs);
    await nextTurn();
    throw new DatabaseUnavailableError('away');
  });
  const connection = {};
  const answers = await Promise.allSettled([1, 2, 3, 4].map((input) => ask(connection, input)));
  assert.deepEqual(runs, [[1, 2, 3, 4]]);
  assert.ok(answers.every(({ status }) => status === 'rejected'));
});

test('connections do not share batches', async () => {
  const { begun, double, endAll } = controlledBatches();
  const answers = Promise.all([{}, {}, {}].map((connection) => double(connection, 1)));
  await nextTurn();
  assert.deepEqual(begun, [[1], [1], [1]]);
  await endAll();
  assert.deepEqual(await answers, [2, 2, 2]);
});
