import { type Kysely, sql } from 'kysely';
import { readShared } from '@praetor/database/shared-reads';
import type { Tables } from '@praetor/database/tables';
import { type CreatedRun, createFlowRun } from '@praetor/orchestration/create-run';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import type { DeploymentFlowRunCreate, FlowRunCreateResult } from '@praetor/schema/deployment';
import { BadRequestError, ConflictError, NotFoundError, UnprocessableError } from '@praetor/schema/errors';
import type { CreatedBy } from '@praetor/schema/flow-run';
import type { JsonObject } from '@praetor/schema/json';
import { proposeState } from '@praetor/schema/state';
import { change, publishEvents } from '../changes.ts';
import type { GatewayContext } from '../context.ts';
import { hydrateParameters } from '../parameters/workspace.ts';
import { findJobVariableMisfit } from '../parameters/job-variables.ts';
import { findMisfit } from '../parameters/json-schema.ts';
import { checkParameterSize } from '../parameters/size.ts';
import { placeInPool } from '../work-pools/placement.ts';

/* Runs of a deployment: its parameters, job variables, tags and queue, and what the request lays over them (facts/rules.md §8). */

/** All that a run takes from its deployment, in one read. */
function selectPatterns(db: Kysely<Tables>) {
  return db
    .selectFrom('deployment')
    .leftJoin('work_queue', 'work_queue.id', 'deployment.work_queue_id')
    .leftJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .select(['deployment.id', 'deployment.flow_id', 'deployment.version', 'deployment.tags', 'deployment.parameters', 'deployment.parameter_openapi_schema'])
    .select(['deployment.enforce_parameter_schema', 'deployment.infra_overrides', 'deployment.infrastructure_document_id'])
    .select(['deployment.work_queue_id', 'deployment.work_queue_name', 'work_pool.name as pool_name', 'work_pool.base_job_template']);
}

type Pattern = Awaited<ReturnType<ReturnType<typeof selectPatterns>['executeTakeFirstOrThrow']>>;

/** Read once for all who create runs of a deployment at the same time. Throws NotFoundError where there is no such deployment. */
export async function findRunPattern(db: Kysely<Tables>, id: string): Promise<Pattern> {
  const query = selectPatterns(db).where('deployment.id', '=', id).as('pattern');
  const [pattern] = await readShared(db, sql<Pattern>`select * from ${query}`);
  if (pattern === undefined) throw new NotFoundError('Deployment not found');
  return pattern;
}

function requireFittingParameters(pattern: Pattern, parameters: JsonObject, isEnforced: boolean): void {
  if (!isEnforced) return;
  if (pattern.parameter_openapi_schema === null) throw new ConflictError('Error creating flow run: the parameters are to fit their schema, but the deployment has none.');
  const misfit = findMisfit(parameters, pattern.parameter_openapi_schema, { required: true });
  if (misfit !== undefined) throw new ConflictError(`Error creating flow run: ${misfit}`);
}

function requireFittingJobVariables({ base_job_template: template, infra_overrides }: Pattern, given: JsonObject | null): void {
  if (template === null) return;
  const misfit = findJobVariableMisfit(template, { ...infra_overrides, ...given }, { isComplete: true });
  if (misfit !== undefined) throw new UnprocessableError(`Error creating flow run: ${misfit}`);
}

/** The queue of the run: the deployment's, or another one of the same pool. */
async function place(context: GatewayContext, pattern: Pattern, queueName: string | null | undefined) {
  if (!queueName) return { work_queue_id: pattern.work_queue_id, work_queue_name: pattern.work_queue_name };
  const { pool_name: poolName } = pattern;
  if (poolName === null) throw new BadRequestError(`The flow run cannot be placed in work queue ${queueName}, because its deployment has no work pool.`);
  const { workQueueId } = await change(context, (db, emit) => placeInPool(db, emit, poolName, queueName));
  return { work_queue_id: workQueueId, work_queue_name: queueName };
}

/** Creates a run of a deployment, once per idempotency key. Throws BadRequestError, ConflictError and UnprocessableError. */
export async function createRunOf(context: GatewayContext, pattern: Pattern, body: DeploymentFlowRunCreate, createdBy: CreatedBy | null): Promise<CreatedRun> {
  checkParameterSize(body.parameters, context);
  const { work_queue_name, enforce_parameter_schema, infrastructure_document_id, ...run } = body;
  const parameters = await hydrateParameters(context.database.kysely, { ...pattern.parameters, ...body.parameters });
  requireFittingParameters(pattern, parameters, enforce_parameter_schema ?? pattern.enforce_parameter_schema);
  requireFittingJobVariables(pattern, body.job_variables);
  const created = await createFlowRun(
    context.database,
    {
      ...run,
      ...(await place(context, pattern, work_queue_name)),
      state: body.state ?? proposeState('SCHEDULED'),
      flow_id: pattern.flow_id,
      deployment_id: pattern.id,
      deployment_version: pattern.version,
      parameters,
      tags: [...new Set([...pattern.tags, ...body.tags])],
      infrastructure_document_id: infrastructure_document_id ?? pattern.infrastructure_document_id,
      job_variables: body.job_variables ?? {},
      created_by: createdBy,
    },
    orchestrationSettings(context.settings),
  );
  publishEvents(context, created.events);
  return created;
}

/** Creates a run, or says why not: one of many in a request must not spoil the others. */
export async function tryCreateRunOf(context: GatewayContext, pattern: Pattern, body: DeploymentFlowRunCreate, createdBy: CreatedBy | null): Promise<FlowRunCreateResult> {
  try {
    const { id } = await createRunOf(context, pattern, body, createdBy);
    return { flow_run_id: id, status: 'CREATED', error: null };
  } catch (error) {
    return { flow_run_id: null, status: 'FAILED', error: error instanceof Error ? error.message : String(error) };
  }
}
