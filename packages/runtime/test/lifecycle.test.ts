import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runServices } from '@praetor/runtime/lifecycle';
import type { Service } from '@praetor/runtime/service';

describe('runServices', () => {
  /** Runs until told to stop, then takes its time to drain. */
  const createService = (name: string, log: string[], drainMs = 20): Service => ({
    name,
    async run(signal) {
      log.push(`${name} runs`);
      if (!signal.aborted) await once(signal, 'abort');
      log.push(`${name} drains`);
      await sleep(drainMs);
      log.push(`${name} ended`);
    },
  });

  test('stops stage by stage', async () => {
    const log: string[] = [];
    const controller = new AbortController();
    const running = runServices([[createService('gateway', log)], [createService('worker', log)]], controller.signal);
    assert.deepEqual(log.splice(0), ['gateway runs', 'worker runs']);
    controller.abort();
    await running;
    assert.deepEqual(log, ['gateway drains', 'gateway ended', 'worker drains', 'worker ended']);
  });

  test('one that fails stops the others and gives its error', async () => {
    const log: string[] = [];
    const failing: Service = { name: 'failing', run: () => Promise.reject(new Error('broken')) };
    await assert.rejects(runServices([[createService('gateway', log)], [failing]], new AbortController().signal), /broken/);
    assert.equal(log.at(-1), 'gateway ended');
  });

  test('ends when nothing is left to run', async () => {
    await runServices([[{ name: 'switched off', run: async () => {} }]], new AbortController().signal);
  });
});
