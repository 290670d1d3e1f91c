import { type JsonObject, isJsonObject } from '@praetor/schema/json';

/*
 * A block's field may hold another block. Its schema is stored apart and put back in when the schema is read: as an entry
 * of `block_schema_references`, and among `definitions` together with all that it refers to in turn.
 */

/** A schema in its place: under this name within that other schema. */
export interface SchemaReference {
  parentId: string;
  name: string;
  id: string;
  checksum: string;
  blockTypeSlug: string;
  fields: JsonObject;
}

function describe({ checksum, blockTypeSlug }: SchemaReference): JsonObject {
  return { block_schema_checksum: checksum, block_type_slug: blockTypeSlug };
}

/** The fields of a schema with the schemas that they refer to; `above` stops at a schema that contains itself. */
export function assembleFields(id: string, fields: JsonObject, references: readonly SchemaReference[], above: readonly string[] = []): JsonObject {
  const inner = references.filter((reference) => reference.parentId === id && !above.includes(reference.id));
  const byName = Map.groupBy(inner, (reference) => reference.name);
  // A field that may hold one of several blocks lists them.
  const described = [...byName].map(([name, [first, ...others]]) => [name, first && (others.length === 0 ? describe(first) : [first, ...others].map(describe))]);
  const definitions = { ...(isJsonObject(fields['definitions']) && fields['definitions']) };
  for (const child of inner) {
    const { definitions: nested, ...own } = assembleFields(child.id, child.fields, references, [...above, id]);
    if (typeof own['title'] === 'string') definitions[own['title']] = own;
    Object.assign(definitions, nested);
  }
  return { ...fields, block_schema_references: Object.fromEntries(described), ...(Object.keys(definitions).length > 0 && { definitions }) };
}
