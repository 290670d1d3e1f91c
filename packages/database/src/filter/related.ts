import { sql } from 'kysely';
import type { ArtifactCollectionFilter, ArtifactFilter } from '@praetor/schema/filters/artifact';
import { type BlockDocumentFilter, type BlockSchemaFilter, type BlockTypeFilter, blockDocumentFilter } from '@praetor/schema/filters/block';
import type { DeploymentFilter } from '@praetor/schema/filters/deployment';
import type { FlowFilter } from '@praetor/schema/filters/flow';
import type { FlowRunFilter } from '@praetor/schema/filters/flow-run';
import type { TaskRunFilter } from '@praetor/schema/filters/task-run';
import type { WorkPoolFilter, WorkQueueFilter } from '@praetor/schema/filters/work-pool';
import { type Condition, TRUE, and, exists } from '../filter.ts';
import {
  artifactCollectionCondition,
  artifactCondition,
  blockDocumentCondition,
  blockSchemaCondition,
  blockTypeCondition,
  deploymentCondition,
  flowCondition,
  flowRunCondition,
  taskRunCondition,
  workPoolCondition,
  workQueueCondition,
} from './resources.ts';

/*
 * Filters over several resources at once: those on other resources ask for a related row, and all of them must hold. A
 * filter that is given but empty still asks for one: `deployments: {}` leaves out runs without a deployment.
 */

/** The filters that the list endpoints of runs, flows and deployments share, under the names of their bodies. */
export interface RelatedFilters {
  flows?: FlowFilter | null | undefined;
  flow_runs?: FlowRunFilter | null | undefined;
  task_runs?: TaskRunFilter | null | undefined;
  deployments?: DeploymentFilter | null | undefined;
  work_pools?: WorkPoolFilter | null | undefined;
  work_pool_queues?: WorkQueueFilter | null | undefined;
}

/** `exists` where a filter is given, else no restriction. */
function related<F>(filter: F | null | undefined, table: string, correlation: Condition, condition: (filter: F) => Condition): Condition {
  return filter ? exists(table, correlation, condition(filter)) : TRUE;
}

/** The queue of a run or deployment, which must fit its own filter and stand in a pool that fits. */
function queueOf(queueId: Condition, { work_pools, work_pool_queues }: RelatedFilters): Condition {
  if (!work_pools && !work_pool_queues) return TRUE;
  const pool = related(work_pools, 'work_pool', sql`work_pool.id = work_queue.work_pool_id`, workPoolCondition);
  return exists('work_queue', queueId, and(workQueueCondition(work_pool_queues), pool));
}

/** On table `flow_run`. */
export function flowRunConditions(filters: RelatedFilters): Condition {
  // Every run has a flow, so only here an empty filter on it asks for nothing.
  const flow = flowCondition(filters.flows);
  return and(
    flowRunCondition(filters.flow_runs),
    flow === TRUE ? TRUE : exists('flow', sql`flow.id = flow_run.flow_id`, flow),
    related(filters.task_runs, 'task_run', sql`task_run.flow_run_id = flow_run.id`, taskRunCondition),
    related(filters.deployments, 'deployment', sql`deployment.id = flow_run.deployment_id`, deploymentCondition),
    queueOf(sql`work_queue.id = flow_run.work_queue_id`, filters),
  );
}

/** On table `task_run`. */
export function taskRunConditions({ task_runs, ...filters }: RelatedFilters): Condition {
  const own = taskRunCondition(task_runs);
  const { flow_runs, flows, deployments, work_pools, work_pool_queues } = filters;
  if (!flow_runs && !flows && !deployments && !work_pools && !work_pool_queues) return own;
  return and(own, shortcut(flow_runs), exists('flow_run', sql`flow_run.id = task_run.flow_run_id`, flowRunConditions(filters)));
}

/** Repeats the wanted flow runs in the task run's own column, so that Postgres starts from their few task runs. */
function shortcut(flowRuns: FlowRunFilter | null | undefined): Condition {
  return flowRuns?.operator === 'and_' && flowRuns.id?.any_ ? taskRunCondition({ operator: 'and_', flow_run_id: { operator: 'and_', any_: flowRuns.id.any_, is_null_: null } }) : TRUE;
}

/** On table `flow`. */
export function flowConditions({ flows, flow_runs, task_runs, deployments, work_pools }: RelatedFilters): Condition {
  const deployment = and(deploymentCondition(deployments), queueOf(sql`work_queue.id = deployment.work_queue_id`, { work_pools }));
  return and(
    flowCondition(flows),
    deployments || work_pools ? exists('deployment', sql`deployment.flow_id = flow.id`, deployment) : TRUE,
    flow_runs || task_runs ? exists('flow_run', sql`flow_run.flow_id = flow.id`, flowRunConditions({ flow_runs, task_runs })) : TRUE,
  );
}

/** On table `deployment`. */
export function deploymentConditions({ deployments, flows, flow_runs, task_runs, ...queues }: RelatedFilters): Condition {
  return and(
    deploymentCondition(deployments),
    related(flows, 'flow', sql`flow.id = deployment.flow_id`, flowCondition),
    flow_runs || task_runs ? exists('flow_run', sql`flow_run.deployment_id = deployment.id`, flowRunConditions({ flow_runs, task_runs })) : TRUE,
    queueOf(sql`work_queue.id = deployment.work_queue_id`, queues),
  );
}

/** Runs and what they belong to, seen from a table with the columns `flow_run_id` and `task_run_id`. */
function producer(table: 'artifact' | 'artifact_collection', { task_runs, ...filters }: RelatedFilters): Condition {
  const { flow_runs, flows, deployments } = filters;
  return and(
    flow_runs || flows || deployments ? exists('flow_run', sql`flow_run.id = ${sql.ref(`${table}.flow_run_id`)}`, flowRunConditions(filters)) : TRUE,
    related(task_runs, 'task_run', sql`task_run.id = ${sql.ref(`${table}.task_run_id`)}`, taskRunCondition),
  );
}

/** On table `artifact`. */
export function artifactConditions({ artifacts, ...filters }: RelatedFilters & { artifacts?: ArtifactFilter | null | undefined }): Condition {
  return and(artifactCondition(artifacts), producer('artifact', filters));
}

/** On table `artifact_collection`. */
export function artifactCollectionConditions({ artifacts, ...filters }: RelatedFilters & { artifacts?: ArtifactCollectionFilter | null | undefined }): Condition {
  return and(artifactCollectionCondition(artifacts), producer('artifact_collection', filters));
}

export interface BlockFilters {
  block_documents?: BlockDocumentFilter | null | undefined;
  block_types?: BlockTypeFilter | null | undefined;
  block_schemas?: BlockSchemaFilter | null | undefined;
}

/** On table `block_document`. Without a filter of their own, anonymous documents are left out. */
export function blockDocumentConditions({ block_documents, block_types, block_schemas }: BlockFilters): Condition {
  return and(
    blockDocumentCondition(block_documents ?? blockDocumentFilter.parse({})),
    related(block_types, 'block_type', sql`block_type.id = block_document.block_type_id`, blockTypeCondition),
    related(block_schemas, 'block_schema', sql`block_schema.id = block_document.block_schema_id`, blockSchemaCondition),
  );
}
