import pg from 'pg';
import { DatabaseUnavailableError } from './pool.ts';

/** What a database error means to a caller. */
export type DatabaseErrorKind = 'unique_violation' | 'foreign_key_violation' | 'retryable' | 'data' | 'unavailable' | 'other';

const RETRYABLE = new Set(['40001', '40P01']);

/** Sorts what the database threw: by SQLSTATE class, or as unreachable; undefined where it is no database error. */
export function classifyDatabaseError(error: unknown): DatabaseErrorKind | undefined {
  if (error instanceof DatabaseUnavailableError) return 'unavailable';
  if (!(error instanceof pg.DatabaseError)) return undefined;
  const code = error.code ?? '';
  if (code === '23505') return 'unique_violation';
  if (code === '23503') return 'foreign_key_violation';
  if (RETRYABLE.has(code)) return 'retryable';
  if (code.startsWith('22')) return 'data';
  if (/^(?:08|53|57)/.test(code)) return 'unavailable';
  return 'other';
}

/** The name of the constraint or unique index that a statement violated, where that was its error. */
export function violatedConstraint(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.constraint : undefined;
}

/** Runs a transaction or statement again, once, when Postgres ended it for a deadlock or a serialization failure. */
export async function retryOnce<T>(work: () => PromiseLike<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (classifyDatabaseError(error) !== 'retryable') throw error;
    return await work();
  }
}
