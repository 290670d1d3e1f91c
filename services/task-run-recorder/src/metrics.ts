import { Counter, Histogram, type Registry } from 'prom-client';

/** What the task-run recorder counts; how far it is behind is measured by the broker's own metrics. */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    recorded: new Counter({ name: 'praetor_task_run_events_recorded_total', help: 'Task-run events recorded, repeated ones included.', registers }),
    batchSize: new Histogram({ name: 'praetor_task_run_events_batch_size', help: 'Task-run events recorded by one transaction.', buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500], registers }),
    batchSeconds: new Histogram({ name: 'praetor_task_run_events_batch_seconds', help: 'Time that recording one batch took.', buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5], registers }),
  };
}
