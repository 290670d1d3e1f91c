import { z } from 'zod';
import { type JsonObject, isJsonObject, toJson } from './json.ts';
import { boolean, integer, jsonObject, name, recordFields, uuid } from './primitives.ts';
import { pageFields, slotHolder } from './work-queue.ts';

const workPoolStatus = z.enum(['READY', 'NOT_READY', 'PAUSED']).meta({ id: 'WorkPoolStatus' });

const PLACEHOLDER = /\{\{\s*([\w.\-[\]$]+)\s*\}\}/g;

/** What is wrong with a base job template: it is empty, or each placeholder of its configuration is a declared variable. */
function findTemplateFault(template: JsonObject): string | undefined {
  if (Object.keys(template).length === 0) return undefined;
  const { job_configuration: configuration, variables } = template;
  const isFilled = (value: unknown): value is JsonObject => isJsonObject(value) && Object.keys(value).length > 0;
  if (!isFilled(configuration) || !isFilled(variables)) return 'A base job template needs both `job_configuration` and `variables`.';
  const declared = isJsonObject(variables['properties']) ? variables['properties'] : {};
  const used = [...toJson(configuration).matchAll(PLACEHOLDER)].map(([, variable = '']) => variable);
  const undeclared = [...new Set(used)].filter((variable) => !Object.hasOwn(declared, variable));
  return undeclared.length === 0 ? undefined : `The job configuration uses variables that the template does not declare: ${undeclared.join(', ')}.`;
}

const baseJobTemplate = () =>
  jsonObject().check(({ value, issues }) => {
    const fault = findTemplateFault(value);
    if (fault !== undefined) issues.push({ code: 'custom', input: value, message: fault });
  });

const step = () => jsonObject().nullable().default(null);

const storageConfiguration = z
  .strictObject({ bundle_upload_step: step(), bundle_execution_step: step(), default_result_storage_block_id: uuid().nullable().default(null) })
  .meta({ id: 'WorkPoolStorageConfiguration' });

const limit = () => integer((number) => number.min(0)).nullish();

export const workPoolCreate = z
  .strictObject({
    name: z
      .string()
      .refine((text) => text.trim() !== '', 'A name must not be blank.')
      .pipe(name())
      .meta({ describedAs: name() }),
    description: z.string().nullish(),
    type: z.string().default('prefect-agent'),
    base_job_template: baseJobTemplate().default({}),
    is_paused: boolean().default(false),
    concurrency_limit: limit(),
    storage_configuration: storageConfiguration.prefault({}),
  })
  .meta({ id: 'WorkPoolCreate' });
export type WorkPoolCreate = z.output<typeof workPoolCreate>;

/** What is left out stays as it is. */
export const workPoolUpdate = z
  .strictObject({
    description: z.string().nullish(),
    is_paused: boolean().nullish(),
    base_job_template: baseJobTemplate().nullish(),
    concurrency_limit: limit(),
    storage_configuration: storageConfiguration.nullish(),
  })
  .meta({ id: 'WorkPoolUpdate' });
export type WorkPoolUpdate = z.output<typeof workPoolUpdate>;

export const workPool = z
  .object({
    ...recordFields(),
    name: name(),
    description: z.string().nullable(),
    type: z.string(),
    base_job_template: jsonObject().default({}),
    is_paused: boolean().default(false),
    concurrency_limit: integer((number) => number.min(0)).nullable(),
    /** Null for pools of the time before workers, whose type is `prefect-agent`. */
    status: workPoolStatus.nullable(),
    default_queue_id: uuid().nullable(),
    storage_configuration: storageConfiguration.prefault({}),
    /** Runs that hold a slot; null where nothing limits them. */
    active_slots: integer().nullable(),
  })
  .meta({ id: 'WorkPoolResponse' });
export type WorkPool = z.output<typeof workPool>;

const queueConcurrency = z
  .object({
    queue_id: uuid(),
    queue_name: z.string(),
    active_slots: integer(),
    concurrency_limit: integer().nullable(),
    flow_runs: z.array(slotHolder).default([]),
    flow_run_count: integer().nullable(),
  })
  .meta({ id: 'WorkQueueConcurrencyStatusDetail' });

export const workPoolConcurrency = z
  .object({ active_slots: integer(), concurrency_limit: integer().nullable(), queues: z.array(queueConcurrency).default([]), ...pageFields() })
  .meta({ id: 'WorkPoolConcurrencyStatus' });
export type WorkPoolConcurrency = z.output<typeof workPoolConcurrency>;
