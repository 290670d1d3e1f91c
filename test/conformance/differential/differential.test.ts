import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { skipWithoutPrefect } from '@praetor/test/support/prefect';
import { Judge } from './report.ts';
import { findSequences, runSequence } from './run-sequences.ts';
import { startTwins } from './servers.ts';

/* Praetor answers as the real Prefect server does, sequence by sequence (differential-command.ts tells how to add one). */

suite('differential', { skip: await skipWithoutPrefect('3.9.1') }, () => {
  const judge = new Judge();
  let twins: Awaited<ReturnType<typeof startTwins>> | undefined;

  before(async () => {
    twins = await startTwins();
  });
  after(async () => await twins?.[Symbol.asyncDispose]());

  suite('answers are equal', { concurrency: 3 }, () => {
    for (const named of findSequences()) {
      test(named.name, async () => {
        assert.ok(twins, 'the servers have not started');
        const { problems } = await runSequence(named, twins, judge);
        assert.ok(problems.length === 0, `\n${problems.join('\n')}`);
      });
    }
  });

  // Only when all sequences are over.
  test('every deliberate difference occurs', () => assert.deepEqual(judge.unmet(), []));
});
