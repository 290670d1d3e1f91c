import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { isPostgresReachable } from '@praetor/test/support/database';
import { startGateway } from './support.ts';

/* Serving the web UI of an installed `prefect` (facts/hidden-endpoints.md §1), shown on two pages of a few lines. */

const run = promisify(execFile);
const skip = (await isPostgresReachable()) ? false : 'needs Postgres';
const BASE = '/PREFECT_UI_SERVE_BASE_REPLACE_PLACEHOLDER';
const PAGES = { 'server/ui': 'first', 'server/ui-v2': 'second' } as const;

describe('the web UI', { skip }, () => {
  let folder: string;
  let wheel: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'praetor-ui-'));
    for (const [below, name] of Object.entries(PAGES)) {
      const place = path.join(folder, 'prefect', below);
      await mkdir(path.join(place, 'assets'), { recursive: true });
      await writeFile(path.join(place, 'index.html'), `<script src="${BASE}/assets/a-1.js"></script>${name}`);
      await writeFile(path.join(place, 'assets', 'a-1.js'), `base("${BASE}"); // ${'x'.repeat(600)}`);
      await writeFile(path.join(place, 'picture.svg'), `<svg>${BASE}</svg>`);
    }
    await writeFile(path.join(folder, 'prefect', 'secret.txt'), 'secret');
    wheel = path.join(folder, 'prefect.whl');
    await run('python3', ['-m', 'zipfile', '-c', wheel, 'prefect/'], { cwd: folder });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function start(settings: Record<string, string> = {}) {
    const gateway = await startGateway({ PREFECT_UI_STATIC_DIRECTORY: path.join(folder, 'prefect'), ...settings });
    const ask = async (address: string, headers: Record<string, string> = {}, method = 'GET') => {
      const response = await fetch(new URL(address, gateway.api.url), { redirect: 'manual', method, headers });
      return { status: response.status, text: await response.text(), headers: response.headers };
    };
    return { ask, open: (address: string, cookie = '') => ask(address, { accept: 'text/html', ...(cookie && { cookie }) }), [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
  }

  const places = () => ({ 'the package': path.join(folder, 'prefect'), 'a folder of packages': folder, 'a wheel': wheel });
  for (const kind of ['the package', 'a folder of packages', 'a wheel'] as const)
    test(`is served from ${kind}`, async () => {
      await using ui = await start({ PREFECT_UI_STATIC_DIRECTORY: places()[kind] });
      const [first, second] = [await ui.open('/runs'), await ui.open('/v2/')];
      assert.equal(first.text, '<script src="/assets/a-1.js"></script>first');
      assert.equal(second.text, '<script src="/v2/assets/a-1.js"></script>second');
      assert.match(first.headers.get('content-type') ?? '', /^text\/html/);
      assert.equal(first.headers.get('cache-control'), 'no-cache');
      assert.match(first.headers.get('content-security-policy') ?? '', /connect-src 'self' data: blob:;/);

      const script = await ui.ask('/v2/assets/a-1.js', { 'accept-encoding': 'gzip' });
      assert.ok(script.text.startsWith('base("/v2"); // xxx'));
      assert.deepEqual(['content-type', 'content-encoding', 'cache-control'].map((name) => script.headers.get(name)), ['text/javascript; charset=utf-8', 'gzip', 'public, max-age=31536000, immutable']);
      // Pictures are left as they are.
      assert.equal((await ui.ask('/picture.svg')).text, `<svg>${BASE}</svg>`);
      assert.deepEqual([(await ui.ask('/index.html', {}, 'HEAD')).status, (await ui.ask('/index.html', {}, 'POST')).status], [200, 404]);
    });

  test('pages are for browsers, files are what they are, and nothing else is there', async () => {
    await using ui = await start();
    assert.equal((await ui.open('/v2/runs/flow-run/1?tab=Logs')).text.endsWith('second'), true);
    for (const address of ['/nowhere', '/v2/assets/b.js', '/secret.txt', '/assets/../../../secret.txt', '/%2e%2e/%2e%2e/secret.txt', '/..%2f..%2fsecret.txt', '/%zz', '/a%00b', '/v2x/']) {
      const answer = await ui.ask(address);
      assert.deepEqual([answer.status, answer.text], [404, '{"detail":"Not Found"}'], address);
    }
    // The API answers for itself, also to browsers.
    assert.equal((await ui.open('/api/nowhere')).status, 404);
    assert.equal((await ui.open('/api/health')).text, 'true');
  });

  test('the entry leads to the preferred application', async () => {
    await using ui = await start();
    await using first = await start({ PREFECT_SERVER_UI_V2_ENABLED: 'false' });
    const target = async (from: typeof ui, address: string, cookie?: string) => {
      const { status, headers, text } = await from.open(address, cookie);
      return status === 307 ? headers.get('location') : text.replace(/.*>/, '');
    };
    assert.equal(await target(ui, '/?a=1'), '/v2/?a=1');
    assert.equal(await target(ui, '/', 'x=1; prefect_ui_version=v1'), 'first');
    assert.equal(await target(ui, '/', 'prefect_ui_version=v3'), '/v2/');
    assert.equal(await target(ui, '/v2', 'prefect_ui_version=v1'), '/v2/');
    assert.equal(await target(ui, '/runs'), 'first');
    assert.equal(await target(first, '/'), 'first');
    assert.equal(await target(first, '/', 'prefect_ui_version=v2'), '/v2/');
    assert.equal((await ui.ask('/')).text.endsWith('first'), true);
  });

  test('below another base, and with one application only', async () => {
    await using ui = await start({ PREFECT_UI_SERVE_BASE: '/web/' });
    assert.equal((await ui.open('/web')).headers.get('location'), '/web/v2/');
    assert.equal((await ui.ask('/web')).headers.get('location'), '/web/');
    assert.equal((await ui.open('/web/v2/runs')).text, '<script src="/web/v2/assets/a-1.js"></script>second');
    assert.equal((await ui.ask('/web/ui-settings')).status, 200);
    for (const address of ['/', '/ui-settings', '/webs', '/web/v2/ui-settings']) assert.equal((await ui.ask(address)).status, 404, address);

    await rm(path.join(folder, 'prefect', 'server', 'ui-v2', 'index.html'));
    await using old = await start();
    assert.equal((await old.open('/v2/runs?a=1')).headers.get('location'), '/runs?a=1');
    assert.equal((await old.open('/v2//evil.example/?b=1?2')).headers.get('location'), '/evil.example/?b=1?2');
    assert.deepEqual(JSON.parse((await old.ask('/ui-settings')).text).available_uis, ['v1']);
    await writeFile(path.join(folder, 'prefect', 'server', 'ui-v2', 'index.html'), 'second');
  });

  test('tells the applications where the API is and what it asks for', async () => {
    await using plain = await start({ PREFECT_SERVER_API_BASE_PATH: '/pre/api' });
    assert.deepEqual(JSON.parse((await plain.ask('/ui-settings')).text), {
      api_url: '/pre/api',
      csrf_enabled: false,
      auth: null,
      flags: [],
      default_ui: 'v2',
      available_uis: ['v1', 'v2'],
      v1_base_url: '/',
      v2_base_url: '/v2',
    });
    await using told = await start({ PREFECT_UI_API_URL: 'https://api.example/x', PREFECT_SERVER_API_AUTH_STRING: 'a:b', PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED: 'true' });
    const answer = JSON.parse((await told.ask('/ui-settings')).text);
    assert.deepEqual([answer.api_url, answer.csrf_enabled, answer.auth], ['https://api.example/x', true, 'BASIC']);
    assert.match((await told.open('/runs')).headers.get('content-security-policy') ?? '', /connect-src 'self' data: blob: https:\/\/api\.example;/);
  });

  test('without it there is a line that leads to the API', async () => {
    const without: Record<string, string>[] = [{ PREFECT_UI_STATIC_DIRECTORY: '' }, { PREFECT_UI_ENABLED: 'false' }, { PREFECT_UI_STATIC_DIRECTORY: path.join(folder, 'nowhere') }, { PREFECT_UI_STATIC_DIRECTORY: tmpdir() }];
    for (const settings of without) {
      await using ui = await start(settings);
      const line = await ui.open('/');
      assert.deepEqual([line.status, line.headers.get('content-type')?.split(';')[0]], [200, 'text/plain']);
      assert.match(line.text, /\/api\b/);
      assert.equal((await ui.open('/runs')).status, 404);
      assert.deepEqual(JSON.parse((await ui.ask('/ui-settings')).text).available_uis, []);
    }
  });
});
