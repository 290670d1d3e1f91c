import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { type JsonObject, isJsonObject, parseJson } from '@praetor/schema/json';
import type { Settings } from '@praetor/schema/settings';
import { readEncryptionKey } from './encryption-key.ts';
import { type FernetKey, decrypt } from './fernet.ts';

/** A block document in the clear, for the server's own use: its secrets must not be shown to anybody. */
export interface OpenBlock {
  id: string;
  /** Null: it is anonymous. */
  name: string | null;
  /** The slug of its type. */
  type: string;
  /** The documents that it refers to are within it. */
  data: JsonObject;
}

/** Prefect's bound on documents within documents. */
const MAXIMUM_DEPTH = 50;

/** Texts, to leave them alone, and what Python takes for numbers of JSON. */
const TEXT_OR_EXTREME = /"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g;

/**
 * The data of a document as it was encrypted. Python encrypts NaN and infinities too, and answers null for them. Throws where
 * it was encrypted with another key.
 */
export function decryptData(key: FernetKey, token: string): JsonObject {
  const text = decrypt(key, token);
  const data = parseJson(/NaN|Infinity/.test(text) ? text.replace(TEXT_OR_EXTREME, (part) => (part.startsWith('"') ? part : 'null')) : text);
  return isJsonObject(data) ? data : {};
}

async function openDocument(db: Kysely<Tables>, key: FernetKey, id: string, depth: number): Promise<OpenBlock | undefined> {
  const document = await db
    .selectFrom('block_document')
    .innerJoin('block_type', 'block_type.id', 'block_document.block_type_id')
    .select(['block_document.id', 'block_document.name', 'block_document.data', 'block_document.is_anonymous', 'block_type.slug as type'])
    .where('block_document.id', '=', id)
    .executeTakeFirst();
  if (document === undefined || depth > MAXIMUM_DEPTH) return undefined;
  const data = decryptData(key, document.data);
  const references = await db.selectFrom('block_document_reference').select(['name', 'reference_block_document_id']).where('parent_block_document_id', '=', id).execute();
  for (const { name, reference_block_document_id: inner } of references) data[name] = (await openDocument(db, key, inner, depth + 1))?.data;
  const { type, is_anonymous } = document;
  return { id, name: is_anonymous ? null : document.name, type, data };
}

/** Reads a block document and decrypts it; undefined where there is none. Throws where it cannot be decrypted. */
export async function openBlock(db: Kysely<Tables>, settings: Settings, id: string): Promise<OpenBlock | undefined> {
  return await openDocument(db, await readEncryptionKey(db, settings), id, 0);
}
