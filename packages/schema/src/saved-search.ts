import { z } from 'zod';
import { json, recordFields } from './primitives.ts';

/** One criterion of a search; the user interface alone knows what it means. */
const savedSearchFilter = z
  .object({ object: z.string(), property: z.string(), type: z.string(), operation: z.string(), value: json() })
  .meta({ id: 'SavedSearchFilter' });

const fields = { name: z.string(), filters: z.array(savedSearchFilter) };

export const savedSearch = z.object({ ...recordFields(), ...fields, filters: fields.filters.default([]) }).meta({ id: 'SavedSearch' });
export type SavedSearch = z.output<typeof savedSearch>;

export const savedSearchCreate = z.strictObject({ ...fields, filters: fields.filters.default([]) }).meta({ id: 'SavedSearchCreate' });
export type SavedSearchCreate = z.output<typeof savedSearchCreate>;
