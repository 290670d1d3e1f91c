import { classifyDatabaseError, retryOnce } from '@praetor/database/errors';
import type { CreateService } from '@praetor/runtime/service';
import { splitBySize } from '@praetor/streams/split-by-size';
import { createMetrics } from './metrics.ts';
import { relayOutbox } from './relay.ts';
import { storeEvents } from './store-events.ts';

/** Events of one statement, in characters of JSON: below it the number of events decides, beyond it Postgres's memory. */
const MAXIMUM_BATCH_CHARACTERS = 16_000_000;
const RELAY = { afterSeconds: 5, againAfterSeconds: 60 };
const STUCK_AFTER_SECONDS = 60;

/** Moves events from the stream into the database, publishes what is left in the outbox, and keeps the stream short. */
export const createEventPersister: CreateService = ({ settings, database, broker, ticker, registry, health }) => {
  const metrics = createMetrics(registry);

  async function store(events: readonly string[]): Promise<void> {
    const stopTimer = metrics.batchSeconds.startTimer();
    const inserted = await retryOnce(() => storeEvents(database.sql, events));
    stopTimer();
    metrics.batchSize.observe(events.length);
    metrics.persisted.inc(inserted);
    metrics.duplicates.inc(events.length - inserted);
  }

  return {
    name: 'event-persister',
    async run(signal) {
      await Promise.all([
        broker.consume({
          topic: 'events',
          group: 'event-persister',
          batchSize: settings.services.eventPersister.batchSize,
          maxAttempts: settings.streams.maxDeliveries,
          handle: async (messages) => {
            for (const part of splitBySize(messages.map((message) => message.data), MAXIMUM_BATCH_CHARACTERS)) await store(part);
          },
          isOutage: (error) => classifyDatabaseError(error) === 'unavailable',
          onProgress: () => health.noteProgress('event-persister', STUCK_AFTER_SECONDS),
          signal,
        }),
        ticker.every(
          'outbox-relay',
          settings.streams.relayLoopSeconds,
          async (tickSignal) => metrics.relayed.inc(await relayOutbox(database.sql, broker, RELAY, tickSignal)),
          signal,
        ),
        ticker.every('trim-streams', settings.streams.trimLoopSeconds, () => broker.trim('events'), signal),
      ]);
    },
  };
};
