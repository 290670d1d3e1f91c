import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Sql } from '@praetor/database/sql';
import { measureQueue } from './actions/queue.ts';

/** How many actions wait, measured at each scrape: every replica sees the same. Without a database the numbers are missing rather than old. */
function registerQueueMetrics(registry: Registry, sql: Sql): void {
  // Both gauges of one scrape share one measurement.
  let measuring: ReturnType<typeof measureQueue> | undefined;
  const measure = () =>
    (measuring ??= measureQueue(sql).finally(() => {
      measuring = undefined;
    }));
  function register(name: string, help: string, read: (queue: Awaited<ReturnType<typeof measureQueue>>) => number): void {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      async collect() {
        const queue = await measure().catch(() => undefined);
        if (queue === undefined) this.reset();
        else this.set(read(queue));
      },
    });
    registry.registerMetric(gauge);
  }
  register('praetor_automation_actions_waiting', 'Actions that wait or are being carried out, over all replicas.', ({ waiting }) => waiting);
  register('praetor_automation_actions_oldest_seconds', 'How long the oldest of them has waited.', ({ oldestSeconds }) => oldestSeconds);
}

/** What the automations service counts; how far it is behind the events is measured by the broker's own metrics. */
export function createMetrics(registry: Registry, sql: Sql) {
  const registers = [registry];
  registerQueueMetrics(registry, sql);
  return {
    events: new Counter({ name: 'praetor_automation_events_total', help: 'Events taken from the stream, repeated ones included.', registers }),
    batchSeconds: new Histogram({ name: 'praetor_automation_batch_seconds', help: 'Time that evaluating one batch took.', buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5], registers }),
    firings: new Counter({ name: 'praetor_automation_firings_total', help: 'Firings of automations.', registers }),
    actions: new Counter({ name: 'praetor_automation_actions_total', help: 'Actions that are over, by kind and result.', labelNames: ['kind', 'result'], registers }),
    actionRetries: new Counter({ name: 'praetor_automation_action_retries_total', help: 'Attempts of actions that are to be repeated.', registers }),
    actionSeconds: new Histogram({ name: 'praetor_automation_action_seconds', help: 'Time from the firing to the end of an action.', buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60], registers }),
  };
}
