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
  const run = async () => (await db.executeQuery(compiled)).rows;
  const running = reads.running.get(key);
  let answer = reads.next.get(key);
  if (running === undefined) answer = start(reads, key, run);
  else if (answer === undefined) {
    answer = running.catch(() => {}).then(() => {
      reads.next.delete(key);
      return start(reads, key, run);
    });
    reads.next.set(key, answer);
  }
  // The same statement gives the same kind of rows.
  return answer as Promise<Row[]>;
}
