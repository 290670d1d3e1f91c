import { Counter, Gauge, type Registry } from 'prom-client';
import type { Broker, GroupLag } from '@praetor/streams/broker';

/**
 * Exports how far each group is behind (every replica sees the same), and what happened to this process's own connection.
 * Measured at each scrape; while Redis is away the lags are missing rather than old.
 */
export function registerBrokerMetrics(registry: Registry, broker: Broker): void {
  function count(name: string, help: string, read: () => number): void {
    const counter = new Counter({
      name,
      help,
      registers: [],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
    registry.registerMetric(counter);
  }
  count('praetor_stream_reconnections_total', 'Times that a lost connection to the streams came back.', () => broker.counters.reconnections);
  count('praetor_stream_dead_letters_total', 'Messages given up after too many failures.', () => broker.counters.deadLetters);
  count('praetor_stream_lost_total', 'Messages that vanished before their group had acknowledged them.', () => broker.counters.lost);

  // The gauges of one scrape share one measurement.
  let measuring: Promise<GroupLag[]> | undefined;
  const measure = () =>
    (measuring ??= broker
      .lag()
      .catch(() => [])
      .finally(() => {
        measuring = undefined;
      }));

  function measureGroups(name: string, help: string, read: (lag: GroupLag) => number): void {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['topic', 'group'],
      registers: [],
      async collect() {
        const lags = await measure();
        this.reset();
        for (const lag of lags) this.set({ topic: lag.topic, group: lag.group }, read(lag));
      },
    });
    registry.registerMetric(gauge);
  }
  measureGroups('praetor_stream_lag', 'Messages not yet handed to the group.', ({ lag }) => lag);
  measureGroups('praetor_stream_pending', 'Messages handed to the group and not acknowledged.', ({ pending }) => pending);
  measureGroups('praetor_stream_oldest_seconds', 'Time that the oldest message of the group has waited.', ({ oldestSeconds }) => oldestSeconds);
}
