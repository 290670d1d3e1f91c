import { Kysely } from 'kysely';
import { PostgresJSDialect } from 'kysely-postgres-js';
import postgres from 'postgres';
import { parseJson, toJson } from '@praetor/schema/json';
import { fromPostgres } from '@praetor/schema/timestamps';
import type { Tables } from './tables.ts';

const POSTGRES = { json: 114, jsonb: 3802, timestamptz: 1184, interval: 1186, bigint: 20, numeric: 1700 } as const;

export type Sql = postgres.Sql;

/** One pool of connections, seen twice: Kysely for ordinary queries, `sql` (postgres.js) for hot ones. */
export interface Database extends AsyncDisposable {
  readonly kysely: Kysely<Tables>;
  readonly sql: Sql;
}

export interface ConnectOptions {
  /** Connections in the pool. */
  poolSize: number;
  /** Seconds that one statement may run before Postgres ends it. */
  statementTimeoutSeconds: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** Schemas searched for unqualified names; tests give each file its own. Default: Postgres's own (public). */
  searchPath?: string;
}

/** Seconds of an interval printed in ISO 8601 (`intervalstyle` is set so). Days count 24 h, months never occur here. */
function parseInterval(text: string): number {
  let seconds = 0;
  const scale: Record<string, number> = { D: 86_400, H: 3600, M: 60, S: 1 };
  for (const [, amount, unit] of text.matchAll(/(-?[\d.]+)([DHMS])/g)) seconds += Number(amount) * (scale[unit ?? 'S'] ?? 0);
  return seconds;
}

/** Prefect writes SQLAlchemy URLs (`postgresql+asyncpg://…`); the driver's name means nothing here. */
export function normalizeUrl(url: string): string {
  return url.replace(/^postgres(?:ql)?(?:\+\w+)?:/, 'postgresql:');
}

/**
 * Opens a pool on a Postgres database. Nothing connects before the first query. What comes out of columns:
 * timestamptz as wire text (see timestamps.ts), interval as seconds, json/jsonb as values with exact numbers, bigint as
 * number. What goes in: timestamps as ISO text, interval as `'1.5 seconds'`, json/jsonb as JSON text (`toJson`).
 */
export function connect(url: string, options: ConnectOptions): Database {
  const asText = (value: unknown): string => (typeof value === 'string' ? value : toJson(value));
  const sql = postgres(normalizeUrl(url), {
    max: options.poolSize,
    connect_timeout: 10,
    idle_timeout: 60,
    onnotice: () => {},
    connection: {
      application_name: options.applicationName,
      TimeZone: 'UTC',
      IntervalStyle: 'iso_8601',
      statement_timeout: options.statementTimeoutSeconds * 1000,
      ...(options.searchPath !== undefined && { search_path: options.searchPath }),
    },
    types: {
      json: { to: POSTGRES.jsonb, from: [POSTGRES.json, POSTGRES.jsonb], serialize: asText, parse: parseJson },
      date: { to: POSTGRES.timestamptz, from: [POSTGRES.timestamptz], serialize: (value: string) => value, parse: fromPostgres },
      interval: { to: POSTGRES.interval, from: [POSTGRES.interval], serialize: String, parse: parseInterval },
      bigint: { to: POSTGRES.bigint, from: [POSTGRES.bigint, POSTGRES.numeric], serialize: String, parse: Number },
    },
  });
  const kysely = new Kysely<Tables>({ dialect: new PostgresJSDialect({ postgres: sql }) });
  return {
    kysely,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 5 });
    },
  };
}
