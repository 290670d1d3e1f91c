import { z } from 'zod';
import { boolean } from '../primitives.ts';
import { filterObject, idFilterWithNot, nameFilter, operator, tagsFilter } from '../filters.ts';

export const flowFilter = filterObject('FlowFilter', {
  operator: operator(),
  id: idFilterWithNot(),
  deployment: z.strictObject({ operator: operator(), is_null_: boolean().nullish() }),
  name: nameFilter(),
  tags: tagsFilter(),
});
export type FlowFilter = z.output<typeof flowFilter>;

export const flowSort = z.enum(['CREATED_DESC', 'UPDATED_DESC', 'NAME_ASC', 'NAME_DESC']).meta({ id: 'FlowSort' });
export type FlowSort = z.output<typeof flowSort>;
