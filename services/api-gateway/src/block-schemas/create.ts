import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import type { BlockSchemaCreate } from '@praetor/schema/block';
import { BadRequestError, ConflictError } from '@praetor/schema/errors';
import { type JsonObject, isJsonObject } from '@praetor/schema/json';
import { findBlockType } from '../block-types/queries.ts';
import { definitionsOf, plainDefinitions, referredDefinitions, schemaChecksum, withDefinitions } from './fields.ts';
import { type StoredSchema, findSchemaByChecksum, insertBlockSchema, insertSchemaReference } from './queries.ts';

/** The definition of the block of a type that a field refers to. */
function definitionOfField(fields: JsonObject, name: string, slug: string, definitions: JsonObject): JsonObject {
  const properties = isJsonObject(fields['properties']) ? fields['properties'] : {};
  const candidates = referredDefinitions(properties[name]).map((reference) => definitions[reference]).filter(isJsonObject);
  const definition = candidates.length === 1 ? candidates[0] : candidates.find((candidate) => candidate['block_type_slug'] === slug);
  if (definition === undefined) throw new BadRequestError(`The schema has no definition of the block '${slug}' in its field '${name}'.`);
  return definition;
}

/** The references of posted fields: each field's name with each block that it may hold. */
function* postedReferences(posted: unknown): Generator<{ name: string; slug: string; checksum: string }> {
  for (const [name, value] of Object.entries(isJsonObject(posted) ? posted : {}))
    for (const reference of Array.isArray(value) ? value : [value]) {
      if (!isJsonObject(reference)) continue;
      const { block_type_slug: slug, block_schema_checksum: checksum } = reference;
      if (typeof slug === 'string' && typeof checksum === 'string') yield { name, slug, checksum };
    }
}

/**
 * Stores a schema, and first those of the blocks within it that are not known yet; a schema that exists is only given back.
 * Throws ConflictError where a block within has no type.
 */
export async function createBlockSchema(
  db: Kysely<Tables>,
  { fields, ...schema }: BlockSchemaCreate,
  definitions: JsonObject = definitionsOf(fields) ?? {},
): Promise<{ schema: StoredSchema; created: boolean }> {
  const posted = withDefinitions(fields, definitions);
  const checksum = schemaChecksum(posted);
  const { block_schema_references: references, ...own } = withDefinitions(fields, plainDefinitions(posted, definitions));
  const inserted = await insertBlockSchema(db, { ...schema, checksum, fields: own });
  if (inserted === undefined) {
    const existing = await findSchemaByChecksum(db, checksum, schema.version);
    if (existing === undefined) throw new ConflictError('The block schema was deleted meanwhile.');
    return { schema: existing, created: false };
  }
  for (const { name, slug, checksum } of postedReferences(references)) {
    const type = await findBlockType(db, { slug });
    if (type === undefined) throw new ConflictError(`The block type '${slug}' in the field '${name}' is not registered.`);
    const known = await findSchemaByChecksum(db, checksum);
    const inner = known ?? (await createInner(db, definitionOfField(fields, name, slug, definitions), type.id, definitions));
    await insertSchemaReference(db, name, inserted.id, inner.id);
  }
  return { schema: inserted, created: true };
}

async function createInner(db: Kysely<Tables>, fields: JsonObject, blockTypeId: string, definitions: JsonObject): Promise<StoredSchema> {
  const { schema } = await createBlockSchema(db, { fields, block_type_id: blockTypeId, capabilities: [], version: 'non-versioned' }, definitions);
  return schema;
}
