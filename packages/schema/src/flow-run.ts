import { z } from 'zod';
import { labels } from './labels.ts';
import { boolean, float, integer, jsonObject, recordFields, runName, tags, timestamp, uuid } from './primitives.ts';
import { flowRunPolicy } from './run-policy.ts';
import { orchestrationDetails, setStateStatus, state, stateCreate, stateType } from './state.ts';

/** Who caused a run or a deployment: an automation or, for scheduled runs, a deployment. */
export const createdBy = z
  .object({ id: uuid().nullable(), type: z.string().nullable(), display_value: z.string().nullable() })
  .meta({ id: 'CreatedBy' });
export type CreatedBy = z.output<typeof createdBy>;

export const flowRun = z
  .object({
    ...recordFields(),
    name: z.string().meta({ required: false }),
    flow_id: uuid(),
    state_id: uuid().nullable(),
    deployment_id: uuid().nullable(),
    deployment_version: z.string().nullable(),
    work_queue_id: uuid().nullable(),
    work_queue_name: z.string().nullable(),
    flow_version: z.string().nullable(),
    parameters: jsonObject().default({}),
    idempotency_key: z.string().nullable(),
    context: jsonObject().default({}),
    empirical_policy: flowRunPolicy.prefault({}),
    tags: tags().default([]),
    labels: labels().default({}),
    parent_task_run_id: uuid().nullable(),
    state_type: stateType.nullable(),
    state_name: z.string().nullable(),
    run_count: integer().default(0),
    expected_start_time: timestamp().nullable(),
    next_scheduled_start_time: timestamp().nullable(),
    start_time: timestamp().nullable(),
    end_time: timestamp().nullable(),
    total_run_time: float().default(0),
    estimated_run_time: float().default(0),
    estimated_start_time_delta: float().default(0),
    auto_scheduled: boolean().default(false),
    infrastructure_document_id: uuid().nullable(),
    infrastructure_pid: z.string().nullable(),
    created_by: createdBy.nullable(),
    work_pool_id: uuid().nullable(),
    work_pool_name: z.string().nullable(),
    state: state.nullable(),
    job_variables: jsonObject().nullable(),
  })
  .meta({ id: 'FlowRunResponse' });
export type FlowRun = z.output<typeof flowRun>;

export const flowRunCreate = z
  .strictObject({
    state: stateCreate.nullish(),
    name: runName(),
    flow_id: uuid(),
    flow_version: z.string().nullish(),
    parameters: jsonObject().default({}),
    context: jsonObject().default({}),
    parent_task_run_id: uuid().nullish(),
    infrastructure_document_id: uuid().nullish(),
    empirical_policy: flowRunPolicy.prefault({}),
    tags: tags().default([]),
    labels: labels().nullable().default({}),
    idempotency_key: z.string().nullish(),
    work_pool_name: z.string().nullish(),
    work_queue_name: z.string().nullish(),
    job_variables: jsonObject().nullish(),
    deployment_id: uuid().nullish().meta({ deprecated: true }),
    /** Not Prefect's: when a SCHEDULED run is due, for clients that keep states to the server (README, deliberate differences). */
    next_scheduled_start_time: timestamp().nullish(),
  })
  .meta({ id: 'FlowRunCreate' });
export type FlowRunCreate = z.output<typeof flowRunCreate>;

/** What is left out stays as it is; a null name asks for a new one. */
export const flowRunUpdate = z
  .strictObject({
    name: z.string().nullable(),
    flow_version: z.string().nullable(),
    parameters: jsonObject(),
    empirical_policy: flowRunPolicy,
    tags: tags(),
    infrastructure_pid: z.string().nullable(),
    job_variables: jsonObject().nullable(),
  })
  .partial()
  .meta({ id: 'FlowRunUpdate' });
export type FlowRunUpdate = z.output<typeof flowRunUpdate>;

/** A value kept under a key beside a run, by which it talks with others while it runs or pauses. */
export const flowRunInput = z
  .object({ ...recordFields(), flow_run_id: uuid(), key: z.string(), value: z.string(), sender: z.string().nullable() })
  .meta({ id: 'FlowRunInput' });
export type FlowRunInput = z.output<typeof flowRunInput>;

export const flowRunBulkDeleteResponse = z.object({ deleted: z.array(uuid()).default([]) }).meta({ id: 'FlowRunBulkDeleteResponse' });

const flowRunOrchestrationResult = z
  .object({ flow_run_id: uuid(), status: setStateStatus, state: state.nullable(), details: orchestrationDetails })
  .meta({ id: 'FlowRunOrchestrationResult' });
export type FlowRunOrchestrationResult = z.output<typeof flowRunOrchestrationResult>;

export const flowRunBulkSetStateResponse = z.object({ results: z.array(flowRunOrchestrationResult).default([]) }).meta({ id: 'FlowRunBulkSetStateResponse' });
