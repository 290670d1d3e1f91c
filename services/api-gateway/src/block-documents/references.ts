import { BadRequestError } from '@praetor/schema/errors';
import { type JsonObject, isJsonObject } from '@praetor/schema/json';
import { normalizeUuid } from '@praetor/schema/primitives';

/** Data as it is posted, parted into what is stored with the document and the documents that it refers to, by field. */
export interface PartedData {
  data: JsonObject;
  references: { name: string; referenceId: string }[];
}

/** Parts `{"field": {"$ref": {"block_document_id": id}}}` from the rest; only fields at the top can refer. Throws BadRequestError. */
export function partReferences(posted: JsonObject): PartedData {
  const parted: PartedData = { data: {}, references: [] };
  for (const [name, value] of Object.entries(posted)) {
    if (!isJsonObject(value) || !('$ref' in value)) {
      parted.data[name] = value;
      continue;
    }
    const id = isJsonObject(value['$ref']) ? value['$ref']['block_document_id'] : undefined;
    const referenceId = typeof id === 'string' ? normalizeUuid(id) : undefined;
    if (referenceId === undefined) throw new BadRequestError(`The reference in '${name}' lacks the id of a block document.`);
    parted.references.push({ name, referenceId });
  }
  return parted;
}
