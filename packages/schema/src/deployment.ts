import { z } from 'zod';
import { globalConcurrencyLimit } from './concurrency-limit.ts';
import { createdBy, flowRunCreate } from './flow-run.ts';
import { labels } from './labels.ts';
import { boolean, integer, jsonObject, recordFields, tags, timestamp, uuid } from './primitives.ts';
import { deploymentSchedule, deploymentScheduleCreate, deploymentScheduleUpdate } from './schedule.ts';

/* How, where and when a flow is run (facts/rules.md §8). */

const deploymentStatus = z.enum(['READY', 'NOT_READY']).meta({ id: 'DeploymentStatus' });

/** What becomes of a run for which no slot of the deployment's limit is free, and how long a slot waits for a run to start. */
export const concurrencyOptions = z
  .object({
    collision_strategy: z.enum(['ENQUEUE', 'CANCEL_NEW']),
    grace_period_seconds: integer((seconds) => seconds.min(60).max(86_400))
      .nullable()
      .default(null),
  })
  .meta({ id: 'ConcurrencyOptions' });
export type ConcurrencyOptions = z.output<typeof concurrencyOptions>;

/** Accepted for clients that version their deployments; nothing is done with it. */
const versionInfo = z.looseObject({ type: z.string(), version: z.string() }).meta({ id: 'VersionInfo' });

/** A queue that does not exist yet is created, so its name must do for one. */
const queueName = () => z.string().regex(/^[^/%&><]*$/).nullish();

/* Whether a field is in the body matters: an existing deployment keeps what is left out. */
const fields = {
  version: z.string().nullish(),
  description: z.string().nullish(),
  paused: boolean().optional().meta({ default: false }),
  concurrency_limit: integer((limit) => limit.positive()).nullish(),
  concurrency_options: concurrencyOptions.nullish(),
  global_concurrency_limit_id: uuid().nullish(),
  parameter_openapi_schema: jsonObject().nullish(),
  tags: tags().optional(),
  work_queue_name: queueName(),
  work_pool_name: z.string().nullish(),
  path: z.string().nullish(),
  pull_steps: z.array(jsonObject()).nullish(),
  entrypoint: z.string().nullish(),
  storage_document_id: uuid().nullish(),
  infrastructure_document_id: uuid().nullish(),
  version_info: versionInfo.nullish(),
};

const hasOneLimit = (body: { concurrency_limit?: number | null | undefined; global_concurrency_limit_id?: string | null | undefined }) => !body.concurrency_limit || !body.global_concurrency_limit_id;
const TWO_LIMITS = 'A deployment has a concurrency limit of its own or a global one, not both.';

export const deploymentCreate = z
  .strictObject({
    // Unlike other names it may be empty.
    name: z.string().regex(/^[^/%&><]*$/),
    flow_id: uuid(),
    paused: fields.paused,
    schedules: z.array(deploymentScheduleCreate).default([]),
    concurrency_limit: fields.concurrency_limit,
    concurrency_options: fields.concurrency_options,
    global_concurrency_limit_id: fields.global_concurrency_limit_id,
    enforce_parameter_schema: boolean().optional().meta({ default: true }),
    parameter_openapi_schema: fields.parameter_openapi_schema.meta({ additionalProperties: true }),
    parameters: jsonObject().default({}),
    tags: fields.tags,
    labels: labels().nullish(),
    pull_steps: fields.pull_steps,
    work_queue_name: fields.work_queue_name,
    work_pool_name: fields.work_pool_name,
    storage_document_id: fields.storage_document_id,
    infrastructure_document_id: fields.infrastructure_document_id,
    description: fields.description,
    path: fields.path,
    version: fields.version,
    entrypoint: fields.entrypoint,
    job_variables: jsonObject().optional(),
    version_info: fields.version_info,
  })
  .refine(hasOneLimit, TWO_LIMITS)
  .meta({ id: 'DeploymentCreate' });
export type DeploymentCreate = z.output<typeof deploymentCreate>;

export const deploymentUpdate = z
  .strictObject({
    version: fields.version,
    description: fields.description,
    paused: fields.paused,
    schedules: z.array(deploymentScheduleUpdate).optional(),
    concurrency_limit: fields.concurrency_limit,
    concurrency_options: fields.concurrency_options,
    global_concurrency_limit_id: fields.global_concurrency_limit_id,
    parameters: jsonObject().nullish(),
    parameter_openapi_schema: fields.parameter_openapi_schema,
    tags: fields.tags,
    work_queue_name: fields.work_queue_name,
    work_pool_name: fields.work_pool_name,
    path: fields.path,
    job_variables: jsonObject().nullish(),
    pull_steps: fields.pull_steps,
    entrypoint: fields.entrypoint,
    storage_document_id: fields.storage_document_id,
    infrastructure_document_id: fields.infrastructure_document_id,
    enforce_parameter_schema: boolean().nullish(),
    version_info: fields.version_info,
  })
  .refine(hasOneLimit, TWO_LIMITS)
  .meta({ id: 'DeploymentUpdate' });
export type DeploymentUpdate = z.output<typeof deploymentUpdate>;

export const deployment = z
  .object({
    ...recordFields(),
    name: z.string(),
    version: z.string().nullable(),
    description: z.string().nullable(),
    flow_id: uuid(),
    paused: boolean().default(false),
    schedules: z.array(deploymentSchedule).default([]),
    /** Always null: the limit is a global one now. */
    concurrency_limit: integer().nullable().meta({ deprecated: true }),
    global_concurrency_limit: globalConcurrencyLimit.nullable(),
    concurrency_options: concurrencyOptions.nullable(),
    job_variables: jsonObject().default({}),
    parameters: jsonObject().default({}),
    tags: tags().default([]),
    labels: labels().default({}),
    work_queue_name: z.string().nullable(),
    work_queue_id: uuid().nullable(),
    last_polled: timestamp().nullable(),
    parameter_openapi_schema: jsonObject().nullable().meta({ additionalProperties: true }),
    path: z.string().nullable(),
    pull_steps: z.array(jsonObject()).nullable(),
    entrypoint: z.string().nullable(),
    storage_document_id: uuid().nullable(),
    infrastructure_document_id: uuid().nullable(),
    created_by: createdBy.nullable(),
    updated_by: createdBy.meta({ id: 'UpdatedBy' }).nullable(),
    work_pool_name: z.string().nullable(),
    status: deploymentStatus.nullable().meta({ default: 'NOT_READY' }),
    enforce_parameter_schema: boolean().default(true),
  })
  .meta({ id: 'DeploymentResponse' });
export type Deployment = z.output<typeof deployment>;

export const deploymentFlowRunCreate = flowRunCreate
  .pick({
    state: true,
    name: true,
    parameters: true,
    context: true,
    infrastructure_document_id: true,
    empirical_policy: true,
    tags: true,
    idempotency_key: true,
    parent_task_run_id: true,
  })
  .extend({
    work_queue_name: queueName(),
    enforce_parameter_schema: boolean().nullish(),
    labels: labels().nullish(),
    job_variables: jsonObject().nullable().default({}).meta({ additionalProperties: true }),
  })
  .meta({ id: 'DeploymentFlowRunCreate' });
export type DeploymentFlowRunCreate = z.output<typeof deploymentFlowRunCreate>;

const flowRunCreateResult = z
  .object({ flow_run_id: uuid().nullable(), status: z.enum(['CREATED', 'FAILED']), error: z.string().nullable() })
  .meta({ id: 'FlowRunCreateResult' });
export type FlowRunCreateResult = z.output<typeof flowRunCreateResult>;

export const flowRunBulkCreateResponse = z.object({ results: z.array(flowRunCreateResult).default([]) }).meta({ id: 'FlowRunBulkCreateResponse' });

export const deploymentBulkDeleteResponse = z.object({ deleted: z.array(uuid()).default([]) }).meta({ id: 'DeploymentBulkDeleteResponse' });
