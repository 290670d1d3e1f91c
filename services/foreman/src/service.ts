import type { Transaction } from 'kysely';
import { retryOnce } from '@praetor/database/errors';
import type { Tables } from '@praetor/database/tables';
import { change } from '@praetor/orchestration/changes';
import type { ServerEvent } from '@praetor/orchestration/lifecycle-events';
import { markDeploymentsNotReady, markPoolsNotReady, markQueuesNotReady, markWorkersOffline } from '@praetor/orchestration/readiness';
import type { CreateService } from '@praetor/runtime/service';
import { createMetrics } from './metrics.ts';

type Step = (db: Transaction<Tables>) => Promise<ServerEvent[]>;

/** Notices who has fallen silent: workers, then pools, deployments and queues (facts/services.md §6). */
export const createForeman: CreateService = (context) => {
  const { settings, database, ticker, registry } = context;
  const metrics = createMetrics(registry);
  const { enabled, loopSeconds, ...patience } = settings.services.foreman;
  const steps: [kind: string, step: Step][] = [
    ['work-pool', (db) => markPoolsNotReady(db, patience.workQueueLastPolledTimeoutSeconds)],
    ['deployment', (db) => markDeploymentsNotReady(db, patience.deploymentLastPolledTimeoutSeconds)],
    ['work-queue', (db) => markQueuesNotReady(db, patience.workQueueLastPolledTimeoutSeconds)],
  ];

  async function inspect(): Promise<void> {
    const offline = await retryOnce(() => markWorkersOffline(database.kysely, patience.inactivityHeartbeatMultiple, patience.fallbackHeartbeatIntervalSeconds));
    metrics.transitions.inc({ kind: 'worker' }, offline);
    for (const [kind, step] of steps) {
      const found = await change(context, async (db, emit) => {
        const events = await step(db);
        for (const event of events) emit(event);
        return events.length;
      });
      metrics.transitions.inc({ kind }, found);
    }
  }

  return {
    name: 'foreman',
    async run(signal) {
      if (enabled) await ticker.every('foreman', loopSeconds, inspect, signal);
    },
  };
};
