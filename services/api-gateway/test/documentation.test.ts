import assert from 'node:assert/strict';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

test('the documentation of the API', async () => {
  await using gateway = await startGateway({ PREFECT_SERVER_API_BASE_PATH: '/prefect/api' });
  const { api } = gateway;
  const { origin } = new URL(api.url);

  const document = await api.expect(200, 'GET', '/openapi.json');
  assert.deepEqual(document.servers, [{ url: '/prefect/api' }]);
  assert.ok(document.paths['/flow_runs/{id}/graph-v2'].get);

  const { headers, body: page } = await api.get('/docs');
  assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'self'/);
  const base = new URL(/<base href="([^"]+)"/.exec(page)?.[1] ?? '', origin);
  const links = [...page.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, link]) => new URL(link, base));
  assert.equal(links.length, 4);
  for (const link of links) {
    const response = await fetch(link);
    assert.equal(response.status, 200, link.href);
    assert.ok((await response.arrayBuffer()).byteLength > 0);
  }
  assert.ok(!/https?:/.test(page), 'nothing is loaded from elsewhere');
  assert.equal((await api.get('/docs/package.json')).status, 404);

  for (const [path, target] of [['/docs', '/prefect/api/docs'], ['/redoc', '/prefect/api/redoc'], ['/openapi.json', '/prefect/api/openapi.json'], ['/prefect/api/redoc', '/prefect/api/docs']] as const) {
    const { status, headers: redirect } = await fetch(origin + path, { redirect: 'manual' });
    assert.deepEqual([status, redirect.get('location')], [307, target]);
  }
});

test('is for those who may use the API', async () => {
  await using gateway = await startGateway({ PREFECT_SERVER_API_AUTH_STRING: 'admin:pass' });
  for (const path of ['/docs', '/openapi.json', '/redoc']) assert.equal((await gateway.api.get(path)).status, 401);
});
