import type { Broker } from './broker.ts';

/**
 * Publishes the events of a change that has just been committed, without making its answer wait. The rows in the outbox
 * are still there: whatever fails here (`onFailure` hears of it) is published by the event persister's relay later.
 */
export function publishOutboxEvents(broker: Broker, events: readonly { body: string }[], onFailure: (error: unknown) => void): void {
  if (events.length === 0) return;
  broker
    .publish(
      'events',
      events.map((event) => event.body),
    )
    .catch(onFailure);
}
