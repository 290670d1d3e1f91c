import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
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

test('patterns of users do not hold a process up', async () => {
  const cases: [pattern: string, text: string, matches: boolean][] = [
    ['^(a+)+$', `${'a'.repeat(40)}!`, false],
    ['^(a+)+$', 'a'.repeat(40), true],
    ['^(a|a)*b', 'a'.repeat(5000), false],
    ['^([a-z0-9]+-?)+[.]$', 'ab'.repeat(50), false],
    ['^(?=.*[0-9])[a-z0-9]{3,}$', 'abc1', true],
    ['^(?!x)[a-z]+$', 'xyz', false],
    ['^(.)[a-z]*\\1$', 'abca', true],
    ['^[a-z]{2,63}$', 'host', true],
    ['^\\d{4}-\\d\\d$', '2026-01', true],
  ];
  const program = `
    import { runMain } from ${JSON.stringify(new URL('../src/lifecycle.ts', import.meta.url).href)};
    await runMain('patterns', async () => console.log(JSON.stringify(${JSON.stringify(cases)}.map(([pattern, text]) => new RegExp(pattern).test(text)))));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { timeout: 20_000, killSignal: 'SIGKILL' });
  assert.deepEqual(
    JSON.parse(stdout),
    cases.map(([, , matches]) => matches),
  );
});
