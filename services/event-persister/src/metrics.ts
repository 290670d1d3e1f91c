import { Counter, Histogram, type Registry } from 'prom-client';

/** What the event persister counts; how far it is behind is measured by the broker's own metrics. */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    persisted: new Counter({ name: 'praetor_events_persisted_total', help: 'Events stored for the first time.', registers }),
    duplicates: new Counter({ name: 'praetor_events_duplicate_total', help: 'Events that had been stored before.', registers }),
    relayed: new Counter({ name: 'praetor_events_relayed_total', help: 'Events published from the outbox by the relay.', registers }),
    batchSize: new Histogram({ name: 'praetor_events_batch_size', help: 'Events stored by one statement.', buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500], registers }),
    batchSeconds: new Histogram({ name: 'praetor_events_batch_seconds', help: 'Time that storing one batch took.', buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5], registers }),
  };
}
