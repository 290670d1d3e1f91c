import { Counter, type Registry } from 'prom-client';

export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    scheduled: new Counter({ name: 'praetor_scheduler_runs_total', help: 'Flow runs created from schedules.', registers }),
    failed: new Counter({ name: 'praetor_scheduler_failed_deployments_total', help: 'Times that a deployment could not be scheduled.', registers }),
  };
}
