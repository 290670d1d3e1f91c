import { releaseExpiredLeases } from '@praetor/orchestration/leases';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import type { CreateService } from '@praetor/runtime/service';
import { createMetrics } from './metrics.ts';

const BATCH_SIZE = 100;

/** Gives back the slots of leases that nobody renewed (Prefect's repossessor, facts/services.md §7). */
export const createLeaseCleanup: CreateService = ({ settings, database, ticker, registry }) => {
  const metrics = createMetrics(registry);
  const { enabled, loopSeconds } = settings.services.repossessor;

  async function releaseAllExpired(signal: AbortSignal): Promise<void> {
    let released: number;
    do {
      released = await releaseExpiredLeases(database.sql, BATCH_SIZE, orchestrationSettings(settings));
      metrics.released.inc(released);
    } while (released === BATCH_SIZE && !signal.aborted);
  }

  return {
    name: 'lease-cleanup',
    async run(signal) {
      if (enabled) await ticker.every('expired-leases', loopSeconds, releaseAllExpired, signal);
    },
  };
};
