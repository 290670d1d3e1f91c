import { relatedWorkPool } from '@praetor/orchestration/deployment-events';
import { type ServerEvent, relatedResource } from '@praetor/orchestration/lifecycle-events';
import type { JsonObject } from '@praetor/schema/json';
import type { WorkQueue } from '@praetor/schema/work-queue';

/** The pool of a queue, as events name it. */
export interface PoolLabels {
  id: string;
  name: string;
  type: string;
}

export function workQueueEvent(happening: 'created' | 'updated' | 'deleted', queue: Pick<WorkQueue, 'id' | 'name'>, pool: PoolLabels, payload: JsonObject = {}): ServerEvent {
  return {
    event: `prefect.work-queue.${happening}`,
    resource: relatedResource('work-queue', queue.id, queue.name),
    related: [relatedWorkPool(pool)],
    payload,
  };
}
