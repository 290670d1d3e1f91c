import { classifyDatabaseError } from '@praetor/database/errors';
import { scheduleRuns } from '@praetor/orchestration/scheduled-runs';
import type { CreateService } from '@praetor/runtime/service';
import { type DeploymentPage, findChangedDeployments, findDeploymentsLackingRuns } from './deployments.ts';
import { createMetrics } from './metrics.ts';

type FindDeployments = (page: DeploymentPage) => Promise<string[]>;

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
      const onFault = (scheduleId: string, error: unknown) => {
        metrics.failed.inc();
        logger.error({ error, deploymentId, scheduleId }, 'a schedule could not be planned');
      };
      const created = await scheduleRuns(database, deploymentId, { horizon, batchSize, onFault });
      metrics.scheduled.inc(created.length);
    } catch (error) {
      // One deployment that cannot be scheduled must not stop the others; without a database there are none.
      if (classifyDatabaseError(error) === 'unavailable') throw error;
      metrics.failed.inc();
      logger.error({ error, deploymentId }, 'a deployment could not be scheduled');
    }
  }

  async function scheduleAll(find: FindDeployments, signal: AbortSignal, noteProgress: () => void): Promise<void> {
    let after: string | undefined;
    do {
      const found = await find({ after, size: deploymentBatchSize });
      for (const id of found) {
        if (signal.aborted) return;
        noteProgress();
        await schedule(id);
      }
      after = found.length < deploymentBatchSize ? undefined : found.at(-1);
    } while (after !== undefined);
  }

  return {
    name: 'scheduler',
    async run(signal) {
      if (!enabled) return;
      const lacking: FindDeployments = (page) => findDeploymentsLackingRuns(database.sql, horizon, page);
      const changed: FindDeployments = (page) => findChangedDeployments(database.sql, recentDeploymentsLoopSeconds + OVERLAP_SECONDS, page);
      await Promise.all([
        ticker.every('schedules', loopSeconds, (...tick) => scheduleAll(lacking, ...tick), signal),
        ticker.every('recent-schedules', recentDeploymentsLoopSeconds, (...tick) => scheduleAll(changed, ...tick), signal),
      ]);
    },
  };
};
