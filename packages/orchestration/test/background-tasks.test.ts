import assert from 'node:assert/strict';
import { proposeState } from '@praetor/schema/state';
import { type TestDatabase, createTestDatabase } from '@praetor/test/support/database';
import { after, before, test } from '@praetor/test/support/postgres-test';
import { acknowledgeTaskRun, claimTaskRuns, enqueueTaskRun, unclaimTaskRuns } from '../src/background-tasks.ts';
import { createTaskRun } from '../src/create-task-run.ts';
import { SETTINGS } from './transitions.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database[Symbol.asyncDispose]());

let runs = 0;
async function enqueue(taskKey: string, isRetry = false): Promise<string> {
  const { id } = await createTaskRun(database, { task_key: taskKey, dynamic_key: String(runs++), state: proposeState('PENDING') }, SETTINGS);
  await enqueueTaskRun(database.sql, id, taskKey, isRetry);
  return id;
}

const claim = (taskKeys: string[], count = 10, seconds = 30) => claimTaskRuns(database.sql, taskKeys, count, seconds);

test('runs are claimed in order, retries first, of the wanted tasks only', async () => {
  const [first, second] = [await enqueue('a'), await enqueue('b')];
  const retry = await enqueue('a', true);
  await enqueue('c');
  assert.deepEqual(await claim(['a', 'b'], 2), [retry, first]);
  assert.deepEqual(await claim(['a', 'b']), [second]);
  assert.deepEqual(await claim(['a', 'b']), []);
});

test('several workers at once get different runs', async () => {
  const ids = await Promise.all(Array.from({ length: 6 }, () => enqueue('d')));
  const claims = await Promise.all(Array.from({ length: 6 }, () => claim(['d'], 2)));
  const claimed = [...claims.flat(), ...(await claim(['d']))];
  assert.deepEqual(claimed.toSorted(), ids.toSorted());
});

test('an acknowledged run is gone, an unacknowledged one comes back', async () => {
  const [one, other, lost] = [await enqueue('e'), await enqueue('e'), await enqueue('e')];
  await claim(['e'], 2);
  await claim(['e'], 1, -1);
  await acknowledgeTaskRun(database.sql, one);
  assert.deepEqual(await claim(['e']), [lost]);
  await unclaimTaskRuns(database.sql, [other]);
  assert.deepEqual(await claim(['e']), [other]);
});

test('a run that is enqueued again waits at its new place', async () => {
  const id = await enqueue('f');
  await claim(['f']);
  await enqueueTaskRun(database.sql, id, 'f', true);
  assert.deepEqual(await claim(['f']), [id]);
});
