import { z } from 'zod';
import type { Kysely } from 'kysely';
import { blockSchemaCondition } from '@praetor/database/filter/resources';
import type { Tables } from '@praetor/database/tables';
import { change } from '@praetor/orchestration/changes';
import { type BlockSchema, blockSchema, blockSchemaCreate } from '@praetor/schema/block';
import { ForbiddenError, NotFoundError } from '@praetor/schema/errors';
import { blockSchemaFilter } from '@praetor/schema/filters/block';
import type { JsonObject } from '@praetor/schema/json';
import { uuid } from '@praetor/schema/primitives';
import { deleteDanglingResultStorage } from '../admin/queries.ts';
import { findBlockType } from '../block-types/queries.ts';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { Reply, type Resource, route } from '../http/route.ts';
import { createBlockSchema } from './create.ts';
import { type StoredSchema, completeSchemas, deleteBlockSchema, findBlockSchemas, findSchemaByChecksum, listBlockSchemas, listCapabilities } from './queries.ts';

async function complete(db: Kysely<Tables>, stored: StoredSchema | undefined): Promise<BlockSchema> {
  const [schema] = stored === undefined ? [] : await completeSchemas(db, [stored]);
  if (schema === undefined) throw new NotFoundError('Block schema not found');
  return schema;
}

async function read(db: Kysely<Tables>, id: string): Promise<BlockSchema> {
  const [stored] = await findBlockSchemas(db, [id]);
  return complete(db, stored);
}

/** The fields of a new schema are shown with the references and definitions that came with them, used or not. */
function asPosted(stored: JsonObject, { block_schema_references = {}, definitions }: JsonObject): JsonObject {
  return { ...stored, block_schema_references, ...(definitions != null && { definitions }) };
}

const byId = { id: uuid() };

export const blockSchemas: Resource = {
  prefix: '/block_schemas',
  tag: 'Block schemas',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_block_schema',
      body: blockSchemaCreate,
      response: blockSchema,
      status: 201,
      otherStatuses: [200],
      handler: ({ body }, context) =>
        change(context, async (db) => {
          if (!(await findBlockType(db, { id: body.block_type_id }))) throw new NotFoundError(`Block type ${body.block_type_id} not found.`);
          const { schema, created } = await createBlockSchema(db, body);
          const stored = await complete(db, schema);
          return created ? new Reply(201, { ...stored, fields: asPosted(schema.fields, body.fields) }) : new Reply(200, stored);
        }),
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_block_schemas',
      body: bodyParameters({ limit: page.limit, block_schemas: blockSchemaFilter.nullish(), offset: page.offset }),
      response: z.array(blockSchema),
      status: 200,
      handler: async ({ body }, context) => {
        const db = context.database.kysely;
        return completeSchemas(db, await listBlockSchemas(db, blockSchemaCondition(body.block_schemas), readPage(body, context)));
      },
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_block_schema_by_id',
      params: byId,
      response: blockSchema,
      status: 200,
      handler: ({ params }, { database }) => read(database.kysely, params.id),
    }),
    route({
      method: 'get',
      path: '/checksum/{checksum}',
      name: 'read_block_schema_by_checksum',
      params: { checksum: z.string() },
      query: { version: z.string().nullish() },
      response: blockSchema,
      status: 200,
      handler: async ({ params, query }, { database: { kysely } }) => complete(kysely, await findSchemaByChecksum(kysely, params.checksum, query.version)),
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_block_schema',
      params: byId,
      status: 204,
      handler: ({ params }, context) =>
        change(context, async (db) => {
          const { block_type } = await read(db, params.id);
          if (block_type.is_protected) throw new ForbiddenError('The schemas of a protected block type stay.');
          await deleteBlockSchema(db, params.id);
          await deleteDanglingResultStorage(db);
        }),
    }),
  ],
};

export const blockCapabilities: Resource = {
  prefix: '/block_capabilities',
  tag: 'Block capabilities',
  routes: [
    route({
      method: 'get',
      path: '/',
      name: 'read_available_block_capabilities',
      response: z.array(z.string()),
      status: 200,
      handler: (_request, { database }) => listCapabilities(database.kysely),
    }),
  ],
};
