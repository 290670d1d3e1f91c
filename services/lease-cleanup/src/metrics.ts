import { Counter, type Registry } from 'prom-client';

export function createMetrics(registry: Registry) {
  return {
    released: new Counter({ name: 'praetor_leases_expired_total', help: 'Leases ended because nobody renewed them.', registers: [registry] }),
    cleanup: new Counter({ name: 'praetor_cleanup_reservations_expired_total', help: 'Clean-up work taken back from workers, by what became of it.', labelNames: ['outcome'], registers: [registry] }),
  };
}
