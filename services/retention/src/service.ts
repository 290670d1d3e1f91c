import { orchestrationSettings } from '@praetor/orchestration/settings';
import type { CreateService } from '@praetor/runtime/service';
import type { TickWork } from '@praetor/runtime/tick';
import { createMetrics } from './metrics.ts';
import { deleteOldEvents, deleteOldEventsNamed } from './old-events.ts';
import { deleteOldFlowRuns } from './old-flow-runs.ts';
import { deleteOrphans, mendArtifactCollections } from './orphans.ts';

/** Deletes what is too old to keep: events, and where asked for flow runs and what lost its flow run (facts/services.md §10). */
export const createRetention: CreateService = ({ settings, database: { sql }, ticker, registry }) => {
  const metrics = createMetrics(registry);
  const { enabled, loopSeconds, orphanCleanupLoopSeconds, retentionPeriodSeconds, batchSize, eventRetentionOverrides } = settings.services.dbVacuum;
  const eventSeconds = settings.events.retentionPeriodSeconds;

  /**
   * Repeats a batch until it is not full. Each is a transaction of its own: nobody waits long for its locks. The first time all
   * of them may take hours.
   */
  async function deleteAll(kind: string, deleteBatch: () => Promise<number>, signal: AbortSignal, noteProgress: () => void): Promise<void> {
    let deleted: number;
    do {
      noteProgress();
      deleted = await deleteBatch();
      metrics.deleted.inc({ kind }, deleted);
    } while (deleted > 0 && !signal.aborted);
  }

  const deleteEvents: TickWork = async (signal, noteProgress) => {
    for (const [name, seconds] of Object.entries(eventRetentionOverrides))
      if (seconds < eventSeconds) await deleteAll('event', () => deleteOldEventsNamed(sql, name, seconds, batchSize), signal, noteProgress);
    await deleteAll('event', () => deleteOldEvents(sql, eventSeconds, batchSize), signal, noteProgress);
  };

  const deleteFlowRuns: TickWork = async (signal, noteProgress) => {
    const old = { olderThanSeconds: retentionPeriodSeconds, batchSize };
    await deleteAll('flow-run', () => deleteOldFlowRuns(sql, old, orchestrationSettings(settings), signal), signal, noteProgress);
  };

  const deleteLeftovers: TickWork = async (signal, noteProgress) => {
    metrics.deleted.inc({ kind: 'orphaned-log' }, await deleteOrphans(sql, 'log', batchSize, signal, noteProgress));
    metrics.deleted.inc({ kind: 'orphaned-artifact' }, await deleteOrphans(sql, 'artifact', batchSize, signal, noteProgress));
    await deleteAll('artifact-collection', () => mendArtifactCollections(sql, batchSize), signal, noteProgress);
  };

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
