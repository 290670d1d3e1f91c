import { relatedWorkPool } from '@praetor/orchestration/deployment-events';
import { type ServerEvent, relatedResource } from '@praetor/orchestration/lifecycle-events';
import type { JsonObject } from '@praetor/schema/json';
import type { WorkPool } from '@praetor/schema/work-pool';

type Labelled = Pick<WorkPool, 'id' | 'name' | 'type'>;

/** A pool was created or deleted. */
export function workPoolEvent(happening: 'created' | 'deleted', pool: Pick<WorkPool, 'id' | 'name' | 'type' | 'default_queue_id' | 'storage_configuration'>): ServerEvent {
  const { default_queue_id: queueId, storage_configuration: storage } = pool;
  const related = [
    ...(queueId === null ? [] : [relatedResource('work-queue', queueId, undefined, 'default-queue')]),
    ...(storage.default_result_storage_block_id ? [relatedResource('block-document', storage.default_result_storage_block_id, undefined, 'result-storage')] : []),
  ];
  return { event: `prefect.work-pool.${happening}`, resource: relatedWorkPool(pool), related };
}

/** Fields of a pool changed: `updates` tells from what to what. */
export function workPoolUpdatedEvent(pool: Labelled, updates: JsonObject): ServerEvent {
  return { event: 'prefect.work-pool.updated', resource: relatedWorkPool(pool), payload: { updated_fields: Object.keys(updates), updates } };
}
