import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { workerMetadata } from '@praetor/api-gateway/collections/worker-metadata';
import { type PrefectInstallation, installPrefect, skipWithoutPrefect } from '@praetor/test/support/prefect';

/* Types of workers are told as Prefect tells them, but for the prose: descriptions are ours. */

// Asks Python where the package is instead of importing it, which takes seconds.
const READ_METADATA = `
import importlib.util, pathlib
package = pathlib.Path(importlib.util.find_spec('prefect').origin).parent
print((package / 'server/api/collections_data/views/aggregate-worker-metadata.json').read_text())`;

async function readMetadata({ python }: PrefectInstallation): Promise<object> {
  const { stdout } = await promisify(execFile)(python, ['-c', READ_METADATA], { maxBuffer: 10_000_000 });
  return JSON.parse(stdout) as object;
}

/** The same with every description replaced by the mere fact that there is one. */
function withoutProse(metadata: object): object {
  return JSON.parse(JSON.stringify(metadata), (key, value: unknown) => (key === 'description' && typeof value === 'string' ? 'prose' : value)) as object;
}

function* descriptions(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === 'description' && typeof member === 'string') yield member;
    else yield* descriptions(member);
  }
}

describe('types of workers', { skip: await skipWithoutPrefect('3.9.1') }, () => {
  test('are those of Prefect, with their templates', async () => {
    const theirs = await readMetadata(await installPrefect('3.9.1'));
    assert.deepEqual(withoutProse(workerMetadata), withoutProse(theirs));
    const copied = new Set(descriptions(theirs)).intersection(new Set(descriptions(workerMetadata)));
    assert.deepEqual([...copied], []);
  });
});
