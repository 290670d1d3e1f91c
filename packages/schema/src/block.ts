import { z } from 'zod';
import { isJsonObject } from './json.ts';
import { NAME, boolean, jsonObject, name, recordFields, uuid } from './primitives.ts';
import { refuse } from './problem.ts';

/* Block types, the versions of their schemas, and the documents that are saved by them (facts/rules.md §12). */

const isIdentifier = (text: string) => /^[a-z0-9-]*$/.test(text);
const NOT_AN_IDENTIFIER = 'It consists of lowercase letters, digits and dashes.';
const identifier = () => z.string().refine(isIdentifier, NOT_AN_IDENTIFIER);

const text = () => z.string().nullable();

/** What a block type shows about itself; all of it may change. */
const presentation = { logo_url: text(), documentation_url: text(), description: text(), code_example: text() };

export const blockType = z
  .object({ ...recordFields(), name: name(), slug: z.string(), ...presentation, is_protected: z.boolean().default(false) })
  .meta({ id: 'BlockType' });
export type BlockType = z.output<typeof blockType>;

export const blockTypeUpdate = z.strictObject(presentation).partial().meta({ id: 'BlockTypeUpdate' });
export type BlockTypeUpdate = z.output<typeof blockTypeUpdate>;

export const blockTypeCreate = z
  .strictObject({ name: name(), slug: identifier(), ...blockTypeUpdate.shape })
  .meta({ id: 'BlockTypeCreate' });
export type BlockTypeCreate = z.output<typeof blockTypeCreate>;

const capabilities = () => z.array(z.string());

export const blockSchema = z
  .object({
    ...recordFields(),
    checksum: z.string(),
    fields: jsonObject().default({}),
    block_type_id: uuid().meta({ describedAs: uuid().nullable(), required: true }),
    block_type: blockType.meta({ describedAs: blockType.nullable() }),
    capabilities: capabilities().default([]),
    version: z.string().default('non-versioned'),
  })
  .meta({ id: 'BlockSchema' });
export type BlockSchema = z.output<typeof blockSchema>;

export const blockSchemaCreate = z
  .strictObject({
    fields: jsonObject().default({}),
    block_type_id: uuid(),
    capabilities: capabilities().default([]),
    version: z.string().default('non-versioned'),
  })
  .meta({ id: 'BlockSchemaCreate' });
export type BlockSchemaCreate = z.output<typeof blockSchemaCreate>;

export const blockDocument = z
  .object({
    ...recordFields(),
    name: name().meta({ describedAs: name().nullable() }),
    data: jsonObject().default({}),
    block_schema_id: uuid(),
    block_schema: blockSchema.meta({ describedAs: blockSchema.nullable() }),
    block_type_id: uuid(),
    block_type_name: text(),
    block_type: blockType.meta({ describedAs: blockType.nullable() }),
    block_document_references: z.record(z.string(), jsonObject()).default({}),
    is_anonymous: z.boolean().default(false),
  })
  .meta({ id: 'BlockDocument' });
export type BlockDocument = z.output<typeof blockDocument>;

const isEmpty = (value: unknown) => value == null || value === '' || (Array.isArray(value) && value.length === 0);

export const blockDocumentCreate = z.preprocess(
  (value, context) =>
    isJsonObject(value) && isEmpty(value['name']) && !value['is_anonymous']
      ? refuse(context, value, 'value_error', 'Value error, A block document needs a name unless it is anonymous.', { error: {} })
      : value,
  z
    .strictObject({
      name: z.string().regex(NAME, { abort: true }).refine(isIdentifier, NOT_AN_IDENTIFIER).nullish(),
      data: jsonObject().default({}),
      block_schema_id: uuid(),
      block_type_id: uuid(),
      is_anonymous: boolean().default(false),
    })
    .meta({ id: 'BlockDocumentCreate' }),
);
export type BlockDocumentCreate = z.output<typeof blockDocumentCreate>;

/** Without `merge_existing_data`, data that is left out is emptied. */
export const blockDocumentUpdate = z
  .strictObject({ block_schema_id: uuid().nullish(), data: jsonObject().optional(), merge_existing_data: boolean().default(true) })
  .meta({ id: 'BlockDocumentUpdate' });
export type BlockDocumentUpdate = z.output<typeof blockDocumentUpdate>;
