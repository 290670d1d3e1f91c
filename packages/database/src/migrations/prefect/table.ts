/** What every table of Prefect's begins or ends with. */
export const ROW = `id uuid not null default gen_random_uuid(),
    created timestamptz not null default current_timestamp,
    updated timestamptz not null default current_timestamp`;

/** A table whose columns include `ROW`, with its primary key and the index on `updated` that all of them have. */
export function table(name: string, columns: string): string[] {
  return [`create table ${name} (${columns},\n    constraint pk_${name} primary key (id))`, ...indexes(name, 'updated')];
}

/** Indexes named by Prefect's rule, `ix_<table>__<columns>`, such as `'start_time'` or `'flow_run_id, timestamp desc'`. */
export function indexes(table: string, ...columns: string[]): string[] {
  return columns.map((list) => `create index ix_${table}__${list.replaceAll(/[^a-z_]+/g, '_')} on ${table} (${list})`);
}

/** The index behind searches in names; only where pg_trgm is installed. */
export function trigramIndex(table: string): string {
  return `create index trgm_ix_${table}_name on ${table} using gin (name gin_trgm_ops)`;
}
