import { z } from 'zod';
import { booleanFilter, filterObject, idFilter, likeFilter, nameFilter, operator, textFilter } from '../filters.ts';

export const blockTypeFilter = filterObject('BlockTypeFilter', { name: likeFilter(), slug: textFilter() });
export type BlockTypeFilter = z.output<typeof blockTypeFilter>;

export const blockSchemaFilter = filterObject('BlockSchemaFilter', {
  operator: operator(),
  block_type_id: idFilter(),
  block_capabilities: z.strictObject({ all_: z.array(z.string()).nullish() }).meta({ id: 'BlockSchemaFilterCapabilities' }),
  id: idFilter(),
  version: textFilter(),
});
export type BlockSchemaFilter = z.output<typeof blockSchemaFilter>;

export const blockDocumentFilter = filterObject('BlockDocumentFilter', {
  operator: operator(),
  id: idFilter(),
  // Anonymous documents must be asked for.
  is_anonymous: booleanFilter().nullable().default({ eq_: false }),
  block_type_id: idFilter(),
  name: nameFilter(),
});
export type BlockDocumentFilter = z.output<typeof blockDocumentFilter>;

export const blockDocumentSort = z.enum(['NAME_DESC', 'NAME_ASC', 'BLOCK_TYPE_AND_NAME_ASC']).meta({ id: 'BlockDocumentSort' });
export type BlockDocumentSort = z.output<typeof blockDocumentSort>;
