import { Kysely, PostgresDialect } from 'kysely';
import { PreparingPool, type PoolOptions } from './pool.ts';
import { type Sql, sqlOf } from './sql.ts';
import type { Tables } from './tables.ts';

export type { Sql } from './sql.ts';

/** One pool of connections, seen twice: `kysely` builds statements, `sql` takes them as written. Both prepare them. */
export interface Database extends AsyncDisposable {
  readonly kysely: Kysely<Tables>;
  readonly sql: Sql;
  /** Whether the database answers, be it slowly: see `PreparingPool`. Rejects or waits where it does not. */
  isReachable(): Promise<boolean>;
}

/**
 * Opens a pool on a Postgres database. Nothing connects before the first query. What comes out of columns:
 * timestamptz as wire text (see timestamps.ts), interval as seconds, json/jsonb as values with exact numbers, bigint as
 * number. What goes in: timestamps as ISO text, interval as `'1.5 seconds'`, json/jsonb as JSON text (`toJson`), arrays as
 * Postgres arrays. Waits for a connection are bounded; see DatabaseUnavailableError.
 */
export function connect(url: string, options: PoolOptions): Database {
  const pool = new PreparingPool(url, options);
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    kysely,
    sql: sqlOf(kysely),
    isReachable: () => pool.isReachable(),
    [Symbol.asyncDispose]: () => kysely.destroy(),
  };
}
