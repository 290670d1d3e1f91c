import postgres from 'postgres';

/** What a database error means to a caller. */
export type DatabaseErrorKind = 'unique_violation' | 'foreign_key_violation' | 'retryable' | 'data' | 'unavailable' | 'other';

const RETRYABLE = new Set(['40001', '40P01']);

/** Sorts what the driver threw: by SQLSTATE class, or a lost connection; undefined where it is no database error. */
export function classifyDatabaseError(error: unknown): DatabaseErrorKind | undefined {
  if (!(error instanceof Error)) return undefined;
  if (!(error instanceof postgres.PostgresError)) {
    const code: unknown = Reflect.get(error, 'code');
    const lost = typeof code === 'string' && /^(?:CONNECT|CONNECTION_|ECONN|EPIPE|ENOENT|ETIMEDOUT)/.test(code);
    return lost ? 'unavailable' : undefined;
  }
  if (error.code === '23505') return 'unique_violation';
  if (error.code === '23503') return 'foreign_key_violation';
  if (RETRYABLE.has(error.code)) return 'retryable';
  if (error.code.startsWith('22')) return 'data';
  if (/^(?:08|53|57)/.test(error.code)) return 'unavailable';
  return 'other';
}

/** Runs a transaction or statement again, once, when Postgres ended it for a deadlock or a serialization failure. */
export async function retryOnce<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (classifyDatabaseError(error) !== 'retryable') throw error;
    return await work();
  }
}
