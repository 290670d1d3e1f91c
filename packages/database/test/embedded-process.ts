import { openEmbedded } from '@praetor/database/embedded';

/*
 * Opens the embedded database of a folder in a process of its own, for tests to kill: `<home> [kind]`. Prints a line of
 * JSON when it is open, or the error; ends in order at SIGTERM.
 */
const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
const [home = '', kind] = process.argv.slice(2);
try {
  const database = await openEmbedded({ home, log: (line) => process.stderr.write(`${line}\n`), ...((kind === 'postgres' || kind === 'pglite') && { kind }) });
  process.once('SIGTERM', () => void database[Symbol.asyncDispose]());
  print({ url: database.url, kind: database.kind, pids: database.pids });
} catch (error) {
  print({ error: error instanceof Error ? error.message : String(error) });
}
