import { Counter, Gauge, type Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** What the broadcaster counts, by feed. */
export function createMetrics(registry: Registry, feeds: readonly { readonly name: string; readonly subscribers: number }[]) {
  const labelNames = ['feed'] as const;
  const registers = [registry];
  return {
    subscribers: new Gauge({
      name: 'praetor_broadcast_subscribers',
      help: 'Connections that listen.',
      labelNames,
      registers,
      collect() {
        for (const feed of feeds) this.set({ feed: feed.name }, feed.subscribers);
      },
    }),
    dropped: new Counter({ name: 'praetor_broadcast_dropped_total', help: 'Messages that a connection was too slow for.', labelNames, registers }),
  };
}
