import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { findJobVariableMisfit } from '@praetor/parameters/job-variables';
import { BadRequestError, NotFoundError, UnprocessableError } from '@praetor/schema/errors';
import type { JsonObject } from '@praetor/schema/json';

/**
 * Job variables may change while the run of a deployment waits for its start, and must suit the work pool together with
 * the deployment's own. Throws NotFoundError, BadRequestError, or UnprocessableError where they do not fit.
 */
export async function checkJobVariables(db: Kysely<Tables>, flowRunId: string, jobVariables: JsonObject): Promise<void> {
  const run = await db
    .selectFrom('flow_run')
    .leftJoin('deployment', 'deployment.id', 'flow_run.deployment_id')
    .leftJoin('work_queue', 'work_queue.id', 'deployment.work_queue_id')
    .leftJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .select(['flow_run.state_type', 'deployment.id as deployment_id', 'deployment.infra_overrides', 'work_pool.base_job_template'])
    .where('flow_run.id', '=', flowRunId)
    .executeTakeFirst();
  if (run === undefined) throw new NotFoundError('Flow run not found');
  if (run.state_type !== 'SCHEDULED') throw new BadRequestError(`Job variables change only while a run is scheduled; this one is ${run.state_type ?? 'without a state'}.`);
  if (run.deployment_id === null) throw new BadRequestError('Job variables belong to a deployment, and this run has none.');
  if (run.base_job_template === null) return;
  const misfit = findJobVariableMisfit(run.base_job_template, { ...run.infra_overrides, ...jobVariables }, { isComplete: true });
  if (misfit !== undefined) throw new UnprocessableError(misfit);
}
