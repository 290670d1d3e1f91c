import { z } from 'zod';
import { change } from '@praetor/orchestration/changes';
import { eventResource, type ServerEvent } from '@praetor/orchestration/lifecycle-events';
import { type BlockType, type BlockTypeUpdate, blockType, blockTypeCreate, blockTypeUpdate } from '@praetor/schema/block';
import { ConflictError, ForbiddenError, NotFoundError } from '@praetor/schema/errors';
import { blockSchemaFilter, blockTypeFilter } from '@praetor/schema/filters/block';
import { uuid } from '@praetor/schema/primitives';
import { deleteDanglingResultStorage } from '../admin/queries.ts';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { type Resource, route } from '../http/route.ts';
import { addBundledBlockTypes } from './bundled.ts';
import { deleteBlockType, findBlockType, insertBlockType, listBlockTypes, lockBlockType, updateBlockType } from './queries.ts';

function toEvent(action: 'created' | 'updated' | 'deleted', { id, created: _, updated: __, ...payload }: BlockType): ServerEvent {
  return { event: `prefect.block-type.${action}`, resource: eventResource('block-type', id, payload.name), payload };
}

export function foundBlockType(blockType: BlockType | undefined): BlockType {
  if (blockType === undefined) throw new NotFoundError('Block type not found');
  return blockType;
}

/** New types have these texts escaped, as Prefect's user interface shows them as markup. */
function escapeTexts<T extends BlockTypeUpdate>(texts: T): T {
  const escape = (text: string | null | undefined) => text?.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return { ...texts, ...(texts.description && { description: escape(texts.description) }), ...(texts.code_example && { code_example: escape(texts.code_example) }) };
}

/** Clients send all they know of a type before each save of a block; only a difference is worth a write and an event. */
function isDifferent(changes: BlockTypeUpdate, existing: BlockType): boolean {
  const escaped = escapeTexts(changes);
  return blockTypeUpdate.keyof().options.some((key) => changes[key] !== undefined && changes[key] !== existing[key] && escaped[key] !== existing[key]);
}

const byId = { id: uuid() };

export const blockTypes: Resource = {
  prefix: '/block_types',
  tag: 'Block types',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_block_type',
      body: blockTypeCreate,
      response: blockType,
      status: 201,
      handler: ({ body }, context) => {
        if (body.name.toLowerCase().startsWith('prefect')) throw new ForbiddenError("Names of block types that begin with 'Prefect' are reserved.");
        return change(context, async (db, emit) => {
          const created = await insertBlockType(db, escapeTexts(body));
          if (created === undefined) throw new ConflictError(`A block type with the slug '${body.slug}' exists already.`);
          emit(toEvent('created', created));
          return created;
        });
      },
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_block_types',
      body: bodyParameters({ limit: page.limit, block_types: blockTypeFilter.nullish(), block_schemas: blockSchemaFilter.nullish(), offset: page.offset }),
      response: z.array(blockType),
      status: 200,
      handler: ({ body }, context) => listBlockTypes(context.database.kysely, body, readPage(body, context)),
    }),
    route({
      method: 'post',
      path: '/install_system_block_types',
      name: 'install_system_block_types',
      status: 200,
      handler: (_request, { database }) => addBundledBlockTypes(database.sql),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_block_type_by_id',
      params: byId,
      response: blockType,
      status: 200,
      handler: async ({ params }, { database }) => foundBlockType(await findBlockType(database.kysely, params)),
    }),
    route({
      method: 'get',
      path: '/slug/{slug}',
      name: 'read_block_type_by_slug',
      params: { slug: z.string() },
      response: blockType,
      status: 200,
      handler: async ({ params }, { database }) => foundBlockType(await findBlockType(database.kysely, params)),
    }),
    route({
      method: 'patch',
      path: '/{id}',
      name: 'update_block_type',
      params: byId,
      body: blockTypeUpdate,
      status: 204,
      handler: ({ params, body }, context) =>
        change(context, async (db, emit) => {
          const existing = foundBlockType(await lockBlockType(db, params.id));
          if (isDifferent(body, existing)) emit(toEvent('updated', await updateBlockType(db, params.id, body)));
        }),
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_block_type',
      params: byId,
      status: 204,
      handler: ({ params }, context) =>
        change(context, async (db, emit) => {
          const existing = foundBlockType(await lockBlockType(db, params.id));
          // The client recognises this very text (facts/hidden-endpoints.md §0).
          if (existing.is_protected) throw new ForbiddenError('protected block types cannot be deleted.');
          await deleteBlockType(db, params.id);
          await deleteDanglingResultStorage(db);
          emit(toEvent('deleted', existing));
        }),
    }),
  ],
};
