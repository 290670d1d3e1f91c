import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { isPostgresReachable } from '@praetor/test/support/database';
import { startGateway } from './support.ts';

/* What happens to every request before its route is looked up (facts/rules.md §2, facts/hidden-endpoints.md §2). */

const skip = (await isPostgresReachable()) ? false : 'needs Postgres';

describe('before the routes', { skip }, () => {
  test('authentication: the whole string, as Basic, except for probes', async () => {
    await using gateway = await startGateway({ PREFECT_SERVER_API_AUTH_STRING: 'admin:pä ss' });
    const { api } = gateway;
    const status = async (path: string, authorization?: string) => (await api.request('GET', path, undefined, authorization === undefined ? {} : { authorization })).status;
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    assert.equal(await status('/version', basic('admin:pä ss')), 200);
    assert.equal(await status('/version', basic('admin:pä ss').replace('Basic', 'basic')), 200);
    const right = basic('admin:pä ss');
    for (const wrong of [undefined, basic('admin:'), basic('admin:pä ss '), right.replace('Basic', 'Bearer'), 'Basic', 'admin:pä ss'.replace('ä', 'a'), `${right} x`, `x ${right}`])
      assert.equal(await status('/version', wrong), 401, String(wrong));
    for (const path of ['/no-such-path', '/openapi.json', '/health/', '/csrf-token?client=a', '/variables/name/health']) assert.equal(await status(path), 401, path);
    assert.deepEqual([await status('/health'), await status('/ready')], [200, 200]);
    assert.equal((await api.post('/health')).status, 401);
  });

  test('API version: 0.8.0 or newer, or none', async () => {
    await using gateway = await startGateway();
    const status = async (version: string, path = '/hello') => (await gateway.api.request('GET', path, undefined, { 'x-prefect-api-version': version })).status;
    for (const good of ['0.8.0', '0.8.4', '0.12.1', '1.0.0']) assert.equal(await status(good), 200, good);
    for (const bad of ['0.7.9', '0.8', 'x', '0.8.4.1']) assert.equal(await status(bad), 400, bad);
    assert.deepEqual([await status('0.1.0', '/health'), await status('x', '/version'), await status('x', '/ready')], [200, 200, 400]);
    assert.deepEqual([await status('x', '/no-such-path'), await status('x', '/openapi.json')], [404, 200]);
    assert.equal((await gateway.api.request('PUT', '/hello', {}, { 'x-prefect-api-version': 'x' })).status, 405);
    assert.equal((await gateway.api.request('POST', '/flows/', '{', { 'x-prefect-api-version': 'x' })).status, 422);
    assert.equal((await gateway.api.request('POST', '/flows/', {}, { 'x-prefect-api-version': 'x' })).status, 400);
  });

  test('HEAD is a method like any other', async () => {
    await using gateway = await startGateway();
    const { status, headers } = await gateway.api.request('HEAD', '/hello');
    assert.deepEqual([status, headers.get('allow')], [405, 'GET']);
    assert.equal((await gateway.api.request('HEAD', '/no-such-path')).status, 404);
  });

  test('CSRF: every change needs the token of its client, before authentication', async () => {
    await using gateway = await startGateway({ PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED: 'true', PREFECT_SERVER_API_AUTH_STRING: 'a:b' });
    const { api } = gateway;
    const client = randomUUID();
    const authorization = `Basic ${Buffer.from('a:b').toString('base64')}`;
    const post = (headers: Record<string, string>) => api.request('POST', '/flows/filter', {}, headers);
    assert.equal((await post({})).status, 403);
    assert.equal((await fetch(new URL('/anywhere', api.url), { method: 'DELETE' })).status, 403);
    const issued = await api.request('GET', `/csrf-token?client=${client}`, undefined, { authorization });
    assert.equal(issued.status, 200);
    assert.match(issued.body.token, /^[0-9a-f]{64}$/);

    const mine = { 'prefect-csrf-client': client, 'prefect-csrf-token': issued.body.token };
    assert.equal((await post({ ...mine, authorization })).status, 200);
    assert.equal((await post(mine)).status, 401);
    const stolen = await post({ ...mine, 'prefect-csrf-client': randomUUID() });
    assert.deepEqual([stolen.status, stolen.body.detail.includes('Invalid CSRF token')], [403, true]);

    await gateway.database.sql`update csrf_token set expiration = now() - interval '1 second'`;
    assert.equal((await post({ ...mine, authorization })).status, 403);
    await api.request('GET', '/csrf-token?client=another', undefined, { authorization });
    assert.deepEqual(await gateway.database.sql`select client from csrf_token`, [{ client: 'another' }]);
    assert.equal((await api.request('GET', '/version', undefined, { authorization })).status, 200);
  });

  test('CSRF: a client that asks although it is off is told so in the words it looks for', async () => {
    await using gateway = await startGateway();
    const answer = await gateway.api.get(`/csrf-token?client=${randomUUID()}`);
    assert.equal(answer.status, 422);
    assert.ok(JSON.stringify(answer.body).includes('CSRF protection is disabled.'));
  });

  test('CORS: preflight and answer', async () => {
    await using gateway = await startGateway();
    await using narrow = await startGateway({ PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS: 'http://ui,http://other', PREFECT_SERVER_API_CORS_ALLOWED_METHODS: 'GET' });
    const preflight = { origin: 'http://ui', 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-any' };
    const ask = async ({ api }: typeof gateway, method: string, headers: Record<string, string>) => {
      const answer = await api.request(method, '/flows/filter', method === 'OPTIONS' ? undefined : {}, headers);
      const read = (name: string) => answer.headers.get(`access-control-${name}`);
      return [answer.status, read('allow-origin'), read('allow-methods'), read('allow-headers')];
    };
    assert.deepEqual(await ask(gateway, 'OPTIONS', preflight), [200, '*', 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT', 'x-any']);
    assert.deepEqual(await ask(gateway, 'POST', { origin: 'http://ui' }), [200, '*', null, null]);
    assert.deepEqual(await ask(narrow, 'OPTIONS', preflight), [200, 'http://ui', 'GET', 'x-any']);
    assert.deepEqual(await ask(narrow, 'POST', { origin: 'http://elsewhere' }), [200, null, null, null]);
    assert.equal((await gateway.api.request('OPTIONS', '/flows/filter', undefined, { origin: 'http://ui' })).status, 405);
  });

  test('metrics are part of the API only where that was asked for', async () => {
    await using gateway = await startGateway();
    await using open = await startGateway({ PREFECT_SERVER_METRICS_ENABLED: 'true' });
    assert.equal((await gateway.api.get('/metrics')).status, 404);
    await open.api.get('/health');
    assert.match((await open.api.get('/metrics')).body, /praetor_http_request_duration_seconds_count\{.*route="\/health"/);
  });

  test('the base path is any path, and nothing but what is below it', async () => {
    await using gateway = await startGateway({ PREFECT_SERVER_API_BASE_PATH: '/a.b/api/' });
    assert.ok(gateway.api.url.endsWith('/a.b/api'));
    assert.equal((await gateway.api.get('/health')).status, 200);
    for (const path of ['/api/health', '/axb/api/health', '/health']) assert.equal((await fetch(new URL(path, gateway.api.url))).status, 404, path);
  });

  test('forwarded addresses count where they come from a trusted proxy', async () => {
    await using trusting = await startGateway();
    await using wary = await startGateway({ PRAETOR_API_TRUSTED_PROXIES: '10.0.0.0/8,fd00::1' });
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'prefect.example', 'x-forwarded-for': '203.0.113.7' };
    for (const [gateway, wanted] of [
      [trusting, /^https:\/\/prefect\.example\/api\/events\//],
      [wary, /^http:\/\/127\.0\.0\.1:\d+\/api\/events\//],
    ] as const) {
      const event = (id: string) => ({ id, occurred: new Date().toISOString(), event: 'e', resource: { 'prefect.resource.id': 'r' }, related: [], payload: {}, follows: null });
      for (const id of [randomUUID(), randomUUID()])
        await gateway.database.sql`insert into events (id, occurred, event, resource_id, resource, related, payload, received, recorded) values (${id}, now(), 'e', 'r', ${JSON.stringify(event(id).resource)}, '[]', '{}', now(), now())`;
      const { body } = await gateway.api.request('POST', '/events/filter', { limit: 1 }, forwarded);
      assert.match(body.next_page, wanted);
    }
  });

  test('a limit of requests per address: 429 with Retry-After, for that address only, and not for probes', async () => {
    await using gateway = await startGateway({ PRAETOR_API_RATE_LIMIT_PER_MINUTE: '3' });
    const ask = (path: string, address: string) => gateway.api.request('GET', path, undefined, { 'x-forwarded-for': address });
    for (let count = 0; count < 3; count++) assert.equal((await ask('/hello', '203.0.113.1')).status, 200);
    const refused = await ask('/hello', '203.0.113.1');
    assert.deepEqual([refused.status, refused.body], [429, { detail: 'Too Many Requests' }]);
    const wait = Number(refused.headers.get('retry-after'));
    assert.ok(wait > 0 && wait <= 60, String(wait));
    assert.equal((await ask('/health', '203.0.113.1')).status, 200);
    assert.equal((await ask('/hello', '203.0.113.2')).status, 200);
  });

  test('every answer tells browsers what they may not do', async () => {
    await using gateway = await startGateway();
    for (const path of ['/hello', '/no-such-path']) {
      const { headers } = await gateway.api.get(path);
      const names = ['x-content-type-options', 'referrer-policy', 'x-frame-options', 'content-security-policy', 'x-powered-by'];
      assert.deepEqual(names.map((name) => headers.get(name)), ['nosniff', 'same-origin', 'SAMEORIGIN', "frame-ancestors 'self'", null]);
    }
  });
});
