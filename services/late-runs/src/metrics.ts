import { Counter, type Registry } from 'prom-client';

/** What the service of late runs counts: states it has set, by the reason. */
export function createMetrics(registry: Registry) {
  return {
    settled: new Counter({ name: 'praetor_late_runs_settled_total', help: 'Runs given a new state, by reason.', labelNames: ['reason'], registers: [registry] }),
  };
}
