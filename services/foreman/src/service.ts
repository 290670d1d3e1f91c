import type { Transaction } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { type OutboxEvent, type ServerEvent, insertEvents } from '@praetor/orchestration/lifecycle-events';
import { markDeploymentsNotReady, markPoolsNotReady, markQueuesNotReady, markWorkersOffline } from '@praetor/orchestration/readiness';
import type { CreateService } from '@praetor/runtime/service';
import { publishOutboxEvents } from '@praetor/streams/outbox';
import { createMetrics } from './metrics.ts';

type Step = (db: Transaction<Tables>) => Promise<ServerEvent[]>;

/** Notices who has fallen silent: workers, then pools, deployments and queues (facts/services.md §6). */
export const createForeman: CreateService = ({ settings, database, broker, ticker, registry, logger }) => {
  const metrics = createMetrics(registry);
  const { enabled, loopSeconds, ...patience } = settings.services.foreman;
  const steps: [kind: string, step: Step][] = [
    ['work-pool', (db) => markPoolsNotReady(db, patience.workQueueLastPolledTimeoutSeconds)],
    ['deployment', (db) => markDeploymentsNotReady(db, patience.deploymentLastPolledTimeoutSeconds)],
    ['work-queue', (db) => markQueuesNotReady(db, patience.workQueueLastPolledTimeoutSeconds)],
  ];

  async function inspect(): Promise<void> {
    const offline = await markWorkersOffline(database.kysely, patience.inactivityHeartbeatMultiple, patience.fallbackHeartbeatIntervalSeconds);
    metrics.transitions.inc({ kind: 'worker' }, offline);
    for (const [kind, step] of steps) {
      const events: OutboxEvent[] = await database.kysely.transaction().execute(async (db) => insertEvents(db, await step(db)));
      metrics.transitions.inc({ kind }, events.length);
      publishOutboxEvents(broker, events, (error) => logger.warn({ error }, 'events wait in the outbox'));
    }
  }

  return {
    name: 'foreman',
    async run(signal) {
      if (enabled) await ticker.every('foreman', loopSeconds, inspect, signal);
    },
  };
};
