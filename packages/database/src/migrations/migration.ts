import type { QueryExecutorProvider } from 'kysely';

/** One step from a schema to the next. Never changed once released: databases remember steps by name. */
export interface Migration {
  /** Sorts by its number. */
  readonly name: string;
  /** True where servers that do not know this step must not work on the database any more. */
  readonly breaking: boolean;
  /**
   * False where the step cannot be part of a transaction, as building indexes on living tables: it may then be repeated
   * after a crash, and must do its work again without harm.
   */
  readonly transactional: boolean;
  up(db: QueryExecutorProvider): Promise<void>;
}

/** The database is not one that this server may work on; the message says what to do. */
export class IncompatibleDatabaseError extends Error {
  override readonly name = 'IncompatibleDatabaseError';
}
