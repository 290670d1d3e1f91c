import { sql, type Kysely } from 'kysely';
import { and, exists } from '@praetor/database/filter';
import { blockSchemaCondition, blockTypeCondition } from '@praetor/database/filter/resources';
import type { Tables } from '@praetor/database/tables';
import { type BlockType, type BlockTypeCreate, type BlockTypeUpdate, blockType } from '@praetor/schema/block';
import type { BlockSchemaFilter, BlockTypeFilter } from '@praetor/schema/filters/block';
import type { Page } from '../http/pagination.ts';

const COLUMNS = blockType.keyof().options;

/** Undefined when the slug is taken. */
export function insertBlockType(db: Kysely<Tables>, blockType: BlockTypeCreate): Promise<BlockType | undefined> {
  return db
    .insertInto('block_type')
    .values(blockType)
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .returning(COLUMNS)
    .executeTakeFirst();
}

export function findBlockType(db: Kysely<Tables>, key: { id: string } | { slug: string }): Promise<BlockType | undefined> {
  return db
    .selectFrom('block_type')
    .select(COLUMNS)
    .where(({ and }) => and(key))
    .executeTakeFirst();
}

/** Reads a type that is about to change: until then nobody else changes it. */
export function lockBlockType(db: Kysely<Tables>, id: string): Promise<BlockType | undefined> {
  return db.selectFrom('block_type').select(COLUMNS).where('id', '=', id).forNoKeyUpdate().executeTakeFirst();
}

/** Block types by their ids. */
export async function findBlockTypes(db: Kysely<Tables>, ids: string[]): Promise<Map<string, BlockType>> {
  const rows = await db.selectFrom('block_type').select(COLUMNS).where(sql<boolean>`id = any(${ids})`).execute();
  return new Map(rows.map((row) => [row.id, row]));
}

export function updateBlockType(db: Kysely<Tables>, id: string, changes: BlockTypeUpdate): Promise<BlockType> {
  return db
    .updateTable('block_type')
    .set({ ...changes, updated: sql`now()` })
    .where('id', '=', id)
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
}

/** Deletes a block type with all its schemas and documents (by foreign keys). */
export async function deleteBlockType(db: Kysely<Tables>, id: string): Promise<void> {
  await db.deleteFrom('block_type').where('id', '=', id).execute();
}

export interface BlockTypeFilters {
  block_types?: BlockTypeFilter | null | undefined;
  block_schemas?: BlockSchemaFilter | null | undefined;
}

export function listBlockTypes(db: Kysely<Tables>, { block_types, block_schemas }: BlockTypeFilters, { limit, offset }: Page): Promise<BlockType[]> {
  const hasSchema = block_schemas && exists('block_schema', sql`block_schema.block_type_id = block_type.id`, blockSchemaCondition(block_schemas));
  return db
    .selectFrom('block_type')
    .select(COLUMNS)
    .where(hasSchema ? and(blockTypeCondition(block_types), hasSchema) : blockTypeCondition(block_types))
    .orderBy('name')
    .limit(limit)
    .offset(offset)
    .execute();
}
