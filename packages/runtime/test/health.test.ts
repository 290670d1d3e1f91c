import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Counter, Registry } from 'prom-client';
import { createHealth } from '@praetor/runtime/health';
import { serveInstruments } from '@praetor/runtime/instruments';

describe('health', () => {
  test('lives while every loop makes progress', () => {
    let now = 0;
    const health = createHealth(() => now);
    assert.equal(health.isLive().live, true);
    health.noteProgress('fast', 10);
    health.noteProgress('slow', 100);
    now = 10_000;
    assert.deepEqual(health.isLive(), { live: true, details: { fast: 10, slow: 10 } });
    now = 10_001;
    assert.equal(health.isLive().live, false);
    health.noteProgress('fast', 10);
    assert.equal(health.isLive().live, true);
  });

  test('is ready when every condition holds; one that throws or hangs does not', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const health = createHealth();
    assert.deepEqual(await health.isReady(), { ready: true, details: {} });
    health.addReadiness('good', () => true);
    assert.equal((await health.isReady()).ready, true);
    health.addReadiness('thrown', () => Promise.reject(new Error('away')));
    health.addReadiness('hanging', () => new Promise(() => {}));
    const answer = health.isReady();
    t.mock.timers.tick(2000);
    assert.deepEqual(await answer, { ready: false, details: { good: true, thrown: false, hanging: false } });
  });

  test('is served with the metrics', async () => {
    const health = createHealth();
    const registry = new Registry();
    new Counter({ name: 'praetor_test_total', help: 'A test.', registers: [registry] }).inc(3);
    await using server = await serveInstruments({ host: '127.0.0.1', port: 0, health, registry });
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return { status: response.status, body: await response.text() };
    };
    assert.deepEqual(await get('/health'), { status: 200, body: '{"live":true,"details":{}}' });
    assert.equal((await get('/ready')).status, 200);
    assert.match((await get('/metrics')).body, /^praetor_test_total 3$/m);
    assert.equal((await get('/')).status, 404);
    health.addReadiness('database', () => false);
    health.noteProgress('loop', -1);
    assert.deepEqual(await get('/ready'), { status: 503, body: '{"ready":false,"details":{"database":false}}' });
    assert.equal((await get('/health')).status, 503);
  });
});
