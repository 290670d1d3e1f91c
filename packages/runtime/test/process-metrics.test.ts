import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { collectProcessMetrics } from '@praetor/runtime/process-metrics';

test('the lag of the event loop is what its rounds took since the last scrape, not the time it slept', async () => {
  const registry = new Registry();
  collectProcessMetrics(registry);
  const scrape = async (reading: string) => {
    const found = new RegExp(`^nodejs_eventloop_lag_${reading}_seconds (.+)$`, 'm').exec(await registry.metrics());
    return Number(found?.[1]);
  };
  assert.match(await registry.metrics(), /^process_resident_memory_bytes \d+$/m);
  await sleep(20);
  const end = performance.now() + 150;
  while (performance.now() < end);
  await sleep(20);
  const longest = await scrape('max');
  assert.ok(longest >= 0.14 && longest < 60, String(longest));
  await sleep(200);
  assert.ok((await scrape('p50')) < 0.1);
});
