import { z } from 'zod';
import { labels } from './labels.ts';
import { float, integer, recordFields, runName, tags, timestamp, uuid } from './primitives.ts';
import { taskRunPolicy } from './run-policy.ts';
import { state, stateCreate, stateType } from './state.ts';
import { taggedUnion } from './tagged-union.ts';

export const taskRunResult = z.object({ input_type: z.literal('task_run').default('task_run'), id: uuid() }).meta({ id: 'TaskRunResult' });

/** Where an argument of a task came from. */
const taskInput = taggedUnion({
  TaskRunResult: taskRunResult,
  FlowRunResult: z.object({ input_type: z.literal('flow_run').default('flow_run'), id: uuid() }).meta({ id: 'FlowRunResult' }),
  Parameter: z.object({ input_type: z.literal('parameter').default('parameter'), name: z.string() }).meta({ id: 'Parameter' }),
  Constant: z.object({ input_type: z.literal('constant').default('constant'), type: z.string() }).meta({ id: 'Constant' }),
});
const taskInputs = () => z.record(z.string(), z.array(taskInput));

export const taskRun = z
  .object({
    ...recordFields(),
    name: z.string().meta({ required: false }),
    flow_run_id: uuid().nullable(),
    task_key: z.string(),
    dynamic_key: z.string(),
    cache_key: z.string().nullable(),
    cache_expiration: timestamp().nullable(),
    task_version: z.string().nullable(),
    empirical_policy: taskRunPolicy.prefault({}),
    tags: tags().default([]),
    labels: labels().nullable(),
    state_id: uuid().nullable(),
    task_inputs: taskInputs().default({}),
    state_type: stateType.nullable(),
    state_name: z.string().nullable(),
    run_count: integer().default(0),
    flow_run_run_count: integer().default(0),
    expected_start_time: timestamp().nullable(),
    next_scheduled_start_time: timestamp().nullable(),
    start_time: timestamp().nullable(),
    end_time: timestamp().nullable(),
    total_run_time: float().default(0),
    estimated_run_time: float().default(0),
    estimated_start_time_delta: float().default(0),
    state: state.nullable(),
  })
  .meta({ id: 'TaskRun' });
export type TaskRun = z.output<typeof taskRun>;

/** The shorter form of the pages of `/task_runs/paginate`, in its own order. */
const { shape } = taskRun;
export const taskRunSummary = z
  .object({
    ...recordFields(),
    name: shape.name,
    flow_run_id: shape.flow_run_id,
    task_key: shape.task_key,
    state_id: shape.state_id,
    state: shape.state,
    task_version: shape.task_version,
    task_inputs: shape.task_inputs,
    empirical_policy: shape.empirical_policy,
    tags: shape.tags,
    start_time: shape.start_time,
    end_time: shape.end_time,
    total_run_time: shape.total_run_time,
    estimated_run_time: shape.estimated_run_time,
    estimated_start_time_delta: shape.estimated_start_time_delta,
  })
  .meta({ id: 'TaskRunResponse' });
export type TaskRunSummary = z.output<typeof taskRunSummary>;

export const taskRunCreate = z
  .strictObject({
    id: uuid().nullish(),
    state: stateCreate.nullish(),
    name: runName(),
    flow_run_id: uuid().nullish(),
    task_key: z.string(),
    dynamic_key: z.string(),
    cache_key: z.string().nullish(),
    cache_expiration: timestamp().nullish(),
    task_version: z.string().nullish(),
    empirical_policy: taskRunPolicy.prefault({}),
    tags: tags().default([]),
    labels: labels().nullable().default({}),
    task_inputs: taskInputs().default({}),
  })
  .meta({ id: 'TaskRunCreate' });
export type TaskRunCreate = z.output<typeof taskRunCreate>;

/** A null name asks for a new one. */
export const taskRunUpdate = z.strictObject({ name: runName() }).meta({ id: 'TaskRunUpdate' });
