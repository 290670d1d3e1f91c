import { z } from 'zod';
import { filterObject, idFilter, nameFilter, operator, tagsFilter } from './filters.ts';
import { toJson } from './json.ts';
import { json, recordFields, tags } from './primitives.ts';

const MAXIMUM_VALUE_BYTES = 5000;

/* What may be in a variable (facts/rules.md §6); the empty name is one. */
const fields = {
  name: z
    .string()
    .max(255)
    .refine((name) => /^[a-z0-9_-]*$/.test(name), 'A name consists of lowercase letters, digits, dashes and underscores.'),
  value: json().refine((value) => Buffer.byteLength(toJson(value)) <= MAXIMUM_VALUE_BYTES, `A value takes at most ${MAXIMUM_VALUE_BYTES} bytes of JSON.`),
  tags: tags(),
};

export const variable = z.object({ ...recordFields(), ...fields }).meta({ id: 'Variable' });
export type Variable = z.output<typeof variable>;

export const variableCreate = z.strictObject({ ...fields, tags: fields.tags.default([]) }).meta({ id: 'VariableCreate' });
export type VariableCreate = z.output<typeof variableCreate>;

/** What is left out stays as it is. */
export const variableUpdate = z.strictObject(fields).partial().meta({ id: 'VariableUpdate' });
export type VariableUpdate = z.output<typeof variableUpdate>;

export const variableFilter = filterObject({ operator: operator(), id: idFilter(), name: nameFilter(), tags: tagsFilter() }).meta({ id: 'VariableFilter' });
export type VariableFilter = z.output<typeof variableFilter>;

export const variableSort = z.enum(['CREATED_DESC', 'UPDATED_DESC', 'NAME_DESC', 'NAME_ASC']).meta({ id: 'VariableSort' });
export type VariableSort = z.output<typeof variableSort>;
