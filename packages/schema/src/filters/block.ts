import { z } from 'zod';
import { booleanFilter, filterObject, idFilter, likeFilter, nameFilter, operator, textFilter } from '../filters.ts';

export const blockTypeFilter = filterObject({ name: likeFilter(), slug: textFilter() }).meta({ id: 'BlockTypeFilter' });
export type BlockTypeFilter = z.output<typeof blockTypeFilter>;

export const blockSchemaFilter = filterObject({
  operator: operator(),
  block_type_id: idFilter(),
  block_capabilities: z.strictObject({ all_: z.array(z.string()).nullish() }),
  id: idFilter(),
  version: textFilter(),
}).meta({ id: 'BlockSchemaFilter' });
export type BlockSchemaFilter = z.output<typeof blockSchemaFilter>;

export const blockDocumentFilter = filterObject({
  operator: operator(),
  id: idFilter(),
  // Anonymous documents must be asked for.
  is_anonymous: booleanFilter().nullable().default({ eq_: false }),
  block_type_id: idFilter(),
  name: nameFilter(),
}).meta({ id: 'BlockDocumentFilter' });
export type BlockDocumentFilter = z.output<typeof blockDocumentFilter>;

export const blockDocumentSort = z.enum(['NAME_DESC', 'NAME_ASC', 'BLOCK_TYPE_AND_NAME_ASC']).meta({ id: 'BlockDocumentSort' });
export type BlockDocumentSort = z.output<typeof blockDocumentSort>;
