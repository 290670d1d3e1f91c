import { Counter, type Registry } from 'prom-client';

export function createMetrics(registry: Registry) {
  return {
    transitions: new Counter({ name: 'praetor_foreman_transitions_total', help: 'Workers, pools, deployments and queues found silent, by kind.', labelNames: ['kind'], registers: [registry] }),
  };
}
