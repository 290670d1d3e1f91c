import { z } from 'zod';
import { boolean } from '../primitives.ts';
import {
  existsFilter,
  filterObject,
  idFilter,
  nameFilter,
  nullableTimestampFilter,
  operator,
  stateTypes,
  tagsFilter,
  textFilter,
  timestampFilter,
} from '../filters.ts';

export const taskRunFilter = filterObject('TaskRunFilter', {
  operator: operator(),
  id: idFilter(),
  name: nameFilter(),
  tags: tagsFilter(),
  state: filterObject('TaskRunFilterState', { operator: operator(), type: z.strictObject({ any_: stateTypes() }), name: textFilter() }),
  start_time: nullableTimestampFilter(),
  end_time: nullableTimestampFilter(),
  expected_start_time: timestampFilter(),
  subflow_runs: existsFilter().meta({ id: 'TaskRunFilterSubFlowRuns' }),
  // Alone among its kind, `is_null_` has a default here: an empty object asks for runs that belong to a flow run.
  flow_run_id: z.strictObject({ operator: operator(), ...idFilter().shape, is_null_: boolean().nullable().default(false) }),
});
export type TaskRunFilter = z.output<typeof taskRunFilter>;

export const taskRunSort = z
  .enum([
    'ID_DESC',
    'EXPECTED_START_TIME_ASC',
    'EXPECTED_START_TIME_DESC',
    'NAME_ASC',
    'NAME_DESC',
    'NEXT_SCHEDULED_START_TIME_ASC',
    'END_TIME_DESC',
    'DURATION_DESC',
    'DURATION_ASC',
  ])
  .meta({ id: 'TaskRunSort' });
export type TaskRunSort = z.output<typeof taskRunSort>;
