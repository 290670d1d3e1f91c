import { type Kysely, sql } from 'kysely';
import type { Database } from '@praetor/database/connect';
import { readShared } from '@praetor/database/shared-reads';
import type { Tables } from '@praetor/database/tables';
import { findJobVariableMisfit } from '@praetor/parameters/job-variables';
import { findMisfit } from '@praetor/parameters/json-schema';
import { checkParameterSize } from '@praetor/parameters/size';
import { hydrateParameters } from '@praetor/parameters/workspace';
import type { DeploymentFlowRunCreate } from '@praetor/schema/deployment';
import { ConflictError, NotFoundError, UnprocessableError } from '@praetor/schema/errors';
import type { CreatedBy } from '@praetor/schema/flow-run';
import type { JsonObject } from '@praetor/schema/json';
import type { Settings } from '@praetor/schema/settings';
import { proposeState } from '@praetor/schema/state';
import { createFlowRun } from './create-flow-run.ts';
import type { CreatedRun } from './create-run.ts';
import { orchestrationSettings } from './settings.ts';

/* Runs of a deployment: its parameters, job variables, tags and queue, and what is asked for lies over them (facts/rules.md §8). */

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

/** What runs of a deployment have in common. */
export type RunPattern = Awaited<ReturnType<ReturnType<typeof selectPatterns>['executeTakeFirstOrThrow']>>;

/** Read once for all who create runs of a deployment at the same time. Throws NotFoundError where there is no such deployment. */
export async function findRunPattern(db: Kysely<Tables>, id: string): Promise<RunPattern> {
  const query = selectPatterns(db).where('deployment.id', '=', id).as('pattern');
  const [pattern] = await readShared(db, sql<RunPattern>`select * from ${query}`);
  if (pattern === undefined) throw new NotFoundError('Deployment not found');
  return pattern;
}

function requireFittingParameters(pattern: RunPattern, parameters: JsonObject, isEnforced: boolean): void {
  if (!isEnforced) return;
  if (pattern.parameter_openapi_schema === null) throw new ConflictError('Error creating flow run: the parameters are to fit their schema, but the deployment has none.');
  const misfit = findMisfit(parameters, pattern.parameter_openapi_schema, { required: true });
  if (misfit !== undefined) throw new ConflictError(`Error creating flow run: ${misfit}`);
}

function requireFittingJobVariables({ base_job_template: template, infra_overrides }: RunPattern, given: JsonObject | null): void {
  if (template === null) return;
  const misfit = findJobVariableMisfit(template, { ...infra_overrides, ...given }, { isComplete: true });
  if (misfit !== undefined) throw new UnprocessableError(`Error creating flow run: ${misfit}`);
}

/** Where a run waits for a worker. */
export interface RunPlacement {
  work_queue_id: string | null;
  work_queue_name: string | null;
}

export interface DeploymentRunOptions {
  createdBy: CreatedBy | null;
  settings: Pick<Settings, 'api' | 'concurrency' | 'deployments' | 'tasks'>;
  /** Asked once the run is known to be in order; default: the deployment's own queue. */
  place?: (pattern: RunPattern) => Promise<RunPlacement>;
}

/**
 * Creates a run of a deployment, once per idempotency key; its events are to be published. Throws BadRequestError,
 * ConflictError, UnprocessableError and ValidationError where parameters or job variables are not in order.
 */
export async function createDeploymentRun(
  database: Database,
  pattern: RunPattern,
  body: Omit<DeploymentFlowRunCreate, 'work_queue_name'>,
  { createdBy, settings, place }: DeploymentRunOptions,
): Promise<CreatedRun> {
  checkParameterSize(body.parameters, settings);
  const { enforce_parameter_schema, infrastructure_document_id, ...run } = body;
  const parameters = await hydrateParameters(database.kysely, { ...pattern.parameters, ...body.parameters });
  requireFittingParameters(pattern, parameters, enforce_parameter_schema ?? pattern.enforce_parameter_schema);
  requireFittingJobVariables(pattern, body.job_variables);
  const { work_queue_id, work_queue_name } = place ? await place(pattern) : pattern;
  return await createFlowRun(
    database,
    {
      ...run,
      work_queue_id,
      work_queue_name,
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
    orchestrationSettings(settings),
  );
}
