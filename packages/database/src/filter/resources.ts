import { type SqlBool, sql } from 'kysely';
import type { ArtifactCollectionFilter, ArtifactFilter } from '@praetor/schema/filters/artifact';
import type { AutomationFilter } from '@praetor/schema/filters/automation';
import type { BlockDocumentFilter, BlockSchemaFilter, BlockTypeFilter } from '@praetor/schema/filters/block';
import type { DeploymentFilter } from '@praetor/schema/filters/deployment';
import type { FlowFilter } from '@praetor/schema/filters/flow';
import type { FlowRunFilter } from '@praetor/schema/filters/flow-run';
import type { LogFilter } from '@praetor/schema/filters/log';
import type { TaskRunFilter } from '@praetor/schema/filters/task-run';
import type { WorkPoolFilter, WorkQueueFilter, WorkerFilter } from '@praetor/schema/filters/work-pool';
import { parseTextSearch } from '@praetor/schema/text-search';
import type { VariableFilter } from '@praetor/schema/variable';
import { type Combination, type Condition, type FieldCompiler, type FilterMap, TRUE, and, column, combineLeaf, compile, exists, jsonArray, not, or } from '../filter.ts';

/* Which column each field of each resource's filter is about. Columns are named by their table, which is never aliased. */

/** True, false, or not asked. */
type Flag = boolean | null | undefined;
const whether = (flag: Flag, condition: Condition): Condition => (typeof flag === 'boolean' ? (flag ? condition : not(condition)) : TRUE);

const flow: FilterMap<FlowFilter> = {
  id: column('flow.id'),
  deployment: ({ is_null_ }) => whether(is_null_, not(exists('deployment', sql`deployment.flow_id = flow.id`))),
  name: column('flow.name'),
  tags: jsonArray('flow.tags'),
};

/** A part that restricts nothing drops out of the filter of states; elsewhere it would make an `or_` true. */
function state<T, N>(type: FieldCompiler<T>, name: FieldCompiler<N>) {
  return (filter: { operator: Combination; type?: T | null | undefined; name?: N | null | undefined }): Condition =>
    combineLeaf(filter.operator, [filter.type ? type(filter.type) : TRUE, filter.name ? name(filter.name) : TRUE]);
}

const startTime = column('flow_run.start_time');
const startTimeOrExpected = column(sql`coalesce(flow_run.start_time, flow_run.expected_start_time)`);
const createdBy = column('flow_run.created_by');
const creatorId = column(sql`(flow_run.created_by ->> 'id')`);
const creatorType = column(sql`(flow_run.created_by ->> 'type')`);

const flowRun: FilterMap<FlowRunFilter> = {
  id: column('flow_run.id'),
  name: column('flow_run.name'),
  tags: jsonArray('flow_run.tags'),
  deployment_id: column('flow_run.deployment_id'),
  work_queue_name: column('flow_run.work_queue_name'),
  state: state(column('flow_run.state_type'), column('flow_run.state_name')),
  flow_version: column('flow_run.flow_version'),
  // A run that has not started counts by when it should start.
  start_time: ({ is_null_, ...bounds }) => and(startTimeOrExpected(bounds), startTime({ is_null_ })),
  end_time: column('flow_run.end_time'),
  expected_start_time: column('flow_run.expected_start_time'),
  next_scheduled_start_time: column('flow_run.next_scheduled_start_time'),
  parent_flow_run_id: ({ any_ }) =>
    any_ ? exists('task_run', sql`task_run.id = flow_run.parent_task_run_id`, column('task_run.flow_run_id')({ any_ })) : TRUE,
  parent_task_run_id: column('flow_run.parent_task_run_id'),
  idempotency_key: column('flow_run.idempotency_key'),
  created_by: ({ operator, id_, type_, is_null_ }) =>
    combineLeaf(operator, [creatorId({ any_: id_ }), creatorType({ any_: type_ }), createdBy({ is_null_ })]),
};

const flowRunOfTaskRun = column('task_run.flow_run_id');

const taskRun: FilterMap<TaskRunFilter> = {
  id: column('task_run.id'),
  name: column('task_run.name'),
  tags: jsonArray('task_run.tags'),
  state: state(column('task_run.state_type'), column('task_run.state_name')),
  start_time: column('task_run.start_time'),
  end_time: column('task_run.end_time'),
  expected_start_time: column('task_run.expected_start_time'),
  subflow_runs: ({ exists_ }) => whether(exists_, exists('flow_run', sql`flow_run.parent_task_run_id = task_run.id`)),
  // `is_null_` counts before `any_`; false without `any_` means any flow run.
  flow_run_id: ({ any_, is_null_ }) => flowRunOfTaskRun(is_null_ === true || (is_null_ === false && !any_) ? { is_null_ } : { any_ }),
};

const deploymentName = column('deployment.name');
const flowName = column('flow.name');

const deployment: FilterMap<DeploymentFilter> = {
  id: column('deployment.id'),
  name: deploymentName,
  flow_or_deployment_name: (leaf) => or(deploymentName(leaf), exists('flow', sql`flow.id = deployment.flow_id`, flowName(leaf))),
  paused: column('deployment.paused'),
  tags: jsonArray('deployment.tags'),
  work_queue_name: column('deployment.work_queue_name'),
  concurrency_limit: null,
};

const workPool: FilterMap<WorkPoolFilter> = {
  id: column('work_pool.id'),
  name: column('work_pool.name'),
  type: column('work_pool.type'),
};

const workQueue: FilterMap<WorkQueueFilter> = {
  id: column('work_queue.id'),
  name: column('work_queue.name'),
};

const worker: FilterMap<WorkerFilter> = {
  last_heartbeat_time: column('worker.last_heartbeat_time'),
  status: column('worker.status'),
};

const artifact: FilterMap<ArtifactFilter> = {
  id: column('artifact.id'),
  key: column('artifact.key'),
  flow_run_id: column('artifact.flow_run_id'),
  task_run_id: column('artifact.task_run_id'),
  type: column('artifact.type'),
};

const artifactCollection: FilterMap<ArtifactCollectionFilter> = {
  latest_id: column('artifact_collection.latest_id'),
  key: column('artifact_collection.key'),
  flow_run_id: column('artifact_collection.flow_run_id'),
  task_run_id: column('artifact_collection.task_run_id'),
  type: column('artifact_collection.type'),
};

const blockType: FilterMap<BlockTypeFilter> = {
  name: column('block_type.name'),
  slug: column('block_type.slug'),
};

const blockSchema: FilterMap<BlockSchemaFilter> = {
  block_type_id: column('block_schema.block_type_id'),
  block_capabilities: jsonArray('block_schema.capabilities'),
  id: column('block_schema.id'),
  version: column('block_schema.version'),
};

const blockDocument: FilterMap<BlockDocumentFilter> = {
  id: column('block_document.id'),
  is_anonymous: column('block_document.is_anonymous'),
  block_type_id: column('block_document.block_type_id'),
  name: column('block_document.name'),
};

const variable: FilterMap<VariableFilter> = {
  id: column('variable.id'),
  name: column('variable.name'),
  tags: jsonArray('variable.tags'),
};

const automation: FilterMap<AutomationFilter> = {
  id: column('automation.id'),
  name: column('automation.name'),
  created: column('automation.created'),
  tags: jsonArray('automation.tags'),
};

const log: FilterMap<LogFilter> = {
  level: column('log.level'),
  timestamp: column('log.timestamp'),
  flow_run_id: column('log.flow_run_id'),
  task_run_id: column('log.task_run_id'),
  text: ({ query }) => {
    const { include, require, exclude } = parseTextSearch(query);
    const occurs = (term: string) => sql<SqlBool>`strpos(lower(log.message || ' ' || log.name), ${term}) > 0`;
    return and(or(...include.map(occurs)), ...require.map(occurs), ...exclude.map((term) => not(occurs(term))));
  },
};

/** The condition of one resource's filter, as a body parameter has it, on the table of that resource. */
function conditionOf<F extends object>(map: FilterMap<F>) {
  return (filter: (F & { operator?: Combination }) | null | undefined): Condition => (filter ? compile(map, filter) : TRUE);
}

export const flowCondition = conditionOf(flow);
export const flowRunCondition = conditionOf(flowRun);
export const taskRunCondition = conditionOf(taskRun);
export const deploymentCondition = conditionOf(deployment);
export const workPoolCondition = conditionOf(workPool);
export const workQueueCondition = conditionOf(workQueue);
export const workerCondition = conditionOf(worker);
export const artifactCondition = conditionOf(artifact);
export const artifactCollectionCondition = conditionOf(artifactCollection);
export const blockTypeCondition = conditionOf(blockType);
export const blockSchemaCondition = conditionOf(blockSchema);
export const blockDocumentCondition = conditionOf(blockDocument);
export const variableCondition = conditionOf(variable);
export const automationCondition = conditionOf(automation);
export const logCondition = conditionOf(log);
