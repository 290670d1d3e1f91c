import type { Sql, Statement } from './sql.ts';

interface Batches {
  /** Most rows of one statement. */
  batchSize: number;
  /** Whether no further batch shall begin. Default: all are done. */
  isStopping?: () => boolean;
}

/**
 * Deletes all rows of a table for which a condition holds, so many in each statement: however many there are, none takes long,
 * and outside of a transaction each is committed alone. Gives how many rows it deleted.
 */
export async function deleteInBatches(sql: Sql, table: string, condition: Statement<unknown>, { batchSize, isStopping = () => false }: Batches): Promise<number> {
  let deleted = 0;
  let found: number;
  do {
    // By their places, since a join by id reads the whole table where that is not very large. Where somebody else deletes the
    // same rows, fewer are deleted than found.
    const [batch] = await sql<{ found: number; deleted: number }[]>`
      with batch as materialized (select ctid from ${sql.unsafe(table)} where ${condition} limit ${batchSize}),
      gone as (delete from ${sql.unsafe(table)} where ctid = any(array(select ctid from batch)) returning 1)
      select (select count(*) from batch)::integer as found, (select count(*) from gone)::integer as deleted`;
    found = batch?.found ?? 0;
    deleted += batch?.deleted ?? 0;
  } while (found >= batchSize && !isStopping());
  return deleted;
}
