import { type Insertable, type Kysely, type Selectable, type Updateable, sql } from 'kysely';
import type { Condition } from '@praetor/database/filter';
import type { DeploymentTable, Tables } from '@praetor/database/tables';
import type { Deployment } from '@praetor/schema/deployment';
import type { DeploymentSort } from '@praetor/schema/filters/deployment';
import type { Page } from '../http/pagination.ts';
import { listSchedules } from './schedules.ts';

/** Deployments with all that an answer tells of their queue, pool and limit. */
function selectDeployments(db: Kysely<Tables>) {
  return db
    .selectFrom('deployment')
    .leftJoin('work_queue', 'work_queue.id', 'deployment.work_queue_id')
    .leftJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .leftJoin('concurrency_limit_v2', 'concurrency_limit_v2.id', 'deployment.concurrency_limit_id')
    .selectAll('deployment')
    .select(['work_queue.name as queue_name', 'work_pool.name as pool_name'])
    .select([
      'concurrency_limit_v2.created as limit_created',
      'concurrency_limit_v2.updated as limit_updated',
      'concurrency_limit_v2.active as limit_active',
      'concurrency_limit_v2.name as limit_name',
      'concurrency_limit_v2.limit as limit_limit',
      'concurrency_limit_v2.active_slots as limit_active_slots',
      'concurrency_limit_v2.slot_decay_per_second as limit_slot_decay_per_second',
    ]);
}

type Row = Awaited<ReturnType<ReturnType<typeof selectDeployments>['executeTakeFirstOrThrow']>>;

function toLimit(row: Row): Deployment['global_concurrency_limit'] {
  if (row.concurrency_limit_id === null || row.limit_name === null) return null;
  return {
    id: row.concurrency_limit_id,
    created: row.limit_created ?? row.created,
    updated: row.limit_updated ?? row.updated,
    active: row.limit_active ?? true,
    name: row.limit_name,
    limit: row.limit_limit ?? 0,
    active_slots: row.limit_active_slots ?? 0,
    slot_decay_per_second: row.limit_slot_decay_per_second ?? 0,
  };
}

function toDeployment(row: Row, schedules: Deployment['schedules']): Deployment {
  return {
    id: row.id,
    created: row.created,
    updated: row.updated,
    name: row.name,
    version: row.version,
    description: row.description,
    flow_id: row.flow_id,
    paused: row.paused,
    schedules,
    concurrency_limit: null,
    global_concurrency_limit: toLimit(row),
    concurrency_options: row.concurrency_options,
    job_variables: row.infra_overrides,
    parameters: row.parameters,
    tags: row.tags,
    labels: row.labels ?? {},
    work_queue_name: row.queue_name ?? row.work_queue_name,
    work_queue_id: row.work_queue_id,
    last_polled: row.last_polled,
    parameter_openapi_schema: row.parameter_openapi_schema,
    path: row.path,
    pull_steps: row.pull_steps,
    entrypoint: row.entrypoint,
    storage_document_id: row.storage_document_id,
    infrastructure_document_id: row.infrastructure_document_id,
    created_by: row.created_by,
    updated_by: row.updated_by,
    work_pool_name: row.pool_name,
    status: row.status,
    enforce_parameter_schema: row.enforce_parameter_schema,
  };
}

async function withSchedules(db: Kysely<Tables>, rows: Row[]): Promise<Deployment[]> {
  const schedules = await listSchedules(
    db,
    rows.map((row) => row.id),
  );
  const byDeployment = Map.groupBy(schedules, (schedule) => schedule.deployment_id);
  return rows.map((row) => toDeployment(row, byDeployment.get(row.id) ?? []));
}

export type DeploymentKey = { id: string } | { flow_name: string; deployment_name: string };

export async function findDeployment(db: Kysely<Tables>, key: DeploymentKey): Promise<Deployment | undefined> {
  const query =
    'id' in key
      ? selectDeployments(db).where('deployment.id', '=', key.id)
      : selectDeployments(db).innerJoin('flow', 'flow.id', 'deployment.flow_id').where('flow.name', '=', key.flow_name).where('deployment.name', '=', key.deployment_name);
  const [deployment] = await withSchedules(db, await query.limit(1).execute());
  return deployment;
}

const ORDER = {
  CREATED_DESC: ['deployment.created', 'desc'],
  UPDATED_DESC: ['deployment.updated', 'desc'],
  NAME_ASC: ['deployment.name', 'asc'],
  NAME_DESC: ['deployment.name', 'desc'],
} as const satisfies Record<DeploymentSort, readonly [string, 'asc' | 'desc']>;

/** The deployments that meet a condition on table `deployment`. */
export async function listDeployments(db: Kysely<Tables>, condition: Condition, sort: DeploymentSort, { limit, offset }: Page): Promise<Deployment[]> {
  const [column, direction] = ORDER[sort];
  return withSchedules(db, await selectDeployments(db).where(condition).orderBy(column, direction).limit(limit).offset(offset).execute());
}

export async function countDeployments(db: Kysely<Tables>, condition: Condition): Promise<number> {
  const { count } = await db
    .selectFrom('deployment')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where(condition)
    .executeTakeFirstOrThrow();
  return count;
}

/** The deployment as it is; nobody else changes it or its schedules before the transaction ends. */
export function lockDeployment(db: Kysely<Tables>, key: { id: string } | { flow_id: string; name: string }): Promise<Selectable<DeploymentTable> | undefined> {
  return db
    .selectFrom('deployment')
    .selectAll()
    .where(({ and }) => and(key))
    .forNoKeyUpdate()
    .executeTakeFirst();
}

/** Inserts a deployment, or lays `changes` over the one that the flow has under this name. */
export function upsertDeployment(db: Kysely<Tables>, row: Insertable<DeploymentTable>, changes: Updateable<DeploymentTable>) {
  return db
    .insertInto('deployment')
    .values(row)
    .onConflict((conflict) => conflict.columns(['flow_id', 'name']).doUpdateSet({ ...changes, updated: sql`now()` }))
    .returningAll()
    .returning(sql<boolean>`xmax = 0`.as('is_new'))
    .executeTakeFirstOrThrow();
}

export function updateDeployment(db: Kysely<Tables>, id: string, changes: Updateable<DeploymentTable>): Promise<Selectable<DeploymentTable> | undefined> {
  return db
    .updateTable('deployment')
    .set({ ...changes, updated: sql`now()` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

export async function deleteDeployments(db: Kysely<Tables>, ids: readonly string[]): Promise<void> {
  await db.deleteFrom('deployment').where('id', 'in', ids).execute();
}

export async function findFlowLabels(db: Kysely<Tables>, flowId: string) {
  const flow = await db.selectFrom('flow').select('labels').where('id', '=', flowId).executeTakeFirst();
  return flow?.labels ?? {};
}
