import { z } from 'zod';
import { labels } from './labels.ts';
import { name, recordFields, tags, uuid } from './primitives.ts';

export const flow = z.object({ ...recordFields(), name: name(), tags: tags().default([]), labels: labels().nullable() }).meta({ id: 'Flow' });
export type Flow = z.output<typeof flow>;

export const flowCreate = z
  .strictObject({ name: name(), tags: tags().default([]), labels: labels().nullable().default({}) })
  .meta({ id: 'FlowCreate' });
export type FlowCreate = z.output<typeof flowCreate>;

/** What is left out stays as it is. */
export const flowUpdate = z.strictObject({ tags: tags().optional() }).meta({ id: 'FlowUpdate' });
export type FlowUpdate = z.output<typeof flowUpdate>;

export const flowBulkDeleteResponse = z.object({ deleted: z.array(uuid()).default([]) }).meta({ id: 'FlowBulkDeleteResponse' });
