import { sql, type Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { NotFoundError, UnprocessableError } from '@praetor/schema/errors';
import { toJson } from '@praetor/schema/json';

/** Prefect's own key in table `configuration`. */
const STORAGE_KEY = 'server-default-result-storage';

export interface ResultStorage {
  default_result_storage_block_id: string | null;
}

/** True when the database answers. */
export async function isDatabaseReady(db: Kysely<Tables>): Promise<boolean> {
  try {
    await sql`select 1`.execute(db);
    return true;
  } catch {
    return false;
  }
}

export async function readResultStorage(db: Kysely<Tables>): Promise<ResultStorage> {
  const row = await db.selectFrom('configuration').select('value').where('key', '=', STORAGE_KEY).executeTakeFirst();
  const stored = row?.value as Partial<ResultStorage> | undefined;
  return { default_result_storage_block_id: stored?.default_result_storage_block_id ?? null };
}

/** Makes a block document the default result storage. Throws NotFoundError, or UnprocessableError when results cannot be written to it. */
export async function writeResultStorage(db: Kysely<Tables>, blockDocumentId: string): Promise<ResultStorage> {
  const document = await db
    .selectFrom('block_document')
    .innerJoin('block_schema', 'block_schema.id', 'block_document.block_schema_id')
    .select('block_schema.capabilities')
    .where('block_document.id', '=', blockDocumentId)
    .executeTakeFirst();
  if (document === undefined) throw new NotFoundError(`Block document ${blockDocumentId} not found.`);
  if (!Array.isArray(document.capabilities) || !document.capabilities.includes('write-path'))
    throw new UnprocessableError(`Block document ${blockDocumentId} cannot be used for result storage.`);
  const storage: ResultStorage = { default_result_storage_block_id: blockDocumentId };
  const value = toJson(storage);
  await db
    .insertInto('configuration')
    .values({ key: STORAGE_KEY, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value, updated: sql`now()` }))
    .execute();
  return storage;
}

export async function deleteResultStorage(db: Kysely<Tables>): Promise<void> {
  await db.deleteFrom('configuration').where('key', '=', STORAGE_KEY).execute();
}

/** Forgets the default result storage where its block document is gone: it, its schema or its type was deleted. */
export async function deleteDanglingResultStorage(db: Kysely<Tables>): Promise<void> {
  await db
    .deleteFrom('configuration')
    .where('key', '=', STORAGE_KEY)
    .where(sql<boolean>`not exists (select from block_document where id = (value ->> 'default_result_storage_block_id')::uuid)`)
    .execute();
}
