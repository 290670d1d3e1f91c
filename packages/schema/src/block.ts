import { z } from 'zod';
import { boolean, jsonObject, name, recordFields, uuid, withDefault } from './primitives.ts';

/* Block types, the versions of their schemas, and the documents that are saved by them (facts/rules.md §12). */

const identifier = () => z.string().refine((text) => /^[a-z0-9-]*$/.test(text), 'It consists of lowercase letters, digits and dashes.');

const text = () => z.string().nullable();

/** What a block type shows about itself; all of it may change. */
const presentation = { logo_url: text(), documentation_url: text(), description: text(), code_example: text() };

export const blockType = z
  .object({ ...recordFields(), name: z.string(), slug: z.string(), ...presentation, is_protected: z.boolean() })
  .meta({ id: 'BlockType' });
export type BlockType = z.output<typeof blockType>;

export const blockTypeUpdate = z.strictObject(presentation).partial().meta({ id: 'BlockTypeUpdate' });
export type BlockTypeUpdate = z.output<typeof blockTypeUpdate>;

export const blockTypeCreate = blockTypeUpdate.extend({ name: name(), slug: identifier() }).meta({ id: 'BlockTypeCreate' });
export type BlockTypeCreate = z.output<typeof blockTypeCreate>;

const capabilities = () => z.array(z.string());

export const blockSchema = z
  .object({
    ...recordFields(),
    checksum: z.string(),
    fields: jsonObject(),
    block_type_id: uuid(),
    block_type: blockType,
    capabilities: capabilities(),
    version: z.string(),
  })
  .meta({ id: 'BlockSchema' });
export type BlockSchema = z.output<typeof blockSchema>;

export const blockSchemaCreate = z
  .strictObject({
    fields: withDefault(jsonObject(), () => ({})),
    block_type_id: uuid(),
    capabilities: capabilities().default([]),
    version: z.string().default('non-versioned'),
  })
  .meta({ id: 'BlockSchemaCreate' });
export type BlockSchemaCreate = z.output<typeof blockSchemaCreate>;

export const blockDocument = z
  .object({
    ...recordFields(),
    name: z.string(),
    data: jsonObject(),
    block_schema_id: uuid(),
    block_schema: blockSchema,
    block_type_id: uuid(),
    block_type_name: text(),
    block_type: blockType,
    block_document_references: z.record(z.string(), jsonObject()),
    is_anonymous: z.boolean(),
  })
  .meta({ id: 'BlockDocument' });
export type BlockDocument = z.output<typeof blockDocument>;

export const blockDocumentCreate = z
  .strictObject({
    name: identifier().nullish(),
    data: withDefault(jsonObject(), () => ({})),
    block_schema_id: uuid(),
    block_type_id: uuid(),
    is_anonymous: boolean().default(false),
  })
  .refine((document) => document.is_anonymous || document.name, 'A block document needs a name unless it is anonymous.')
  .meta({ id: 'BlockDocumentCreate' });
export type BlockDocumentCreate = z.output<typeof blockDocumentCreate>;

/** Without `merge_existing_data`, data that is left out is emptied. */
export const blockDocumentUpdate = z
  .strictObject({ block_schema_id: uuid().nullish(), data: jsonObject().optional(), merge_existing_data: boolean().default(true) })
  .meta({ id: 'BlockDocumentUpdate' });
export type BlockDocumentUpdate = z.output<typeof blockDocumentUpdate>;
