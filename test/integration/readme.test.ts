import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderReadme } from '@praetor/test/support/settings-table';

test('the table of settings in the README is current', async () => {
  const { current, wanted } = await renderReadme();
  assert.equal(current, wanted, 'run `node test/support/settings-table.ts`');
});
