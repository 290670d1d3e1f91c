import { Counter, type Registry } from 'prom-client';

export function createMetrics(registry: Registry) {
  return {
    deleted: new Counter({ name: 'praetor_retention_deleted_total', help: 'Rows deleted because of their age or because what they belong to is gone, by kind.', labelNames: ['kind'], registers: [registry] }),
  };
}
