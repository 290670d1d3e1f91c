import { z } from 'zod';
import type { Kysely } from 'kysely';
import { readEncryptionKey } from '@praetor/blocks/encryption-key';
import type { FernetKey } from '@praetor/blocks/fernet';
import { blockDocumentConditions } from '@praetor/database/filter/related';
import type { Tables } from '@praetor/database/tables';
import { change, type Emit } from '@praetor/orchestration/changes';
import { eventResource, relatedResource, type ServerEvent } from '@praetor/orchestration/lifecycle-events';
import { type BlockDocument, blockDocument, blockDocumentCreate, blockDocumentUpdate } from '@praetor/schema/block';
import { NotFoundError } from '@praetor/schema/errors';
import { blockDocumentFilter, blockDocumentSort, blockSchemaFilter, blockTypeFilter } from '@praetor/schema/filters/block';
import { boolean, uuid } from '@praetor/schema/primitives';
import { deleteDanglingResultStorage } from '../admin/queries.ts';
import { findBlockType } from '../block-types/queries.ts';
import { foundBlockType } from '../block-types/routes.ts';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { type Resource, route } from '../http/route.ts';
import { completeDocuments, createDocument, updateDocument } from './documents.ts';
import { type StoredDocument, countBlockDocuments, deleteBlockDocument, findBlockDocuments, listBlockDocuments, lockBlockDocument } from './queries.ts';
import { secretPaths } from './secrets.ts';

/** Events tell of a document's open texts only. */
function toEvent(action: 'created' | 'updated' | 'deleted', document: BlockDocument): ServerEvent {
  const { id, name, data, block_schema, block_type_id, block_type_name } = document;
  const secret = new Set(secretPaths(block_schema.fields).map(({ keys }) => keys[0]));
  const texts = Object.entries(data).filter(([key, value]) => typeof value === 'string' && !secret.has(key));
  return {
    event: `prefect.block-document.${action}`,
    resource: eventResource('block-document', id, name),
    related: [relatedResource('block-type', block_type_id, block_type_name ?? undefined), relatedResource('block-schema', document.block_schema_id)],
    payload: {
      name,
      data: Object.fromEntries(texts),
      block_schema: { capabilities: block_schema.capabilities, block_type: { id: block_type_id, name: block_type_name ?? '' } },
    },
  };
}

async function complete(db: Kysely<Tables>, key: FernetKey, stored: StoredDocument | undefined, includeSecrets = false): Promise<BlockDocument> {
  const [document] = stored === undefined ? [] : await completeDocuments(db, key, [stored], includeSecrets);
  if (document === undefined) throw new NotFoundError('Block document not found');
  return document;
}

/** Anonymous documents come and go unnoticed. */
function report(emit: Emit, action: 'created' | 'updated' | 'deleted', document: BlockDocument): void {
  if (!document.is_anonymous) emit(toEvent(action, document));
}

const byId = { id: uuid() };
const secrets = { include_secrets: boolean().default(false) };
const filters = { block_documents: blockDocumentFilter.nullish(), block_types: blockTypeFilter.nullish(), block_schemas: blockSchemaFilter.nullish() };

export const blockDocuments: Resource = {
  prefix: '/block_documents',
  tag: 'Block documents',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_block_document',
      body: blockDocumentCreate,
      response: blockDocument,
      status: 201,
      handler: async ({ body }, context) => {
        const key = await readEncryptionKey(context.database.kysely, context.settings);
        return await change(context, async (db, emit) => {
          const created = await complete(db, key, await createDocument(db, key, body));
          report(emit, 'created', created);
          return created;
        });
      },
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_block_documents',
      body: bodyParameters({ limit: page.limit, ...filters, ...secrets, sort: blockDocumentSort.nullable().default('NAME_ASC'), offset: page.offset }),
      response: z.array(blockDocument),
      status: 200,
      handler: async ({ body }, context) => {
        const db = context.database.kysely;
        const stored = await listBlockDocuments(db, blockDocumentConditions(body), body.sort ?? 'NAME_ASC', readPage(body, context));
        return await completeDocuments(db, await readEncryptionKey(db, context.settings), stored, body.include_secrets);
      },
    }),
    route({
      method: 'post',
      path: '/count',
      name: 'count_block_documents',
      body: bodyParameters(filters),
      response: z.int(),
      status: 200,
      handler: ({ body }, { database }) => countBlockDocuments(database.kysely, blockDocumentConditions(body)),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_block_document_by_id',
      params: byId,
      query: secrets,
      response: blockDocument,
      status: 200,
      handler: async ({ params, query }, { database: { kysely }, settings }) => {
        const [stored] = await findBlockDocuments(kysely, [params.id]);
        return await complete(kysely, await readEncryptionKey(kysely, settings), stored, query.include_secrets);
      },
    }),
    route({
      method: 'patch',
      path: '/{id}',
      name: 'update_block_document_data',
      params: byId,
      body: blockDocumentUpdate,
      status: 204,
      handler: async ({ params, body }, context) => {
        const key = await readEncryptionKey(context.database.kysely, context.settings);
        await change(context, async (db, emit) => report(emit, 'updated', await complete(db, key, await updateDocument(db, key, params.id, body))));
      },
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_block_document',
      params: byId,
      status: 204,
      handler: async ({ params }, context) => {
        const key = await readEncryptionKey(context.database.kysely, context.settings);
        await change(context, async (db, emit) => {
          report(emit, 'deleted', await complete(db, key, await lockBlockDocument(db, params.id)));
          await deleteBlockDocument(db, params.id);
          await deleteDanglingResultStorage(db);
        });
      },
    }),
  ],
};

/** The documents of one block type, by its slug. */
export const blockDocumentsOfType: Resource = {
  prefix: '/block_types/slug/{slug}/block_documents',
  tag: 'Block documents',
  routes: [
    route({
      method: 'get',
      path: '',
      name: 'read_block_documents_for_block_type',
      tags: ['Block types', 'Block documents'],
      params: { slug: z.string() },
      query: secrets,
      response: z.array(blockDocument),
      status: 200,
      handler: async ({ params, query }, { database: { kysely }, settings }) => {
        foundBlockType(await findBlockType(kysely, params));
        const ofType = blockDocumentConditions({ block_types: { slug: { any_: [params.slug] } } });
        const stored = await listBlockDocuments(kysely, ofType, 'NAME_ASC');
        return await completeDocuments(kysely, await readEncryptionKey(kysely, settings), stored, query.include_secrets);
      },
    }),
    route({
      method: 'get',
      path: '/name/{block_document_name}',
      name: 'read_block_document_by_name_for_block_type',
      tags: ['Block types', 'Block documents'],
      params: { slug: z.string(), block_document_name: z.string() },
      query: secrets,
      response: blockDocument,
      status: 200,
      handler: async ({ params, query }, { database: { kysely }, settings }) => {
        const named = blockDocumentConditions({
          block_documents: { operator: 'and_', name: { any_: [params.block_document_name] }, is_anonymous: null },
          block_types: { slug: { any_: [params.slug] } },
        });
        const [stored] = await listBlockDocuments(kysely, named, 'NAME_ASC', { limit: 1, offset: 0 });
        return await complete(kysely, await readEncryptionKey(kysely, settings), stored, query.include_secrets);
      },
    }),
  ],
};
