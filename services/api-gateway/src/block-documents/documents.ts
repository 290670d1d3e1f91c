import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { type FernetKey, encrypt } from '@praetor/blocks/fernet';
import { decryptData } from '@praetor/blocks/open-block';
import type { Tables } from '@praetor/database/tables';
import type { BlockDocument, BlockDocumentCreate, BlockDocumentUpdate } from '@praetor/schema/block';
import { BadRequestError, ConflictError, NotFoundError } from '@praetor/schema/errors';
import { type JsonObject, toJson } from '@praetor/schema/json';
import { completeSchemas, findBlockSchemas } from '../block-schemas/queries.ts';
import { findBlockType, findBlockTypes } from '../block-types/queries.ts';
import {
  type StoredDocument,
  findBlockDocuments,
  findDocumentReferences,
  insertBlockDocument,
  lockBlockDocument,
  replaceDocumentReferences,
  updateBlockDocument,
} from './queries.ts';
import { partReferences } from './references.ts';
import { maskSecrets, restoreSecrets, secretPaths } from './secrets.ts';

/** Prefect's bound on documents within documents. */
const MAXIMUM_DEPTH = 50;

/** Documents as the API shows them: data in the clear but for secrets, and the documents that they refer to within it. */
export async function completeDocuments(
  db: Kysely<Tables>,
  key: FernetKey,
  roots: readonly StoredDocument[],
  includeSecrets: boolean,
): Promise<BlockDocument[]> {
  if (roots.length === 0) return [];
  const references = await findDocumentReferences(db, roots.map(({ id }) => id));
  const inner = await findBlockDocuments(db, references.map(({ referenceId }) => referenceId));
  const documents = new Map([...inner, ...roots].map((document) => [document.id, document]));
  const stored = await findBlockSchemas(db, [...new Set([...documents.values()].map(({ block_schema_id }) => block_schema_id))]);
  const schemas = new Map((await completeSchemas(db, stored)).map((schema) => [schema.id, schema]));
  const types = await findBlockTypes(db, [...new Set([...documents.values()].map(({ block_type_id }) => block_type_id))]);

  const complete = (id: string, depth: number): BlockDocument[] => {
    const document = documents.get(id);
    const block_schema = document && schemas.get(document.block_schema_id);
    const block_type = document && types.get(document.block_type_id);
    // What was deleted in between is left out, as it will be next time.
    if (document === undefined || block_schema === undefined || block_type === undefined || depth > MAXIMUM_DEPTH) return [];
    const clear = decryptData(key, document.data);
    const data = includeSecrets ? clear : maskSecrets(clear, secretPaths(block_schema.fields));
    const block_document_references: BlockDocument['block_document_references'] = {};
    for (const { name, referenceId } of references.filter(({ parentId }) => parentId === id))
      for (const child of complete(referenceId, depth + 1)) {
        data[name] = child.data;
        block_document_references[name] = { block_document: describe(child) };
      }
    const { created, updated, name, block_schema_id, block_type_id, block_type_name, is_anonymous } = document;
    return [{ id, created, updated, name, data, block_schema_id, block_schema, block_type_id, block_type_name, block_type, block_document_references, is_anonymous }];
  };
  return roots.flatMap(({ id }) => complete(id, 0));
}

function describe({ id, name, block_type, is_anonymous, block_document_references }: BlockDocument): JsonObject {
  return { id, name, block_type, is_anonymous, block_document_references };
}

/** Stores a document and its references. Throws NotFoundError, ConflictError, BadRequestError. */
export async function createDocument(db: Kysely<Tables>, key: FernetKey, { data, name, ...document }: BlockDocumentCreate): Promise<StoredDocument> {
  const type = await findBlockType(db, { id: document.block_type_id });
  if (type === undefined) throw new NotFoundError(`Block type ${document.block_type_id} not found.`);
  const parted = partReferences(data);
  const stored = await insertBlockDocument(db, {
    ...document,
    name: name || `anonymous-${randomUUID()}`,
    block_type_name: type.name,
    data: encrypt(key, toJson(parted.data)),
  });
  if (stored === undefined) throw new ConflictError('Block already exists');
  await replaceDocumentReferences(db, stored.id, parted.references);
  return stored;
}

/** The schema that a changed document is to have; it must be one of the same block type. */
async function findNewSchema(db: Kysely<Tables>, document: StoredDocument, schemaId: string): Promise<string> {
  const [schema] = await findBlockSchemas(db, [schemaId]);
  if (schema?.block_type_id !== document.block_type_id) throw new BadRequestError('A block document can only take a schema of its own block type.');
  return schema.id;
}

/** A document must not contain itself, however deep. */
async function refuseCycles(db: Kysely<Tables>, id: string, referenceIds: string[]): Promise<void> {
  const below = await findDocumentReferences(db, referenceIds);
  if ([...referenceIds, ...below.map(({ referenceId }) => referenceId)].includes(id)) throw new BadRequestError('A block document cannot refer to itself, not even through others.');
}

/**
 * Changes a document's data. Top-level fields are merged into what is stored unless the client says otherwise; references
 * are those that the change names, no others, as with Prefect. Without data nothing changes. Throws BadRequestError.
 */
export async function updateDocument(db: Kysely<Tables>, key: FernetKey, id: string, update: BlockDocumentUpdate): Promise<StoredDocument | undefined> {
  const document = await lockBlockDocument(db, id);
  if (document === undefined || (update.data === undefined && update.merge_existing_data)) return document;
  const [schema] = await findBlockSchemas(db, [document.block_schema_id]);
  const stored = decryptData(key, document.data);
  const restored = restoreSecrets(update.data ?? {}, stored, secretPaths(schema?.fields ?? {}));
  const { data, references } = partReferences(update.merge_existing_data ? { ...stored, ...restored } : restored);
  await refuseCycles(db, id, references.map(({ referenceId }) => referenceId));
  await replaceDocumentReferences(db, id, references);
  const schemaId = update.block_schema_id == null ? document.block_schema_id : await findNewSchema(db, document, update.block_schema_id);
  return await updateBlockDocument(db, id, encrypt(key, toJson(data)), schemaId);
}
