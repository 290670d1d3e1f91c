import { classifyDatabaseError } from '@praetor/database/errors';
import { scheduleRuns } from '@praetor/orchestration/scheduled-runs';
import type { CreateService } from '@praetor/runtime/service';
import { type DeploymentPage, findChangedDeployments, findDeploymentsLackingRuns } from './deployments.ts';
import { createMetrics } from './metrics.ts';

/** A deployment that changed while the last look was going on is to be seen by the next. */
const OVERLAP_SECONDS = 1;

/** Creates the runs of schedules ahead of time: for all deployments now and then, for those just changed at once (facts/services.md §1). */
export const createScheduler: CreateService = ({ settings, database, ticker, registry, logger }) => {
  const metrics = createMetrics(registry);
  const { enabled, loopSeconds, recentDeploymentsLoopSeconds, deploymentBatchSize, insertBatchSize: batchSize, ...limits } = settings.services.scheduler;
  const horizon = {
    minimumRuns: limits.minRuns,
    maximumRuns: limits.maxRuns,
    minimumSeconds: limits.minScheduledTimeSeconds,
    maximumSeconds: limits.maxScheduledTimeSeconds,
  };

  async function schedule(deploymentId: string): Promise<void> {
    try {
      const created = await scheduleRuns(database, deploymentId, { horizon, batchSize });
      metrics.scheduled.inc(created.length);
    } catch (error) {
      // One deployment that cannot be scheduled must not stop the others; without a database there are none.
      if (classifyDatabaseError(error) === 'unavailable') throw error;
      metrics.failed.inc();
      logger.error({ error, deploymentId }, 'a deployment could not be scheduled');
    }
  }

  async function scheduleAll(find: (page: DeploymentPage) => Promise<string[]>, signal: AbortSignal): Promise<void> {
    let page: DeploymentPage = { after: undefined, size: deploymentBatchSize };
    for (;;) {
      const found = await find(page);
      for (const id of found) {
        if (signal.aborted) return;
        await schedule(id);
      }
      if (found.length < page.size) return;
      page = { ...page, after: found.at(-1) };
    }
  }

  return {
    name: 'scheduler',
    async run(signal) {
      if (!enabled) return;
      const lacking = (page: DeploymentPage) => findDeploymentsLackingRuns(database.sql, horizon, page);
      const changed = (page: DeploymentPage) => findChangedDeployments(database.sql, recentDeploymentsLoopSeconds + OVERLAP_SECONDS, page);
      await Promise.all([
        ticker.every('schedules', loopSeconds, (tickSignal) => scheduleAll(lacking, tickSignal), signal),
        ticker.every('recent-schedules', recentDeploymentsLoopSeconds, (tickSignal) => scheduleAll(changed, tickSignal), signal),
      ]);
    },
  };
};
