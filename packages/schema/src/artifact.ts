import { z } from 'zod';
import { json, recordFields, uuid } from './primitives.ts';

const MAXIMUM_METADATA_LENGTH = 500;

/** Counts as Python does: a character beyond the basic plane is one, and never cut in half. */
function truncate(text: string): string {
  if (text.length <= MAXIMUM_METADATA_LENGTH) return text;
  const characters = Array.from(text);
  return characters.length > MAXIMUM_METADATA_LENGTH ? `${characters.slice(0, MAXIMUM_METADATA_LENGTH).join('')}...` : text;
}

const text = () => z.string().nullable();

const data = json().nullable().meta({ anyOf: [{ additionalProperties: true, type: 'object' }, {}, { type: 'null' }] });

/** Long texts in its metadata are cut (facts/rules.md §6). */
const metadata = z.record(z.string(), z.string().transform(truncate)).nullable();

const fields = { type: text(), description: text(), data, metadata_: metadata, flow_run_id: uuid().nullable(), task_run_id: uuid().nullable() };

const { id, created, updated } = recordFields();
/** Prefect's document has them optional for once. */
const records = { id: id.meta({ required: false }), created: created.meta({ required: false }), updated: updated.meta({ required: false }) };

/** Results of tasks have no key. */
export const artifact = z.object({ ...records, key: text(), ...fields }).meta({ id: 'Artifact' });
export type Artifact = z.output<typeof artifact>;

/** The latest artifact of a key. */
export const artifactCollection = z.object({ ...recordFields(), key: z.string(), latest_id: uuid(), ...fields }).meta({ id: 'ArtifactCollection' });
export type ArtifactCollection = z.output<typeof artifactCollection>;

export const artifactCreate = z
  .strictObject({ key: z.string().refine((key) => /^[a-z0-9-]*$/.test(key), 'A key consists of lowercase letters, digits and dashes.').nullable(), ...fields })
  .partial()
  .meta({ id: 'ArtifactCreate' });
export type ArtifactCreate = z.output<typeof artifactCreate>;

/** What is left out stays as it is. */
export const artifactUpdate = z.strictObject({ data, description: text(), metadata_: metadata }).partial().meta({ id: 'ArtifactUpdate' });
export type ArtifactUpdate = z.output<typeof artifactUpdate>;
