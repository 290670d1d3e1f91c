import { toJson } from '@praetor/schema/json';
import { classifyDatabaseError } from './errors.ts';
import type { Sql } from './sql.ts';

/** Most inputs of one batch. Its statements say so too (`entries`): Postgres then plans for a few rows and not for hundreds. */
const BATCH_LIMIT = 32;
/** Nobody waits longer than this for others: a batch may be held up by a lock that concerns only one of its inputs. */
const PATIENCE_MS = 50;

interface Waiting<Input, Output> extends PromiseWithResolvers<Output> {
  input: Input;
}

type Batch<Input, Output> = readonly Waiting<Input, Output>[];

interface Queue<Input, Output> {
  /** The batch that the waiting ones wait for. */
  running: Batch<Input, Output> | undefined;
  /** While nothing runs, they begin at the end of this turn of the event loop. */
  waiting: Waiting<Input, Output>[];
}

/**
 * Lets one statement serve all who ask for the same kind of thing at the same time. `run` does a batch in one statement and
 * gives an output for each input, in order. Calls of one turn of the event loop go together; those that come while they are being
 * done share the next round trip and commit. Where Postgres refuses a batch, each of its inputs is tried alone, so that nobody
 * gets somebody else's error.
 * Each connection has its own queue, so in a transaction (which does one thing at a time) every call stands alone.
 */
export function inBatches<Connection extends WeakKey, Input, Output>(run: (connection: Connection, inputs: readonly Input[]) => Promise<readonly Output[]>) {
  const queues = new WeakMap<Connection, Queue<Input, Output>>();

  async function runBatch(connection: Connection, batch: Batch<Input, Output>): Promise<void> {
    try {
      const outputs = await run(connection, batch.map(({ input }) => input));
      if (outputs.length !== batch.length) throw new Error('a batch gave more or fewer outputs than it had inputs');
      for (const [index, output] of outputs.entries()) batch[index]?.resolve(output);
    } catch (error) {
      // A lost connection is nobody's fault, and what was asked for may have been done.
      if (batch.length === 1 || classifyDatabaseError(error) === 'unavailable') for (const { reject } of batch) reject(error);
      else await Promise.all(batch.map((waiting) => runBatch(connection, [waiting])));
    }
  }

  function start(connection: Connection, queue: Queue<Input, Output>): void {
    const batch = queue.waiting.splice(0, BATCH_LIMIT);
    queue.running = batch;
    const proceed = () => {
      clearTimeout(timer);
      if (queue.running !== batch) return;
      queue.running = undefined;
      if (queue.waiting.length > 0) setImmediate(() => start(connection, queue));
    };
    const timer = setTimeout(proceed, PATIENCE_MS);
    void runBatch(connection, batch).finally(proceed);
  }

  return (connection: Connection, input: Input): Promise<Output> => {
    const queue = queues.get(connection) ?? { running: undefined, waiting: [] };
    queues.set(connection, queue);
    const waiting = { input, ...Promise.withResolvers<Output>() };
    const isFirst = queue.waiting.push(waiting) === 1;
    if (isFirst && !queue.running) setImmediate(() => start(connection, queue));
    return waiting.promise;
  };
}

/** Columns of the entries of a batch: their Postgres types by their names. */
export type EntryColumns = Readonly<Record<string, string>>;

/** SQL: the entries of a batch as a table expression with these columns, one JSON parameter whatever their number. */
export function entries<Columns extends EntryColumns>(sql: Sql, columns: Columns, rows: readonly Readonly<Record<keyof Columns, unknown>>[]) {
  const definition = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  return sql`(select * from json_to_recordset(${toJson(rows)}::json) as entry (${sql.unsafe(definition.join(', '))}) limit ${sql.unsafe(String(BATCH_LIMIT))})`;
}
