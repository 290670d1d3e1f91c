import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import pg from 'pg';
import { parseJson } from '@praetor/schema/json';
import { fromPostgres } from '@praetor/schema/timestamps';
import { parseDatabaseUrl } from './url.ts';

/** The database cannot be reached, a connection was lost, or none became free in time: worth a later try, a 503 until then. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
}

export interface PoolOptions {
  /** Connections in the pool. */
  poolSize: number;
  /** Seconds that one statement may run before Postgres ends it. */
  statementTimeoutSeconds: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** Seconds to wait for a free connection, or for a new one, before DatabaseUnavailableError. */
  acquireTimeoutSeconds?: number;
  /** Schemas searched for unqualified names. Default: Postgres's own (public). */
  searchPath?: string;
}

const { builtins } = pg.types;

/** Seconds of an interval printed in ISO 8601 (`intervalstyle` is set so). Days count 24 h, months never occur here. */
function parseInterval(text: string): number {
  let seconds = 0;
  const scale: Record<string, number> = { D: 86_400, H: 3600, M: 60, S: 1 };
  for (const [, amount, unit] of text.matchAll(/(-?[\d.]+)([DHMS])/g)) seconds += Number(amount) * (scale[unit ?? 'S'] ?? 0);
  return seconds;
}

const PARSERS = new Map<number, (text: string) => unknown>([
  [builtins.JSON, parseJson],
  [builtins.JSONB, parseJson],
  [builtins.TIMESTAMPTZ, fromPostgres],
  [builtins.INTERVAL, parseInterval],
  [builtins.INT8, Number],
  [builtins.NUMERIC, Number],
]);

/** Statements that a pool prepares. What comes after them is parsed each time, so that texts of endless variety cost no memory. */
const MAX_PREPARED = 500;

/** The plans of a connection's statements grow old with it: made for tables that were small, they read a large one from end to end. */
const LIFETIME_SECONDS = 60;

/** An answer to a statement that ran for as long as it may comes within this time after it. */
const GRACE_SECONDS = 5;

/** Makes a session that others used before as good as new, and sets what PGlite does not read in the startup packet. */
const CLEAN_SESSION = `reset all; deallocate all; set timezone = 'UTC'; set intervalstyle = 'iso_8601'`;

/**
 * Kysely's view of pg's pool. Statements with parameters are prepared once per connection, and every failure that is not
 * Postgres's own answer becomes DatabaseUnavailableError.
 */
export class PreparingPool implements PostgresPool {
  readonly options = {};
  readonly #pool: pg.Pool;
  readonly #names = new Map<string, string>();
  readonly #longestWaitMs: number;
  #answered = -Infinity;

  constructor(url: string, options: PoolOptions) {
    const searchPath = options.searchPath === undefined ? '' : ` -c search_path=${options.searchPath}`;
    const { sharedSession, ...address } = parseDatabaseUrl(url);
    this.#longestWaitMs = (options.statementTimeoutSeconds + GRACE_SECONDS) * 1000;
    this.#pool = new pg.Pool({
      ...address,
      max: sharedSession ? 1 : options.poolSize,
      connectionTimeoutMillis: (options.acquireTimeoutSeconds ?? 10) * 1000,
      // The only connection is kept: the next one would be refused while the last is being closed.
      idleTimeoutMillis: sharedSession ? 0 : 10_000,
      maxLifetimeSeconds: sharedSession ? 0 : LIFETIME_SECONDS,
      keepAlive: true,
      application_name: options.applicationName,
      statement_timeout: options.statementTimeoutSeconds * 1000,
      options: `-c TimeZone=UTC -c IntervalStyle=iso_8601${searchPath}`,
      types: { getTypeParser: (type: number, format?: 'text' | 'binary') => PARSERS.get(type) ?? pg.types.getTypeParser(type, format) },
    });
    if (sharedSession) this.#pool.options.onConnect = (client) => client.query(CLEAN_SESSION);
    // A connection lost while nobody waits on it is replaced at its next use; without listeners it would end the process.
    this.#pool.on('error', () => {});
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  async connect(): Promise<PostgresPoolClient> {
    const client = await this.#pool.connect().catch(rethrow);
    let stale = false;
    const run = async (text: string, parameters: readonly unknown[]) => {
      const named = parameters.length > 0 ? { name: this.#nameOf(text), text, values: [...parameters] } : { text };
      try {
        const result = await client.query(named);
        this.#answered = performance.now();
        return result;
      } catch (error) {
        if (isAnswer(error)) this.#answered = performance.now();
        stale ||= isStalePlan(error);
        return rethrow(error);
      }
    };
    function query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
    function query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
    function query(text: unknown, parameters: readonly unknown[] = []): unknown {
      if (typeof text !== 'string') throw new TypeError('cursors are not supported');
      return run(text, parameters);
    }
    return { query, release: (destroy) => client.release(destroy === true || stale) };
  }

  /**
   * Whether the database answers; rejects or waits where it does not. While every connection is taken there is none to ask
   * with: then the last answer tells, if it is no older than one statement may run, for a slow database can be reached.
   */
  async isReachable(): Promise<boolean> {
    const { idleCount, totalCount, options } = this.#pool;
    const isBusy = idleCount === 0 && totalCount >= options.max;
    if (isBusy && performance.now() - this.#answered < this.#longestWaitMs) return true;
    const { query, release } = await this.connect();
    try {
      await query('select 1', []);
      return true;
    } finally {
      release();
    }
  }

  async end(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }

  /** The name under which every connection prepares a text; undefined once there are too many. */
  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= MAX_PREPARED) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}

/** A migration changed the columns of a prepared `select *`: the connection that prepared it is of no more use. */
function isStalePlan(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.routine === 'RevalidateCachedQuery';
}

/** Postgres refused or ended a statement, but not because it is going down or coming up. */
function isAnswer(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code?.startsWith('57P') === false;
}

function rethrow(error: unknown): never {
  if (error instanceof pg.DatabaseError && !isStalePlan(error)) throw error;
  throw new DatabaseUnavailableError(error instanceof Error ? error.message : String(error), { cause: error });
}
