import { z } from 'zod';
import { parseJson, toJson } from './json.ts';
import { boolean, jsonObject, orElse, orNull, timestamp, uuid } from './primitives.ts';
import { taggedUnion } from './tagged-union.ts';
import { textRecord } from './text-record.ts';
import { type Timestamp, fromMicroseconds, now, nowMicroseconds } from './timestamps.ts';
import { disguiseZeros, revealZeros } from './zero-floats.ts';

/* Events and the filter over them (facts/events.md §1, §6). event-matching.ts applies the filter to one event. */

/** What an event may hold at most (PREFECT_SERVER_EVENTS_MAXIMUM_…). */
export interface EventLimits {
  readonly maximumEventNameLength: number;
  readonly maximumLabelsPerResource: number;
  readonly maximumRelatedResources: number;
  readonly maximumSizeBytes: number;
}

const DEFAULT_EVENT_LIMITS: EventLimits = {
  maximumEventNameLength: 1024,
  maximumLabelsPerResource: 500,
  maximumRelatedResources: 100,
  maximumSizeBytes: 1_500_000,
};

const labels = ({ maximumLabelsPerResource: maximum }: EventLimits) =>
  textRecord()
    .refine((given) => Object.keys(given).length <= maximum, `a resource may carry ${maximum} labels at most`)
    .refine((given) => given['prefect.resource.id'] !== undefined, 'Resources must include the prefect.resource.id label')
    .refine((given) => given['prefect.resource.id'] !== '', 'The prefect.resource.id label must be non-empty');

const relatedLabels = (limits: EventLimits) =>
  labels(limits)
    .refine((given) => given['prefect.resource.role'] !== undefined, 'Related Resources must include the prefect.resource.role label')
    .refine((given) => given['prefect.resource.role'] !== '', 'The prefect.resource.role label must be non-empty');

/** The keys stand in the order of the wire, which parsing keeps. */
const eventFields = (limits: EventLimits, resource: ReturnType<typeof labels>, related: ReturnType<typeof labels>) => ({
  occurred: timestamp(),
  event: z
    .string()
    .refine((name) => name.length <= limits.maximumEventNameLength, `Event name must be at most ${limits.maximumEventNameLength} characters`),
  resource,
  related: orElse(
    z
      .array(related)
      .refine((given) => given.length <= limits.maximumRelatedResources, `The maximum number of related resources is ${limits.maximumRelatedResources}`),
    () => [],
  ),
  payload: orElse(jsonObject(), () => ({})),
  id: uuid(),
  follows: orNull(uuid()),
});

/** The schema of events under other than the default limits. */
export function createEventSchema(limits: EventLimits) {
  return z.object(eventFields(limits, labels(limits), relatedLabels(limits)));
}

/** A thing that an event is about: string labels, among them `prefect.resource.id`. */
export const resource = labels(DEFAULT_EVENT_LIMITS).meta({ id: 'Resource' });
export type Resource = z.output<typeof resource>;

const relatedResource = relatedLabels(DEFAULT_EVENT_LIMITS).meta({ id: 'RelatedResource' });

const documentedFields = eventFields(DEFAULT_EVENT_LIMITS, resource, relatedResource);
export const event = z.object(documentedFields).meta({ id: 'Event' });
export type Event = z.output<typeof event>;

export const receivedEvent = z.object({ ...documentedFields, received: timestamp() }).meta({ id: 'ReceivedEvent' });
export type ReceivedEvent = z.output<typeof receivedEvent>;

/** Parses an event that is only to be validated and received: some numbers in its payload are right again in the text of `receiveEvent`. */
export function parseIncomingEvent(text: string): unknown {
  return parseJson(disguiseZeros(text));
}

/** NUL characters and halves of characters, which Postgres holds in no text: JSON has them as escapes. The other escapes are matched to be passed over. */
const UNSTORABLE = /\\(?:u0000|(ud[89a-f][0-9a-f]{2})|.)/g;

function withoutUnstorable(text: string): string {
  if (!text.includes('\\u0000') && !text.includes('\\ud')) return text;
  return text.replace(UNSTORABLE, (escape, half: string | undefined) => (escape === '\\u0000' ? '' : half === undefined ? escape : '\ufffd'));
}

/**
 * The text of an event as it travels the stream, stamped as received now; undefined where it is larger than the server
 * keeps: such events are dropped without an error (facts/events.md §1). NUL characters are left out, as from logs.
 */
export function receiveEvent(given: Event, maximumSizeBytes = DEFAULT_EVENT_LIMITS.maximumSizeBytes): string | undefined {
  const text = withoutUnstorable(revealZeros(toJson({ ...given, received: now() } satisfies ReceivedEvent)));
  // A UTF-16 unit is at most three bytes of UTF-8: short texts need no counting.
  return text.length * 3 > maximumSizeBytes && Buffer.byteLength(text) > maximumSizeBytes ? undefined : text;
}

const texts = () => z.array(z.string()).nullish();

/** Labels and the patterns that their values must match: any of a list, `*` and `?` as in file names, `!` in front negates. */
export const resourceSpecification = z.record(z.string(), taggedUnion({ str: z.string(), 'list[str]': z.array(z.string()) })).meta({ id: 'ResourceSpecification' });
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

const oneOrMore = <T extends z.ZodType>(name: string, schema: T) => taggedUnion<Record<string, T | z.ZodArray<T>>>({ [name]: schema, [`list[${name}]`]: z.array(schema) }).nullish();

/** Every empty list in it means "no restriction", unlike the filters of the other resources. */
export const eventFilter = z
  .strictObject({
    occurred: orElse(occurredFilter, () => ({ since: defaultSince(), until: now() })),
    event: nameFilter.nullish(),
    resource: resourceFilter.nullish(),
    related: oneOrMore('EventRelatedFilter', relatedFilter),
    any_resource: oneOrMore('EventAnyResourceFilter', anyResourceFilter),
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
