import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { Kysely, RawBuilder } from 'kysely';
import type { Tables } from './tables.ts';

/** What is being read, and what will be read next, by statement and parameters. */
interface Reads {
  running: Map<string, Promise<unknown[]>>;
  next: Map<string, Promise<unknown[]>>;
}

/** Lives as long as its pool; a transaction has its own. */
const readsOf = new WeakMap<Kysely<Tables>, Reads>();

function start(reads: Reads, key: string, run: () => Promise<unknown[]>): Promise<unknown[]> {
  const running = run().finally(() => {
    if (reads.running.get(key) === running) reads.running.delete(key);
  });
  reads.running.set(key, running);
  return running;
}

/** Waits for the statement that runs and for the end of this turn of the event loop; whoever asks until then shares the answer. */
async function gather(reads: Reads, key: string, run: () => Promise<unknown[]>): Promise<unknown[]> {
  await reads.running.get(key)?.catch(() => {});
  await endOfTurn();
  reads.next.delete(key);
  return await start(reads, key, run);
}

/**
 * Runs a costly statement once for all who ask the same at the same time, as dashboards do that count millions of runs.
 * Who asks while it runs waits for a next run, shared with all that come meanwhile: every answer is from a statement which
 * began after its question, so whoever has written something finds it.
 */
export function readShared<Row>(db: Kysely<Tables>, query: RawBuilder<Row>): Promise<Row[]> {
  const compiled = query.compile(db);
  const key = JSON.stringify([compiled.sql, compiled.parameters]);
  const reads = readsOf.get(db) ?? { running: new Map(), next: new Map() };
  readsOf.set(db, reads);
  const answer = reads.next.get(key) ?? gather(reads, key, async () => (await db.executeQuery(compiled)).rows);
  reads.next.set(key, answer);
  // The same statement gives the same kind of rows.
  return answer as Promise<Row[]>;
}
