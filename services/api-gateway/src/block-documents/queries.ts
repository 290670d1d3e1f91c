import { sql, type Kysely } from 'kysely';
import type { Condition } from '@praetor/database/filter';
import type { Tables } from '@praetor/database/tables';
import type { BlockDocument } from '@praetor/schema/block';
import type { BlockDocumentSort } from '@praetor/schema/filters/block';
import { toJson } from '@praetor/schema/json';
import type { Page } from '../http/pagination.ts';

/** A document as it is stored: its data encrypted, what it refers to elsewhere. */
export type StoredDocument = Pick<
  BlockDocument,
  'id' | 'created' | 'updated' | 'name' | 'block_schema_id' | 'block_type_id' | 'block_type_name' | 'is_anonymous'
> & { data: string };

/** Another document in its place: under this name within the data of its parent. */
export interface DocumentReference {
  parentId: string;
  name: string;
  referenceId: string;
}

const COLUMNS = ['id', 'created', 'updated', 'name', 'data', 'block_schema_id', 'block_type_id', 'block_type_name', 'is_anonymous'] as const;

const ORDER = {
  NAME_DESC: sql`name desc`,
  NAME_ASC: sql`name asc`,
  BLOCK_TYPE_AND_NAME_ASC: sql`block_type_name asc, name asc`,
} as const satisfies Record<BlockDocumentSort, unknown>;

/** Undefined when the block type has a document of that name. */
export function insertBlockDocument(
  db: Kysely<Tables>,
  { data, ...document }: Pick<StoredDocument, 'name' | 'data' | 'block_schema_id' | 'block_type_id' | 'block_type_name' | 'is_anonymous'>,
): Promise<StoredDocument | undefined> {
  return db
    .insertInto('block_document')
    .values({ ...document, data: toJson(data) })
    .onConflict((conflict) => conflict.columns(['block_type_id', 'name']).doNothing())
    .returning(COLUMNS)
    .executeTakeFirst();
}

/** Reads a document that is about to change: until then nobody else changes it or refers to it, or two at once could come to refer to each other. */
export function lockBlockDocument(db: Kysely<Tables>, id: string): Promise<StoredDocument | undefined> {
  return db.selectFrom('block_document').select(COLUMNS).where('id', '=', id).forUpdate().executeTakeFirst();
}

export function updateBlockDocument(db: Kysely<Tables>, id: string, data: string, blockSchemaId: string): Promise<StoredDocument> {
  return db
    .updateTable('block_document')
    .set({ data: toJson(data), block_schema_id: blockSchemaId, updated: sql`now()` })
    .where('id', '=', id)
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
}

export async function deleteBlockDocument(db: Kysely<Tables>, id: string): Promise<void> {
  await db.deleteFrom('block_document').where('id', '=', id).execute();
}

/** All of them, or one page. */
export function listBlockDocuments(db: Kysely<Tables>, condition: Condition, sort: BlockDocumentSort, page?: Page): Promise<StoredDocument[]> {
  const query = db.selectFrom('block_document').select(COLUMNS).where(condition).orderBy(ORDER[sort]);
  return (page === undefined ? query : query.limit(page.limit).offset(page.offset)).execute();
}

export async function countBlockDocuments(db: Kysely<Tables>, condition: Condition): Promise<number> {
  const { count } = await db
    .selectFrom('block_document')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where(condition)
    .executeTakeFirstOrThrow();
  return count;
}

export function findBlockDocuments(db: Kysely<Tables>, ids: string[]): Promise<StoredDocument[]> {
  return db.selectFrom('block_document').select(COLUMNS).where(sql<boolean>`id = any(${ids})`).execute();
}

/** All references below these documents, at any depth. */
export async function findDocumentReferences(db: Kysely<Tables>, ids: string[]): Promise<DocumentReference[]> {
  const { rows } = await sql<DocumentReference>`
    with recursive reached (id) as (
      select unnest(${ids}::uuid[])
      union
      select link.reference_block_document_id from block_document_reference link join reached on link.parent_block_document_id = reached.id
    )
    select link.parent_block_document_id as "parentId", link.name, link.reference_block_document_id as "referenceId"
    from reached join block_document_reference link on link.parent_block_document_id = reached.id
    order by link.created, link.id`.execute(db);
  return rows;
}

/** Makes these the only references of a document. */
export async function replaceDocumentReferences(db: Kysely<Tables>, parentId: string, references: readonly Omit<DocumentReference, 'parentId'>[]): Promise<void> {
  await db.deleteFrom('block_document_reference').where('parent_block_document_id', '=', parentId).execute();
  if (references.length === 0) return;
  await db
    .insertInto('block_document_reference')
    .values(references.map(({ name, referenceId }) => ({ name, parent_block_document_id: parentId, reference_block_document_id: referenceId })))
    .execute();
}
