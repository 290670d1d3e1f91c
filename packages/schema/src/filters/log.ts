import { z } from 'zod';
import { filterObject, idFilter, integerRangeFilter, nullableIdFilter, operator, textSearchFilter, timestampFilter } from '../filters.ts';

export const logFilter = filterObject('LogFilter', {
  operator: operator(),
  level: integerRangeFilter(),
  timestamp: timestampFilter(),
  flow_run_id: idFilter(),
  task_run_id: nullableIdFilter(),
  text: textSearchFilter().meta({ id: 'LogFilterTextSearch' }),
});
export type LogFilter = z.output<typeof logFilter>;

export const logSort = z.enum(['TIMESTAMP_ASC', 'TIMESTAMP_DESC']).meta({ id: 'LogSort' });
export type LogSort = z.output<typeof logSort>;
