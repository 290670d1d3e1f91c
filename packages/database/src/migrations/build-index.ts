import { type QueryExecutorProvider, sql } from 'kysely';

/** Builds an index without stopping writers. What a broken build left behind is removed first. */
export async function buildIndex(db: QueryExecutorProvider, name: string, definition: string): Promise<void> {
  const { rows } = await sql<{ valid: boolean }>`select indisvalid as valid from pg_index where indexrelid = to_regclass(${name})`.execute(db);
  if (rows[0]?.valid === true) return;
  if (rows.length > 0) await sql`drop index concurrently ${sql.ref(name)}`.execute(db);
  await sql`create index concurrently ${sql.ref(name)} on ${sql.raw(definition)}`.execute(db);
}
