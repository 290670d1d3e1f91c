import { z } from 'zod';
import { boolean, uuid } from '../primitives.ts';
import {
  filterObject,
  idFilter,
  idFilterWithNot,
  nameFilter,
  nullableIdFilter,
  nullableTimestampFilter,
  operator,
  stateTypes,
  tagsFilterWithAny,
  textFilter,
  textFilterWithNot,
  timestampFilter,
} from '../filters.ts';

/** A leaf whose operators are combined. */
const joined = <S extends z.ZodRawShape>(operators: S) => z.strictObject({ operator: operator(), ...operators });

export const flowRunFilter = filterObject('FlowRunFilter', {
  operator: operator(),
  id: idFilterWithNot(),
  name: nameFilter(),
  tags: tagsFilterWithAny(),
  deployment_id: joined(nullableIdFilter().shape),
  work_queue_name: joined({ ...textFilter().shape, is_null_: boolean().nullish() }),
  state: filterObject('FlowRunFilterState', { operator: operator(), type: z.strictObject({ any_: stateTypes(), not_any_: stateTypes() }), name: textFilterWithNot() }),
  flow_version: textFilter(),
  start_time: nullableTimestampFilter(),
  end_time: nullableTimestampFilter(),
  expected_start_time: timestampFilter(),
  next_scheduled_start_time: timestampFilter(),
  parent_flow_run_id: joined(idFilter().shape),
  parent_task_run_id: joined(nullableIdFilter().shape),
  idempotency_key: textFilterWithNot(),
  created_by: z.strictObject({
    operator: operator(),
    id_: z.array(uuid()).nullish(),
    type_: z.array(z.string()).nullish(),
    is_null_: boolean().nullish(),
  }),
});
export type FlowRunFilter = z.output<typeof flowRunFilter>;

export const flowRunSort = z
  .enum([
    'ID_DESC',
    'START_TIME_ASC',
    'START_TIME_DESC',
    'EXPECTED_START_TIME_ASC',
    'EXPECTED_START_TIME_DESC',
    'NAME_ASC',
    'NAME_DESC',
    'NEXT_SCHEDULED_START_TIME_ASC',
    'END_TIME_DESC',
  ])
  .meta({ id: 'FlowRunSort' });
export type FlowRunSort = z.output<typeof flowRunSort>;
