import { z } from 'zod';
import { toJson } from './json.ts';
import { boolean, jsonObject, timestamp, uuid } from './primitives.ts';
import { type Timestamp, fromMicroseconds, now, nowMicroseconds } from './timestamps.ts';

/* Events and the filter over them (facts/events.md §1, §6). event-matching.ts applies the filter to one event. */

/** Prefect's own limits (PREFECT_SERVER_EVENTS_MAXIMUM_…). */
const MAXIMUM_NAME_LENGTH = 1024;
const MAXIMUM_LABELS = 500;
const MAXIMUM_RELATED = 100;
const MAXIMUM_SIZE_BYTES = 1_500_000;

/** A default that the document does not show, as Prefect's (a moment, or a new list). */
const orElse = <T extends z.ZodType>(schema: T, value: () => z.output<T>) =>
  schema.optional().transform((given): z.output<T> => given ?? value());

const labels = () =>
  z
    .record(z.string(), z.string())
    .refine((given) => Object.keys(given).length <= MAXIMUM_LABELS, `The maximum number of labels per resource is ${MAXIMUM_LABELS}`)
    .refine((given) => given['prefect.resource.id'] !== undefined, 'Resources must include the prefect.resource.id label')
    .refine((given) => given['prefect.resource.id'] !== '', 'The prefect.resource.id label must be non-empty');

export const resource = labels().meta({ id: 'Resource' });

export const relatedResource = labels()
  .refine((given) => given['prefect.resource.role'] !== undefined, 'Related Resources must include the prefect.resource.role label')
  .refine((given) => given['prefect.resource.role'] !== '', 'The prefect.resource.role label must be non-empty')
  .meta({ id: 'RelatedResource' });

/** A thing that an event is about: string labels, among them `prefect.resource.id`. */
export type Resource = z.output<typeof resource>;

/** The keys stand in the order of the wire, which parsing keeps. */
const eventFields = {
  occurred: timestamp(),
  event: z.string().refine((name) => name.length <= MAXIMUM_NAME_LENGTH, `Event name must be at most ${MAXIMUM_NAME_LENGTH} characters`),
  resource,
  related: orElse(
    z.array(relatedResource).refine((related) => related.length <= MAXIMUM_RELATED, `The maximum number of related resources is ${MAXIMUM_RELATED}`),
    () => [],
  ),
  payload: orElse(jsonObject(), () => ({})),
  id: uuid(),
  follows: uuid()
    .nullish()
    .transform((id) => id ?? null),
};

export const event = z.object(eventFields).meta({ id: 'Event' });
export type Event = z.output<typeof event>;

export const receivedEvent = z.object({ ...eventFields, received: timestamp() }).meta({ id: 'ReceivedEvent' });
export type ReceivedEvent = z.output<typeof receivedEvent>;

/**
 * The text of an event as it travels the stream, stamped as received now; undefined where it is larger than the server
 * keeps: such events are dropped without an error (facts/events.md §1).
 */
export function receiveEvent(given: Event): string | undefined {
  const text = toJson({ ...given, received: now() } satisfies ReceivedEvent);
  // A UTF-16 unit is at most three bytes of UTF-8: short texts need no counting.
  return text.length * 3 > MAXIMUM_SIZE_BYTES && Buffer.byteLength(text) > MAXIMUM_SIZE_BYTES ? undefined : text;
}

const texts = () => z.array(z.string()).nullish();

/** Labels and the patterns that their values must match: any of a list, `*` and `?` as in file names, `!` in front negates. */
export const resourceSpecification = z.record(z.string(), z.union([z.string(), z.array(z.string())])).meta({ id: 'ResourceSpecification' });
export type ResourceSpecification = z.output<typeof resourceSpecification>;

const DAY_MICROSECONDS = 86_400_000_000;
const DEFAULT_SPAN_DAYS = 180;

function defaultSince(): Timestamp {
  const today = Math.floor(nowMicroseconds() / DAY_MICROSECONDS);
  return fromMicroseconds((today - DEFAULT_SPAN_DAYS) * DAY_MICROSECONDS);
}

const occurredFilter = z
  .strictObject({ since: orElse(timestamp(), defaultSince), until: orElse(timestamp(), now) })
  .meta({ id: 'EventOccurredFilter' });

const nameFilter = z
  .strictObject({ prefix: texts(), exclude_prefix: texts(), name: texts(), exclude_name: texts() })
  .meta({ id: 'EventNameFilter' });

const resourceFilter = z
  .strictObject({ id: texts(), id_prefix: texts(), labels: resourceSpecification.nullish(), distinct: boolean().default(false) })
  .meta({ id: 'EventResourceFilter' });

const relatedFilter = z
  .strictObject({
    id: texts(),
    role: texts(),
    resources_in_roles: z.array(z.tuple([z.string(), z.string()])).nullish(),
    labels: resourceSpecification.nullish(),
  })
  .meta({ id: 'EventRelatedFilter' });

const anyResourceFilter = z
  .strictObject({ id: texts(), id_prefix: texts(), labels: resourceSpecification.nullish() })
  .meta({ id: 'EventAnyResourceFilter' });

const idFilter = z.strictObject({ id: z.array(uuid()).nullish() }).meta({ id: 'EventIDFilter' });

const textFilter = z.strictObject({ query: z.string().max(200) }).meta({ id: 'EventTextFilter' });

const oneOrMore = <T extends z.ZodType>(schema: T) => z.union([schema, z.array(schema)]).nullish();

/** Every empty list in it means "no restriction", unlike the filters of the other resources. */
export const eventFilter = z
  .strictObject({
    occurred: orElse(occurredFilter, () => ({ since: defaultSince(), until: now() })),
    event: nameFilter.nullish(),
    resource: resourceFilter.nullish(),
    related: oneOrMore(relatedFilter),
    any_resource: oneOrMore(anyResourceFilter),
    id: orElse(idFilter, () => ({})),
    text: textFilter.nullish(),
    order: z.enum(['ASC', 'DESC']).meta({ id: 'EventOrder' }).default('DESC'),
  })
  .meta({ id: 'EventFilter' });
export type EventFilter = z.output<typeof eventFilter>;
export type EventNameFilter = z.output<typeof nameFilter>;
export type EventResourceFilter = z.output<typeof resourceFilter>;
export type EventRelatedFilter = z.output<typeof relatedFilter>;
export type EventAnyResourceFilter = z.output<typeof anyResourceFilter>;
