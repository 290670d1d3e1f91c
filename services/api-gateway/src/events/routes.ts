import { z } from 'zod';
import { UnprocessableError } from '@praetor/schema/errors';
import { type EventFilter, type EventLimits, createEventSchema, event, eventFilter, receiveEvent, receivedEvent } from '@praetor/schema/event';
import { float, integer, timestamp } from '@praetor/schema/primitives';
import { now } from '@praetor/schema/timestamps';
import type { GatewayContext } from '../context.ts';
import { bodyParameters } from '../http/body.ts';
import { type Resource, route } from '../http/route.ts';
import { validate } from '../http/validation.ts';
import { type PageToken, readPageToken, writePageToken } from './page-token.ts';
import { type EventCount, countByBucket, countByEvent, countByResource, countEvents, listEvents } from './queries.ts';
import { TIME_UNITS, type TimeUnit, bucketCount, spans, timeBuckets } from './time-buckets.ts';

const MAXIMUM_PAGE_SIZE = 50;
const MAXIMUM_BUCKETS = 1000;

const eventPage = z
  .object({ events: z.array(receivedEvent), total: integer(), next_page: z.string().min(1).meta({ format: 'uri' }).nullable().meta({ required: true }) })
  .meta({ id: 'EventPage' });

const eventCount = z
  .object({ value: z.string(), label: z.string(), count: integer(), start_time: timestamp(), end_time: timestamp() })
  .meta({ id: 'EventCount' });

const eventSchemas = new WeakMap<EventLimits, ReturnType<typeof createEventSchema>>();

/** The schema of events within a server's limits, made once for each server. */
function eventWithin(limits: EventLimits) {
  const schema = eventSchemas.get(limits) ?? createEventSchema(limits);
  eventSchemas.set(limits, schema);
  return schema;
}

/** One page, with the link to the next while there is more. */
async function readPage({ filter, count, page_size, offset }: PageToken, baseUrl: string, { database }: GatewayContext) {
  const events = await listEvents(database.kysely, filter, { limit: page_size, offset });
  const next = offset + page_size;
  const next_page = next < count ? `${baseUrl}/events/filter/next?page-token=${writePageToken({ filter, count, page_size, offset: next })}` : null;
  return { events, total: count, next_page };
}

/** Throws UnprocessableError. */
function requireFewBuckets({ occurred }: EventFilter, unit: TimeUnit, interval: number): void {
  const count = bucketCount(occurred.since, occurred.until, unit, interval);
  if (count > MAXIMUM_BUCKETS) throw new UnprocessableError(`That makes ${count} buckets, of which ${MAXIMUM_BUCKETS} are allowed: ask for longer ones or a shorter time.`);
}

async function countByTime(filter: EventFilter, unit: TimeUnit, interval: number, { database }: GatewayContext): Promise<EventCount[]> {
  const { since, until } = filter.occurred;
  const buckets = timeBuckets(since, until, unit, interval, now());
  const counts = await countByBucket(database.kysely, filter, buckets);
  return [...spans(buckets)].map(({ start, end }, index) => ({
    value: String(index),
    label: start.replace('Z', '+00:00'),
    count: counts.get(index) ?? 0,
    start_time: start,
    end_time: end,
  }));
}

export const events: Resource = {
  prefix: '/events',
  tag: 'Events',
  routes: [
    route({
      method: 'post',
      path: '',
      name: 'create_events',
      // Which events are valid is for the settings to say.
      body: z.array(z.unknown()).meta({ describedAs: z.array(event) }),
      status: 204,
      handler: async ({ body }, { broker, settings }) => {
        const given = validate(z.array(eventWithin(settings.events)), body, ['body'], body);
        const texts = given.flatMap((event) => receiveEvent(event, settings.events.maximumSizeBytes) ?? []);
        if (texts.length > 0) await broker.publish('events', texts);
      },
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_events',
      body: bodyParameters({ filter: eventFilter.nullish(), limit: integer((limit) => limit.min(0).max(MAXIMUM_PAGE_SIZE)).default(MAXIMUM_PAGE_SIZE) }),
      response: eventPage,
      status: 200,
      handler: async ({ body, baseUrl }, context) => {
        const filter = body.filter ?? eventFilter.parse({});
        const count = await countEvents(context.database.kysely, filter);
        return await readPage({ filter, count, page_size: body.limit, offset: 0 }, baseUrl, context);
      },
    }),
    route({
      method: 'get',
      path: '/filter/next',
      name: 'read_account_events_page',
      query: { 'page-token': z.string() },
      response: eventPage,
      status: 200,
      handler: ({ query, baseUrl }, context) => readPage(readPageToken(query['page-token']), baseUrl, context),
    }),
    route({
      method: 'post',
      path: '/count-by/{countable}',
      name: 'count_account_events',
      params: { countable: z.enum(['day', 'time', 'event', 'resource']).meta({ id: 'Countable', converted: false }) },
      body: bodyParameters({
        filter: eventFilter,
        time_unit: z.enum(TIME_UNITS).meta({ id: 'TimeUnit' }).default('day'),
        time_interval: float((interval) => interval.min(0.01)).default(1),
      }),
      response: z.array(eventCount),
      status: 200,
      handler: ({ params, body: { filter, time_unit, time_interval } }, context) => {
        // Prefect looks at unit and interval also where it does not count by them.
        requireFewBuckets(filter, time_unit, time_interval);
        if (params.countable === 'event') return countByEvent(context.database.kysely, filter);
        if (params.countable === 'resource') return countByResource(context.database.kysely, filter);
        if (params.countable === 'time') return countByTime(filter, time_unit, time_interval, context);
        requireFewBuckets(filter, 'day', 1);
        return countByTime(filter, 'day', 1, context);
      },
    }),
  ],
};
