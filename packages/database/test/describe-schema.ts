import type { Sql } from '@praetor/database/sql';

const QUERY = `
  select 'type ' || t.typname || ': ' || string_agg(e.enumlabel, ', ' order by e.enumsortorder) as line
    from pg_type t join pg_enum e on e.enumtypid = t.oid group by t.typname
  union all
  select 'column ' || c.relname || '.' || lpad((row_number() over (partition by c.oid order by a.attnum))::text, 2, '0') || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
      || case when a.attnotnull then ' not null' else '' end || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
    from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
  union all
  select 'constraint ' || conrelid::regclass || '.' || conname || ' ' || pg_get_constraintdef(oid)
    from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
  union all
  select 'index ' || pg_get_indexdef(i.indexrelid)
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
    where c.relnamespace = 'public'::regnamespace and x.relname not like 'praetor%'`;

/** Everything that makes up the schema `public` (our own indexes left out), one line each, sorted. */
export async function describeSchema(sql: Sql): Promise<string[]> {
  const rows = await sql.unsafe<{ line: string }[]>(QUERY);
  return rows.map((row) => row.line).toSorted();
}
