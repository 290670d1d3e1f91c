import type { SocketRoute } from '@praetor/runtime/sockets';
import type { ServiceContext } from '@praetor/runtime/service';
import { type EventFilter, type ReceivedEvent, eventFilter } from '@praetor/schema/event';
import { createEventMatcher } from '@praetor/schema/event-matching';
import { toJson } from '@praetor/schema/json';
import { addSeconds, now, toMicroseconds } from '@praetor/schema/timestamps';
import { Backlog } from './backlog.ts';
import type { Item, LiveFeed } from './live-feed.ts';
import type { Metrics } from './metrics.ts';
import { readPastEvents } from './past-events.ts';
import { receiveSubscription } from './subscription.ts';

/** Ids of sent events that are remembered: enough for what is both stored and live, and for what clients send twice. */
const REMEMBERED = 10_000;

/** How far back a subscriber may look is limited. */
function clamp(filter: EventFilter, seconds: number): EventFilter {
  const earliest = addSeconds(now(), -seconds);
  const since = toMicroseconds(filter.occurred.since) < toMicroseconds(earliest) ? earliest : filter.occurred.since;
  return { ...filter, occurred: { ...filter.occurred, since } };
}

/** Tells whether an id comes for the first time, as far as it remembers. */
function createMemory(size: number): (id: string) => boolean {
  const ids = new Set<string>();
  return (id) => {
    if (ids.has(id)) return false;
    ids.add(id);
    const [oldest] = ids;
    if (ids.size > size && oldest !== undefined) ids.delete(oldest);
    return true;
  };
}

/** Events for subscribers (facts/hidden-endpoints.md §6): the past as far as wanted, then what happens, each event once. */
export function createEventsOut({ settings, database }: ServiceContext, feed: LiveFeed<ReceivedEvent>, metrics: Metrics): SocketRoute {
  const { streamOutEnabled, maximumWebsocketBackfillSeconds, websocketBackfillPageSize } = settings.events;
  return {
    path: '/events/out',
    async handle(connection) {
      const subscription = await receiveSubscription(connection, eventFilter);
      if (!subscription) return;
      connection.ignoreInput();
      if (!streamOutEnabled) return connection.untilEnd();

      const filter = clamp(subscription.filter, maximumWebsocketBackfillSeconds);
      const matches = createEventMatcher(filter);
      const isNew = createMemory(REMEMBERED);
      const send = async (id: string, text: string) => {
        if (!connection.signal.aborted && isNew(id)) await connection.send(`{"type":"event","event":${text}}`);
      };
      const backlog = new Backlog<Item<ReceivedEvent>>(connection.signal, () => metrics.dropped.inc({ feed: feed.name }));
      // The live feed first: in the other order, what happens in between would be missed.
      using _subscribed = feed.subscribe((item) => {
        if (matches(item.value)) backlog.push(item);
      });
      if (subscription.backfill) {
        const recent = feed.recent().filter((item) => matches(item.value));
        for await (const page of readPastEvents(database.kysely, filter, websocketBackfillPageSize)) {
          for (const event of page) await send(event.id, toJson(event));
          if (connection.signal.aborted) return;
        }
        for (const { value, text } of recent) await send(value.id, text);
      }
      for await (const { value, text } of backlog) await send(value.id, text);
    },
  };
}
