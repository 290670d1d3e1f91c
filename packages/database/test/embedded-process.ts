import { openEmbedded } from '@praetor/database/embedded';

/*
 * Opens the embedded database of a folder in a process of its own, for tests to kill: `<home> [kind]`. Prints a line of
 * JSON when it is open, or the error; ends in order at SIGTERM.
 */
const [home = '', kind] = process.argv.slice(2);
try {
  const database = await openEmbedded({ home, log: (line) => console.error(line), ...((kind === 'postgres' || kind === 'pglite') && { kind }) });
  console.log(JSON.stringify({ url: database.url, kind: database.kind, pids: database.pids }));
  process.once('SIGTERM', () => void database[Symbol.asyncDispose]());
} catch (error) {
  console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
}
