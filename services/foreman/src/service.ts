import type { Transaction } from 'kysely';
import { retryOnce } from '@praetor/database/errors';
import type { Tables } from '@praetor/database/tables';
import { change } from '@praetor/orchestration/changes';
import type { ServerEvent } from '@praetor/orchestration/lifecycle-events';
import { markDeploymentsNotReady, markPoolsNotReady, markQueuesNotReady, markWorkersOffline } from '@praetor/orchestration/readiness';
import type { CreateService } from '@praetor/runtime/service';
import { createMetrics } from './metrics.ts';

/** Looks for one kind of thing that has fallen silent. Gives how many it found. */
type Step = () => Promise<number>;

/** Notices who has fallen silent: workers, then pools, deployments and queues (facts/services.md §6). */
export const createForeman: CreateService = (context) => {
  const { settings, database, ticker, registry } = context;
  const metrics = createMetrics(registry);
  const { enabled, loopSeconds, ...patience } = settings.services.foreman;

  const told = (mark: (db: Transaction<Tables>) => Promise<ServerEvent[]>) =>
    change(context, async (db, emit) => {
      const events = await mark(db);
      for (const event of events) emit(event);
      return events.length;
    });
  const steps: Record<string, Step> = {
    worker: () => retryOnce(() => markWorkersOffline(database.kysely, patience.inactivityHeartbeatMultiple, patience.fallbackHeartbeatIntervalSeconds)),
    'work-pool': () => told((db) => markPoolsNotReady(db, patience.workQueueLastPolledTimeoutSeconds)),
    deployment: () => told((db) => markDeploymentsNotReady(db, patience.deploymentLastPolledTimeoutSeconds)),
    'work-queue': () => told((db) => markQueuesNotReady(db, patience.workQueueLastPolledTimeoutSeconds)),
  };

  async function inspect(): Promise<void> {
    const failures: unknown[] = [];
    // One step that fails must not keep the others from being done; the tick has failed all the same.
    for (const [kind, step] of Object.entries(steps))
      await step().then(
        (found) => metrics.transitions.inc({ kind }, found),
        (error: unknown) => failures.push(error),
      );
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, 'several steps of the foreman failed');
  }

  return {
    name: 'foreman',
    async run(signal) {
      if (enabled) await ticker.every('foreman', loopSeconds, inspect, signal);
    },
  };
};
