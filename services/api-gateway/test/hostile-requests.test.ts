import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isPostgresReachable } from '@praetor/test/support/database';
import { type TestGateway, startGateway } from './support.ts';

/* What no client of Prefect's sends: answered with a 4xx in Prefect's shape, and nothing changes. */

const skip = (await isPostgresReachable()) ? false : 'needs Postgres';

describe('hostile requests', { skip }, () => {
  let gateway: TestGateway;
  let url: URL;
  before(async () => {
    gateway = await startGateway({ PRAETOR_API_BODY_LIMIT_BYTES: '1000000', PRAETOR_API_REQUEST_TIMEOUT_SECONDS: '0.5' });
    url = new URL(gateway.api.url);
  });
  after(() => gateway?.[Symbol.asyncDispose]());

  async function post(path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
    const response = await fetch(gateway.api.url + path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** Sends bytes as they are; gives all that comes back until the server closes. */
  async function exchange(bytes: string): Promise<{ status: number; body: string }> {
    const socket = connect(Number(url.port), url.hostname);
    let text = '';
    socket.on('data', (data) => (text += String(data)));
    socket.on('error', () => {});
    socket.write(bytes, 'latin1');
    await once(socket, 'close');
    return { status: Number(text.split(' ')[1]), body: text.split('\r\n\r\n')[1] ?? '' };
  }

  async function countRows() {
    const [row] = await gateway.database.sql`select (select count(*) from flow) + (select count(*) from variable) + (select count(*) from log) as count`;
    return Number(row?.['count']);
  }

  const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);

  for (const [name, path, body, status] of [
    ['NaN', '/flows/', '{"name": "a", "labels": {"b": NaN}}', 422],
    ['an infinite number', '/flows/', '{"name": "a", "labels": {"b": -Infinity}}', 422],
    ['a number beyond every type', '/flows/filter', `{"offset": 1${'0'.repeat(400)}}`, 422],
    ['an integer of 70 bits', '/flows/filter', '{"offset": 1180591620717411303424}', 422],
    ['half a text', '/flows/', '{"name": "a', 422],
    ['a body that is no object', '/flows/', '"a"', 422],
    ['bytes that are no UTF-8', '/flows/', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400],
    ['100,000 open lists', '/variables/', '['.repeat(100_000), 400],
    ['lists 100,000 deep', '/variables/', `{"name": "deep", "value": ${nested(100_000, '[', ']')}}`, 400],
    ['objects 50,000 deep', '/flows/', `{"name": "deep", "labels": {"a": ${nested(50_000, '{"a":', '').concat('1', '}'.repeat(50_000))}}}`, 400],
    ['a NUL in a name', '/flows/', JSON.stringify({ name: 'a\u0000b' }), 422],
    ['a NUL in JSON', '/variables/', JSON.stringify({ name: 'nul', value: { a: '\u0000' } }), 422],
    ['a NUL in a filter', '/flows/filter', JSON.stringify({ flows: { name: { any_: ['a\u0000'] } } }), 422],
    ['a level that its column cannot hold', '/logs/', JSON.stringify([{ name: 'a', level: 40_000, message: 'm', timestamp: '2026-11-21T08:00:00Z' }]), 422],
    ['more than the limit', '/flows/filter', JSON.stringify({ a: 'x'.repeat(1_000_001) }), 413],
  ] as const)
    test(`${name}: ${status}`, async () => {
      const rows = await countRows();
      const answer = await post(path, body);
      assert.equal(answer.status, status);
      assert.ok('detail' in answer.body || answer.body['exception_message'] === 'Invalid request received.', JSON.stringify(answer.body).slice(0, 200));
      assert.equal(await countRows(), rows);
    });

  test('brackets within strings are no depth, and a thousand levels are accepted', async () => {
    assert.equal((await post('/variables/', JSON.stringify({ name: 'flat', value: '["\\'.repeat(400) + '['.repeat(1100) }))).status, 201);
    assert.equal((await post('/variables/', `{"name": "deep", "value": ${nested(999, '[', ']')}}`)).status, 201);
  });

  test('compressed bodies are read; broken and unknown compression is refused', async () => {
    const zipped = gzipSync(JSON.stringify({ flows: { name: { any_: ['a'] } } }));
    assert.equal((await post('/flows/filter', Uint8Array.from(zipped), { 'content-encoding': 'gzip' })).status, 200);
    assert.equal((await post('/flows/filter', 'no gzip', { 'content-encoding': 'gzip' })).status, 400);
    assert.equal((await post('/flows/filter', Uint8Array.from(zipped.subarray(0, 20)), { 'content-encoding': 'gzip' })).status, 400);
    assert.equal((await post('/flows/filter', '{}', { 'content-encoding': 'zzz' })).status, 415);
    // Small on the wire, and larger than the limit when it is unpacked.
    assert.equal((await post('/flows/filter', Uint8Array.from(gzipSync(Buffer.alloc(20_000_000, 32))), { 'content-encoding': 'gzip' })).status, 413);
  });

  test('paths that cannot be decoded, hold a NUL, or lead elsewhere', async () => {
    const paths = ['/flows/%', '/flows/name/%zz', '/flows/name/%e4', '/flows/name/a%00b', '/variables/name/%00', '/work_pools/a%00', '/flows/name/..%2f..%2fetc', '/csrf-token?client=%00', '/csrf-token?client[a]=b', `/flows/name/${'x'.repeat(60_000)}`];
    for (const path of paths) {
      const { status, body } = await gateway.api.get(path);
      assert.ok(status >= 400 && status < 500, `${path.slice(0, 40)}: ${status}`);
      assert.ok('detail' in body || 'exception_message' in body);
    }
  });

  test('what is no HTTP, and headers without end', async () => {
    assert.equal((await exchange('\u0001\u0002\r\n\r\n')).status, 400);
    assert.deepEqual(await exchange('GET /api/fl\u0000ws HTTP/1.1\r\nHost: a\r\n\r\n'), { status: 400, body: '{"detail":"Bad Request"}' });
    assert.equal((await exchange('POST /api/flows/filter HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')).status, 400);
    assert.equal((await exchange('POST /api/flows/filter HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}')).status, 400);
    assert.equal((await exchange(`GET /api/hello HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(80_000)}\r\n\r\n`)).status, 431);
    // A page's token may be long.
    assert.equal((await gateway.api.request('GET', '/hello', undefined, { 'x-a': 'x'.repeat(60_000) })).status, 200);
  });

  test('an offer of another protocol is passed over', async () => {
    const { status, body } = await exchange('GET /api/hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n');
    assert.deepEqual([status, body.includes('👋')], [200, true]);
  });

  test('a request that never ends is given up', async () => {
    assert.equal((await exchange('GET /api/hello HTTP/1.1\r\nHost: a\r\nX-Slow')).status, 408);
    assert.equal((await exchange('POST /api/flows/filter HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{')).status, 408);
  });
});
