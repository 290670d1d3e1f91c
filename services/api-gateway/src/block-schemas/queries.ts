import { sql, type Kysely } from 'kysely';
import type { Condition } from '@praetor/database/filter';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { Tables } from '@praetor/database/tables';
import type { BlockSchema } from '@praetor/schema/block';
import { findBlockTypes } from '../block-types/queries.ts';
import type { Page } from '../http/pagination.ts';
import { type SchemaReference, assembleFields } from './references.ts';

/** A schema as it is stored: without its type, and without the schemas that it refers to. */
export type StoredSchema = Omit<BlockSchema, 'block_type'>;

const COLUMNS = ['id', 'created', 'updated', 'checksum', 'fields', 'block_type_id', 'capabilities', 'version'] as const;

/** Undefined when this version of the schema exists. */
export function insertBlockSchema(
  db: Kysely<Tables>,
  schema: Pick<StoredSchema, 'checksum' | 'fields' | 'block_type_id' | 'capabilities' | 'version'>,
): Promise<StoredSchema | undefined> {
  return db
    .insertInto('block_schema')
    .values(withJsonColumns(schema, 'fields', 'capabilities'))
    .onConflict((conflict) => conflict.columns(['checksum', 'version']).doNothing())
    .returning(COLUMNS)
    .executeTakeFirst();
}

/** Lets a field of one schema refer to another. */
export async function insertSchemaReference(db: Kysely<Tables>, name: string, parentId: string, referenceId: string): Promise<void> {
  await db.insertInto('block_schema_reference').values({ name, parent_block_schema_id: parentId, reference_block_schema_id: referenceId }).execute();
}

/** The newest schema with a checksum, of one version or of any. */
export function findSchemaByChecksum(db: Kysely<Tables>, checksum: string, version?: string | null): Promise<StoredSchema | undefined> {
  const query = db.selectFrom('block_schema').select(COLUMNS).where('checksum', '=', checksum).orderBy('created', 'desc').limit(1);
  return (version == null ? query : query.where('version', '=', version)).executeTakeFirst();
}

export function listBlockSchemas(db: Kysely<Tables>, condition: Condition, { limit, offset }: Page): Promise<StoredSchema[]> {
  return db.selectFrom('block_schema').select(COLUMNS).where(condition).orderBy('created', 'desc').limit(limit).offset(offset).execute();
}

export function findBlockSchemas(db: Kysely<Tables>, ids: string[]): Promise<StoredSchema[]> {
  return db.selectFrom('block_schema').select(COLUMNS).where(sql<boolean>`id = any(${ids})`).execute();
}

export async function deleteBlockSchema(db: Kysely<Tables>, id: string): Promise<void> {
  await db.deleteFrom('block_schema').where('id', '=', id).execute();
}

/** All references below these schemas, at any depth. */
async function findReferences(db: Kysely<Tables>, ids: string[]): Promise<SchemaReference[]> {
  const { rows } = await sql<SchemaReference>`
    with recursive reached (id) as (
      select unnest(${ids}::uuid[])
      union
      select link.reference_block_schema_id from block_schema_reference link join reached on link.parent_block_schema_id = reached.id
    )
    select distinct on (link.parent_block_schema_id, link.name, schema.created, schema.id)
      link.parent_block_schema_id as "parentId", link.name, schema.id, schema.checksum, schema.fields, type.slug as "blockTypeSlug"
    from reached
    join block_schema_reference link on link.parent_block_schema_id = reached.id
    join block_schema schema on schema.id = link.reference_block_schema_id
    join block_type type on type.id = schema.block_type_id
    order by link.parent_block_schema_id, link.name, schema.created, schema.id`.execute(db);
  return rows;
}

/** Schemas as the API shows them. */
export async function completeSchemas(db: Kysely<Tables>, schemas: readonly StoredSchema[]): Promise<BlockSchema[]> {
  if (schemas.length === 0) return [];
  const references = await findReferences(
    db,
    schemas.map(({ id }) => id),
  );
  const types = await findBlockTypes(db, [...new Set(schemas.map(({ block_type_id }) => block_type_id))]);
  return schemas.flatMap(({ id, created, updated, checksum, fields, block_type_id, capabilities, version }) => {
    const block_type = types.get(block_type_id);
    // A type that was deleted in between took its schemas along.
    return block_type === undefined ? [] : [{ id, created, updated, checksum, fields: assembleFields(id, fields, references), block_type_id, block_type, capabilities, version }];
  });
}

/** What the schemas of all blocks can do, together. */
export async function listCapabilities(db: Kysely<Tables>): Promise<string[]> {
  const { rows } = await sql<{ capability: string }>`
    select distinct capability from block_schema cross join jsonb_array_elements_text(capabilities) as each (capability) order by capability`.execute(db);
  return rows.map(({ capability }) => capability);
}
