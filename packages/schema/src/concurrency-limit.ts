import { z } from 'zod';
import { boolean, float, integer, name, recordFields, uuid } from './primitives.ts';

/* Global concurrency limits, which the API calls its second version, and tag limits, the first (facts/rules.md §11). */

const count = () => integer((number) => number.min(0));
const rate = () => float((number) => number.min(0));

const fields = { active: boolean(), name: name(), limit: count(), active_slots: count(), denied_slots: count(), slot_decay_per_second: rate() };

/** As its creator sees it. */
export const concurrencyLimitV2 = z
  .object({
    ...recordFields(),
    active: boolean().default(true),
    name: name(),
    limit: integer(),
    active_slots: integer().default(0),
    denied_slots: integer().default(0),
    slot_decay_per_second: float().default(0),
    avg_slot_occupancy_seconds: float().default(2),
  })
  .meta({ id: 'ConcurrencyLimitV2' });
export type ConcurrencyLimitV2 = z.output<typeof concurrencyLimitV2>;

/** As everybody else sees it: without the statistics. */
export const globalConcurrencyLimit = concurrencyLimitV2
  .omit({ denied_slots: true, avg_slot_occupancy_seconds: true })
  .extend({ name: z.string(), active_slots: integer(), slot_decay_per_second: float().default(2) })
  .meta({ id: 'GlobalConcurrencyLimitResponse' });
export type GlobalConcurrencyLimit = z.output<typeof globalConcurrencyLimit>;

export const concurrencyLimitV2Create = z
  .strictObject({
    ...fields,
    active: fields.active.default(true),
    active_slots: fields.active_slots.default(0),
    denied_slots: fields.denied_slots.default(0),
    slot_decay_per_second: fields.slot_decay_per_second.default(0),
  })
  .meta({ id: 'ConcurrencyLimitV2Create' });
export type ConcurrencyLimitV2Create = z.output<typeof concurrencyLimitV2Create>;

/** What is left out stays as it is. */
export const concurrencyLimitV2Update = z
  .strictObject({
    active: fields.active.nullable(),
    name: fields.name.nullable(),
    limit: fields.limit.nullable(),
    active_slots: fields.active_slots.nullable(),
    denied_slots: fields.denied_slots.nullable(),
    slot_decay_per_second: fields.slot_decay_per_second.nullable(),
  })
  .partial()
  .meta({ id: 'ConcurrencyLimitV2Update' });

export const minimalConcurrencyLimit = z.object({ id: uuid(), name: z.string(), limit: integer() }).meta({ id: 'MinimalConcurrencyLimitResponse' });

export const concurrencyLimitWithLease = z
  .object({ lease_id: uuid(), limits: z.array(minimalConcurrencyLimit) })
  .meta({ id: 'ConcurrencyLimitWithLeaseResponse' });

export const concurrencyLeaseHolder = z
  .strictObject({ type: z.literal(['flow_run', 'task_run', 'deployment']), id: uuid() })
  .meta({ id: 'ConcurrencyLeaseHolder' });

/** Seconds: a minute to a day. */
export const leaseDuration = () => float((seconds) => seconds.min(60).max(86_400)).default(300);

/** A limit on the task runs with a tag; its slots are the ids of the runs that hold them. */
export const tagLimit = z
  .object({ ...recordFields(), tag: z.string(), concurrency_limit: integer(), active_slots: z.array(uuid()).default([]) })
  .meta({ id: 'ConcurrencyLimit' });
export type TagLimit = z.output<typeof tagLimit>;

export const tagLimitCreate = z.strictObject({ tag: z.string(), concurrency_limit: integer() }).meta({ id: 'ConcurrencyLimitCreate' });
export type TagLimitCreate = z.output<typeof tagLimitCreate>;
