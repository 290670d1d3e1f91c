import { z } from 'zod';
import { filterObject, idFilter, nameFilter, operator, tagsFilter } from './filters.ts';
import { toJson } from './json.ts';
import { json, recordFields, tags } from './primitives.ts';

const MAXIMUM_NAME_LENGTH = 255;
const MAXIMUM_VALUE_BYTES = 5000;

/* What may be in a variable (facts/rules.md §6); the empty name is one. */
const fields = {
  name: z
    .string()
    .check(({ value, issues }) => {
      const ctx = { field_type: 'Value', max_length: MAXIMUM_NAME_LENGTH, actual_length: value.length };
      const message = `Value should have at most ${MAXIMUM_NAME_LENGTH} items after validation, not ${value.length}`;
      if (value.length > MAXIMUM_NAME_LENGTH) issues.push({ code: 'custom', input: value, message, params: { type: 'too_long', ctx } });
    })
    .meta({ maxLength: MAXIMUM_NAME_LENGTH })
    .refine((name) => /^[a-z0-9_-]*$/.test(name), 'A name consists of lowercase letters, digits, dashes and underscores.'),
  value: json()
    .refine((value) => Buffer.byteLength(toJson(value)) <= MAXIMUM_VALUE_BYTES, `A value takes at most ${MAXIMUM_VALUE_BYTES} bytes of JSON.`)
    .meta({ anyOf: [...['string', 'integer', 'boolean', 'number'].map((type) => ({ type })), { additionalProperties: true, type: 'object' }, { items: {}, type: 'array' }, { type: 'null' }] }),
  tags: tags(),
};

export const variable = z.object({ ...recordFields(), ...fields, tags: fields.tags.default([]) }).meta({ id: 'Variable' });
export type Variable = z.output<typeof variable>;

export const variableCreate = z.strictObject({ ...fields, tags: fields.tags.default([]) }).meta({ id: 'VariableCreate' });
export type VariableCreate = z.output<typeof variableCreate>;

/** What is left out stays as it is. */
export const variableUpdate = z.strictObject({ name: fields.name.nullable(), value: fields.value, tags: fields.tags.nullable() }).partial().meta({ id: 'VariableUpdate' });
export type VariableUpdate = z.output<typeof variableUpdate>;

export const variableFilter = filterObject('VariableFilter', { operator: operator(), id: idFilter(), name: nameFilter(), tags: tagsFilter() });
export type VariableFilter = z.output<typeof variableFilter>;

export const variableSort = z.enum(['CREATED_DESC', 'UPDATED_DESC', 'NAME_DESC', 'NAME_ASC']).meta({ id: 'VariableSort' });
export type VariableSort = z.output<typeof variableSort>;
