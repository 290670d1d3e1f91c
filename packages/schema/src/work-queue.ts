import { z } from 'zod';
import { boolean, duration, integer, name, recordFields, tags, timestamp, uuid } from './primitives.ts';
import { stateType } from './state.ts';

/* Queues of a work pool: the lower its priority number, the sooner a queue is served (facts/rules.md §10). */

const workQueueStatus = z.enum(['READY', 'NOT_READY', 'PAUSED']).meta({ id: 'WorkQueueStatus' });

/** What queues selected runs by before work pools existed. */
const queueFilter = z
  .object({ tags: tags().nullable().default(null), deployment_ids: z.array(uuid()).nullable().default(null) })
  .meta({ id: 'QueueFilter' });

const limit = () => integer((number) => number.min(0)).nullish();
const priority = () => integer((number) => number.positive()).nullish();

export const workQueueCreate = z
  .strictObject({
    name: name(),
    description: z
      .string()
      .nullish()
      .transform((given) => given ?? '')
      .meta({ describedAs: z.string().nullable().default('') }),
    is_paused: boolean().default(false),
    concurrency_limit: limit(),
    priority: priority(),
    filter: queueFilter.nullish().meta({ deprecated: true }),
  })
  .meta({ id: 'WorkQueueCreate' });
export type WorkQueueCreate = z.output<typeof workQueueCreate>;

/** What is left out stays as it is. */
export const workQueueUpdate = z
  .strictObject({
    name: name().nullish(),
    description: z.string().nullish(),
    is_paused: boolean().optional().meta({ default: false }),
    concurrency_limit: limit(),
    priority: priority(),
    last_polled: timestamp().nullish(),
    filter: queueFilter.nullish().meta({ deprecated: true }),
  })
  .meta({ id: 'WorkQueueUpdate' });
export type WorkQueueUpdate = z.output<typeof workQueueUpdate>;

const fields = {
  ...recordFields(),
  name: name(),
  description: z.string().nullable().meta({ default: '' }),
  is_paused: boolean().default(false),
  concurrency_limit: integer((number) => number.min(0)).nullable(),
  priority: integer((number) => number.positive()).default(1),
  work_pool_id: uuid().nullable(),
  filter: queueFilter.nullable().meta({ deprecated: true }),
  last_polled: timestamp().nullable(),
};

export const plainWorkQueue = z.object(fields).meta({ id: 'WorkQueue' });
export type PlainWorkQueue = z.output<typeof plainWorkQueue>;

export const workQueue = z
  .object({
    ...fields,
    work_pool_name: z.string().nullable(),
    status: workQueueStatus.nullable(),
    /** Runs that hold a slot; null where nothing limits them. */
    active_slots: integer().nullable(),
  })
  .meta({ id: 'WorkQueueResponse' });
export type WorkQueue = z.output<typeof workQueue>;

const healthPolicy = z
  .object({ maximum_late_runs: integer().nullable().default(0), maximum_seconds_since_last_polled: integer().nullable().default(60) })
  .meta({ id: 'WorkQueueHealthPolicy' });

export const workQueueHealth = z
  .object({ healthy: boolean(), late_runs_count: integer().default(0), last_polled: timestamp().nullable(), health_check_policy: healthPolicy })
  .meta({ id: 'WorkQueueStatusDetail' });
export type WorkQueueHealth = z.output<typeof workQueueHealth>;

/** A run that holds a slot of a queue. */
export const slotHolder = z
  .object({
    id: uuid(),
    name: z.string(),
    state_type: stateType.nullable(),
    state_name: z.string().nullable(),
    start_time: timestamp().nullable(),
    state_timestamp: timestamp().nullable(),
    time_in_current_state: duration().nullable(),
  })
  .meta({ id: 'FlowRunSlotSummary' });
export type SlotHolder = z.output<typeof slotHolder>;

/** The fields which say what part of a longer list an answer holds. */
export const pageFields = () => ({ count: integer(), limit: integer(), pages: integer(), page: integer() });

export const workQueueConcurrency = z
  .object({ active_slots: integer(), concurrency_limit: integer().nullable(), flow_runs: z.array(slotHolder).default([]), ...pageFields() })
  .meta({ id: 'WorkQueueConcurrencyStatus' });
