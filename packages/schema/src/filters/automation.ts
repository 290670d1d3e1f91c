import { z } from 'zod';
import { filterObject, idFilter, operator, tagsFilterWithAny, textFilter } from '../filters.ts';
import { timestamp } from '../primitives.ts';

export const automationFilter = filterObject('AutomationFilter', {
  operator: operator(),
  id: idFilter(),
  name: textFilter(),
  created: z.strictObject({ before_: timestamp().nullish() }),
  tags: tagsFilterWithAny(),
});
export type AutomationFilter = z.output<typeof automationFilter>;

export const automationSort = z.enum(['CREATED_DESC', 'UPDATED_DESC', 'NAME_ASC', 'NAME_DESC']).meta({ id: 'AutomationSort' });
export type AutomationSort = z.output<typeof automationSort>;
