import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import type { JsonObject } from '@praetor/schema/json';
import { type EventResource, type ServerEvent, eventResource, relatedResource } from './lifecycle-events.ts';

function selectLabels(db: Kysely<Tables>, ids: readonly string[]) {
  return db
    .selectFrom('deployment')
    .innerJoin('flow', 'flow.id', 'deployment.flow_id')
    .leftJoin('work_queue', 'work_queue.id', 'deployment.work_queue_id')
    .leftJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .select(['deployment.id', 'deployment.name', 'deployment.storage_document_id', 'deployment.infrastructure_document_id', 'deployment.concurrency_limit_id'])
    .select(['flow.id as flow_id', 'flow.name as flow_name', 'work_queue.id as queue_id', 'work_queue.name as queue_name'])
    .select(['work_pool.id as pool_id', 'work_pool.name as pool_name', 'work_pool.type as pool_type'])
    .where('deployment.id', 'in', ids)
    .orderBy('deployment.id');
}

type Row = Awaited<ReturnType<ReturnType<typeof selectLabels>['executeTakeFirstOrThrow']>>;

/** What a deployment depends on, in Prefect's order (facts/events.md §3). */
function relatedOf(row: Row): EventResource[] {
  const related = [relatedResource('flow', row.flow_id, row.flow_name)];
  if (row.queue_id !== null && row.queue_name !== null) related.push(relatedResource('work-queue', row.queue_id, row.queue_name));
  if (row.pool_id !== null && row.pool_name !== null && row.pool_type !== null)
    related.push(relatedWorkPool({ id: row.pool_id, name: row.pool_name, type: row.pool_type }));
  if (row.storage_document_id !== null) related.push(relatedResource('block-document', row.storage_document_id, undefined, 'storage'));
  if (row.infrastructure_document_id !== null) related.push(relatedResource('block-document', row.infrastructure_document_id, undefined, 'infrastructure'));
  if (row.concurrency_limit_id !== null) related.push(relatedResource('concurrency-limit', row.concurrency_limit_id));
  return related;
}

/** A work pool as a related resource, with its type. */
export function relatedWorkPool({ id, name, type }: { id: string; name: string; type: string }): EventResource {
  return relatedResource('work-pool', id, name, 'work-pool', { 'prefect.work-pool.type': type });
}

/** Events of these deployments as they stand now, in the order of their ids. */
export async function deploymentEvents(
  db: Kysely<Tables>,
  happening: 'created' | 'updated' | 'deleted' | 'ready' | 'not-ready',
  ids: readonly string[],
  payload: JsonObject = {},
): Promise<ServerEvent[]> {
  if (ids.length === 0) return [];
  const rows = await selectLabels(db, ids).execute();
  return rows.map((row) => ({ event: `prefect.deployment.${happening}`, resource: eventResource('deployment', row.id, row.name), related: relatedOf(row), payload }));
}
