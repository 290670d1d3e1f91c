import { z } from 'zod';
import { integer, json, recordFields, timestamp } from './primitives.ts';

/** A message of a stream that a group of consumers gave up, because handling it failed too often. */
export const deadLetter = z
  .object({
    id: recordFields().id,
    topic: z.string(),
    consumer_group: z.string(),
    /** The message; text where it was no JSON. */
    data: json(),
    error: z.string(),
    attempts: integer(),
    died: timestamp(),
  })
  .meta({ id: 'DeadLetter' });
export type DeadLetter = z.output<typeof deadLetter>;

/** Which ones; all where nothing is said. */
export const deadLetterFilter = z.strictObject({ id: z.strictObject({ any_: z.array(recordFields().id) }).nullish(), consumer_group: z.strictObject({ any_: z.array(z.string()) }).nullish() }).meta({ id: 'DeadLetterFilter' });
export type DeadLetterFilter = z.output<typeof deadLetterFilter>;
