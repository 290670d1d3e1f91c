import type { Database } from '@praetor/database/connect';

/** From now on a statement that deletes more rows of a table than this fails, as one does that takes too long. */
export async function limitDeletions({ sql }: Database, table: 'log' | 'artifact' | 'task_run', rows: number): Promise<void> {
  await sql.unsafe(`
    create or replace function limit_deletions() returns trigger language plpgsql as $$ begin
      if (select count(*) from gone) > tg_argv[0]::int then raise exception 'too many rows of %', tg_table_name; end if;
      return null;
    end $$`);
  await sql.unsafe(`create trigger limit_deletions after delete on ${table} referencing old table as gone for each statement execute function limit_deletions(${rows})`);
}
