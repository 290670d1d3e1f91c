import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { saveDeadLetter } from '@praetor/runtime/dead-letters';
import { type DeadLetter, deadLetter } from '@praetor/schema/dead-letter';
import { after, before, beforeEach, suite, test } from '@praetor/test/support/postgres-test';
import { startGateway, type TestGateway } from './support.ts';

const COMMAND = path.join(import.meta.dirname, '../src/dead-letters/command.ts');
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

suite('dead letters', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startGateway();
  });
  after(() => gateway[Symbol.asyncDispose]());
  beforeEach(async () => {
    await gateway.database.sql`truncate praetor.dead_letter`;
    gateway.published.events.length = 0;
    for (const number of [1, 2, 3])
      await saveDeadLetter(gateway.database.sql, { topic: 'events', group: number === 3 ? 'task-run-recorder' : 'event-persister', data: JSON.stringify({ number }), error: 'no room\nat all', attempts: 5 });
  });

  const send = async (method: string, url: string, body?: object) => await gateway.api.request(method, `/admin/dead-letters${url}`, body);
  const list = async (body?: object) => z.array(deadLetter).parse((await send('POST', '/filter', body)).body);
  const numbers = (letters: DeadLetter[]) => letters.map(({ data }) => z.object({ number: z.coerce.number() }).parse(data).number);

  test('are listed newest first, counted, and shown one by one', async () => {
    const letters = await list();
    assert.deepEqual(numbers(letters), [3, 2, 1]);
    assert.deepEqual(numbers(await list({ limit: 1, offset: 1 })), [2]);
    assert.deepEqual(numbers(await list({ dead_letters: { consumer_group: { any_: ['event-persister'] } } })), [2, 1]);
    assert.equal((await send('POST', '/count')).body, 3);
    assert.deepEqual((await send('GET', `/${letters[0]?.id}`)).body, letters[0]);
    assert.equal((await send('GET', `/${UNKNOWN}`)).status, 404);
  });

  test('are published again in order, some or all of them, and forgotten', async () => {
    const [last] = await list();
    assert.deepEqual((await send('POST', '/replay', { dead_letters: { id: { any_: [last?.id] } } })).body, { count: 1 });
    assert.deepEqual((await send('POST', '/replay')).body, { count: 2 });
    assert.deepEqual(gateway.published.events, [{ number: 3 }, { number: 1 }, { number: 2 }]);
    assert.deepEqual(await list(), []);
  });

  test('are deleted once', async () => {
    const [last] = await list();
    assert.equal((await send('DELETE', `/${last?.id}`)).status, 204);
    assert.equal((await send('DELETE', `/${last?.id}`)).status, 404);
    assert.deepEqual(numbers(await list()), [2, 1]);
    assert.deepEqual(gateway.published.events, []);
  });

  test('can be handled from the command line', async () => {
    const env = { ...process.env, PREFECT_API_URL: gateway.api.url };
    const run = async (...words: string[]) => await promisify(execFile)(process.execPath, [COMMAND, ...words], { env });
    const listed = (await run('list', '--group', 'event-persister')).stdout;
    assert.match(listed, /event-persister {2}5 attempts {2}no room\n/);
    assert.match(listed, /2 shown of 2/);
    const [last] = await list();
    assert.match((await run('show', String(last?.id))).stdout, /"number": 3/);
    await run('delete', String(last?.id));
    assert.match((await run('replay', '--all')).stdout, /"count":2/);
    await assert.rejects(run('show', UNKNOWN), /404/);
    await assert.rejects(run('replay'), /Usage/);
  });
});
