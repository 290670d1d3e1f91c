import { parseArgs } from 'node:util';
import { Judge } from './report.ts';
import { findSequences, runSequence } from './run-sequences.ts';
import { startTwins } from './servers.ts';
import type { Twins } from './twin-client.ts';

/*
 * `pnpm conformance:differential [pattern…]` sends the same requests to the real Prefect server and to Praetor and prints
 * every difference that is not deliberate. Without more it starts both on new databases (the first time it installs
 * Prefect from PyPI); in seconds, again and again, against servers that run already:
 *
 *     pnpm conformance:differential flows --real http://127.0.0.1:4201/api --ours http://127.0.0.1:4200/api
 *
 * `--verbose` prints every request with its status: do they do what the sequence means them to? `--numbers` counts it as a
 * difference, too, when a number is printed in another form (0.0 and 0).
 *
 * To add a case, add a line to a sequence in sequences/<resource>.ts; to add a resource, add a file and name it in
 * sequences/index.ts. A sequence is written as if there were only the real server:
 *
 *     'create and read': async (api) => {
 *       const flow = await api.post('/flows/', { name: api.name() });      // gives the real server's body
 *       await api.get(`/flows/${flow.id}`);                                // the id is translated for ours
 *       await api.each('POST', '/flows/', [{}, [], { name: 1 }, '{"name":']);  // a text is sent as it is
 *       await api.eachPath('GET', ['/flows/x', `/flows/${api.id()}`]);
 *       await api.post('/flows/filter', {…}, { unordered: true, headers: {…} });
 *       await api.eventually((events) => events.total > 0, 'POST', '/events/filter', {…});
 *     }
 *
 * The servers are shared by all sequences and outlive a run: use `api.name()` and `api.id()`, and filter for what is your
 * own. Compared are status, headers and bodies (compare.ts). Ids, times near the present and invented names may differ,
 * but in a consistent way (correspondence.ts); times that the sequence sent must come back equal. Anything else that may
 * differ is listed with its reason in deliberate.ts, and in the README.
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { real: { type: 'string' }, ours: { type: 'string' }, verbose: { type: 'boolean' }, numbers: { type: 'boolean' } },
});

async function findTwins(): Promise<Twins & Partial<AsyncDisposable>> {
  const { real, ours } = values;
  if ((real === undefined) !== (ours === undefined)) throw new Error('Give both --real and --ours, or neither.');
  return real === undefined || ours === undefined ? await startTwins() : { real, ours };
}

/** Sequences at a time: one waits for the real server while another waits for ours. */
const CONCURRENCY = 3;

const twins = await findTwins();
const judge = new Judge({ strictNumbers: values.numbers ?? false });
const total = { sequences: 0, requests: 0, differing: 0 };
const sequences = findSequences(positionals).values();

async function runNext(): Promise<void> {
  for (const named of sequences) {
    const { steps, problems } = await runSequence(named, twins, judge);
    total.sequences++;
    total.requests += steps.length;
    total.differing += problems.length;
    console.log(`${problems.length === 0 ? '✓' : '✗'} ${named.name} (${steps.length} requests)`);
    if (values.verbose) for (const { line, method, path, body, status } of steps) console.log(`  ${line}  ${method} ${path} ${body.slice(0, 150)} → ${status}`);
    for (const problem of problems) console.log(problem);
  }
}

try {
  await Promise.all(Array.from({ length: CONCURRENCY }, runNext));
} finally {
  await twins[Symbol.asyncDispose]?.();
}

const forms = [...judge.numberForms].map(([field, count]) => `${field} (${count})`);
if (forms.length > 0) console.log(`\nNumbers of equal value, printed differently: ${forms.join(', ')}`);
if (positionals.length === 0) for (const reason of judge.unmet()) console.log(`\nNo sequence meets this deliberate difference: ${reason}`);
console.log(`\n${total.sequences} sequences, ${total.requests} requests, ${total.differing} with unexplained differences`);
if (total.differing > 0) process.exitCode = 1;
