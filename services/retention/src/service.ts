import { orchestrationSettings } from '@praetor/orchestration/settings';
import type { CreateService } from '@praetor/runtime/service';
import { createMetrics } from './metrics.ts';
import { deleteOldEvents, deleteOldEventsNamed } from './old-events.ts';
import { deleteOldFlowRuns } from './old-flow-runs.ts';
import { deleteOrphans, mendArtifactCollections } from './orphans.ts';

/** Deletes what is too old to keep: events, and where asked for flow runs and what lost its flow run (facts/services.md §10). */
export const createRetention: CreateService = ({ settings, database: { sql }, ticker, registry }) => {
  const metrics = createMetrics(registry);
  const { enabled, loopSeconds, orphanCleanupLoopSeconds, retentionPeriodSeconds, batchSize, eventRetentionOverrides } = settings.services.dbVacuum;
  const eventSeconds = settings.events.retentionPeriodSeconds;

  /** Repeats a batch until it is not full. Each is a transaction of its own: nobody waits long for its locks. */
  async function deleteAll(kind: string, deleteBatch: () => Promise<number>, signal: AbortSignal): Promise<void> {
    let deleted: number;
    do {
      deleted = await deleteBatch();
      metrics.deleted.inc({ kind }, deleted);
    } while (deleted > 0 && !signal.aborted);
  }

  async function deleteEvents(signal: AbortSignal): Promise<void> {
    for (const [name, seconds] of Object.entries(eventRetentionOverrides))
      if (seconds < eventSeconds) await deleteAll('event', () => deleteOldEventsNamed(sql, name, seconds, batchSize), signal);
    await deleteAll('event', () => deleteOldEvents(sql, eventSeconds, batchSize), signal);
  }

  async function deleteFlowRuns(signal: AbortSignal): Promise<void> {
    const old = { olderThanSeconds: retentionPeriodSeconds, batchSize };
    await deleteAll('flow-run', () => deleteOldFlowRuns(sql, old, orchestrationSettings(settings), signal), signal);
  }

  async function deleteLeftovers(signal: AbortSignal): Promise<void> {
    metrics.deleted.inc({ kind: 'orphaned-log' }, await deleteOrphans(sql, 'log', batchSize, signal));
    metrics.deleted.inc({ kind: 'orphaned-artifact' }, await deleteOrphans(sql, 'artifact', batchSize, signal));
    await deleteAll('artifact-collection', () => mendArtifactCollections(sql, batchSize), signal);
  }

  return {
    name: 'retention',
    async run(signal) {
      await Promise.all([
        enabled.includes('events') && ticker.every('old-events', loopSeconds, deleteEvents, signal),
        enabled.includes('flow_runs') && ticker.every('old-flow-runs', loopSeconds, deleteFlowRuns, signal),
        enabled.includes('orphans') && ticker.every('orphans', orphanCleanupLoopSeconds, deleteLeftovers, signal),
      ]);
    },
  };
};
