import { expireCleanupReservations } from '@praetor/orchestration/cleanup-messages';
import { releaseExpiredLeases } from '@praetor/orchestration/leases';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import type { CreateService } from '@praetor/runtime/service';
import { createMetrics } from './metrics.ts';

const BATCH_SIZE = 100;

/** Takes back what nobody renewed: slots of concurrency limits, and clean-up work of workers (facts/services.md §5, §7). */
export const createLeaseCleanup: CreateService = ({ settings, database, ticker, registry }) => {
  const metrics = createMetrics(registry);
  const { workerChannel, services } = settings;
  const policy = { leaseSeconds: workerChannel.cleanupLeaseSeconds, maxDeliveries: workerChannel.cleanupMaxDeliveryAttempts };

  async function releaseAllExpired(signal: AbortSignal): Promise<void> {
    let released: number;
    do {
      released = await releaseExpiredLeases(database.sql, BATCH_SIZE, orchestrationSettings(settings));
      metrics.released.inc(released);
    } while (released === BATCH_SIZE && !signal.aborted);
  }

  async function expireAllReservations(signal: AbortSignal): Promise<void> {
    const { batchSize } = services.cleanupReconciler;
    let ended: number;
    do {
      const { redelivered, died } = await expireCleanupReservations(database.sql, batchSize, policy);
      metrics.cleanup.inc({ outcome: 'redelivered' }, redelivered);
      metrics.cleanup.inc({ outcome: 'died' }, died);
      ended = redelivered + died;
    } while (ended === batchSize && !signal.aborted);
  }

  const rounds = [
    { ...services.repossessor, name: 'expired-leases', work: releaseAllExpired },
    { ...services.cleanupReconciler, name: 'expired-cleanup', work: expireAllReservations },
  ];
  return {
    name: 'lease-cleanup',
    async run(signal) {
      await Promise.all(rounds.filter(({ enabled }) => enabled).map(({ name, loopSeconds, work }) => ticker.every(name, loopSeconds, work, signal)));
    },
  };
};
