import { glob, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { openEmbedded } from '@praetor/database/embedded';
import { isPostgresReachable } from './database.ts';

/*
 * `pnpm test [pattern…]`: every *.test.ts of the workspace (or those whose path contains a pattern), each file in a
 * process of its own, two at a time. Ends with the line `N passed, N failed, N skipped`, the tests counted, not suites.
 * With CI=true a skipped test is a failure: there, everything that a test may need is to be present.
 */

const ROOT = path.join(import.meta.dirname, '..', '..');
const FILE_TIMEOUT_MS = 15 * 60_000;
/** These take minutes: they begin first, so that at the end nobody waits for them alone. */
const LONGEST = ['test/conformance/topologies', 'test/'];

/** Where no Postgres can be reached, the embedded one serves the tests that need one. */
async function openPostgres(): Promise<AsyncDisposableStack> {
  await using opened = new AsyncDisposableStack();
  if (!(await isPostgresReachable())) {
    const home = await mkdtemp(path.join(tmpdir(), 'praetor-test-postgres-'));
    opened.defer(() => rm(home, { recursive: true, force: true }));
    const postgres = await openEmbedded({ home, kind: 'postgres', log: console.log }).catch((error: unknown) => console.log(`No Postgres, and the embedded one cannot run: ${String(error)}`));
    if (postgres) process.env['PRAETOR_TEST_POSTGRES_URL'] = opened.use(postgres).url;
  }
  return opened.move();
}

function byLength(one: string, other: string): number {
  const rank = (file: string) => [...LONGEST, ''].findIndex((start) => file.startsWith(start));
  return rank(one) - rank(other) || (one < other ? -1 : 1);
}

// The test files and the services they start load the same modules again and again.
process.env['NODE_COMPILE_CACHE'] ??= path.join(ROOT, 'node_modules', '.cache', 'node-compile');

await using _postgres = await openPostgres();
const patterns = process.argv.slice(2);
const files = (await Array.fromAsync(glob(['packages/*/test/**/*.test.ts', 'services/*/test/**/*.test.ts', 'test/**/*.test.ts'], { cwd: ROOT, exclude: ['**/node_modules/**'] })))
  .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
  .sort(byLength)
  .map((file) => path.join(ROOT, file));

const counts = { passed: 0, failed: 0, skipped: 0 };
const stream = run({ files, concurrency: 2, timeout: FILE_TIMEOUT_MS, execArgv: ['--disable-warning=ExperimentalWarning'] });
stream.on('test:pass', ({ details, skip }) => {
  // Of a suite that is skipped nothing else is heard.
  if (skip !== undefined) counts.skipped++;
  else if (details.type !== 'suite') counts.passed++;
});
stream.on('test:fail', ({ details }) => {
  // A suite fails by its tests, which are counted, or by a hook of its own.
  const isCounted = details.type === 'suite' && Reflect.get(details.error, 'failureType') === 'subtestsFailed';
  if (!isCounted) counts.failed++;
});
for await (const chunk of stream.compose(new spec())) process.stdout.write(String(chunk));

const isComplete = process.env.CI !== 'true' || counts.skipped === 0;
if (!isComplete) console.log('In CI nothing may be skipped.');
if (counts.failed > 0 || counts.passed === 0 || !isComplete) process.exitCode = 1;
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
