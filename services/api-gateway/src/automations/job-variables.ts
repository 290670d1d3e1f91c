import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { findJobVariableMisfit } from '@praetor/parameters/job-variables';
import type { Automation } from '@praetor/schema/automation';
import { NotFoundError, UnprocessableError } from '@praetor/schema/errors';

/**
 * The job variables that actions give to runs of a selected deployment must suit its work pool, together with the
 * deployment's own. Throws NotFoundError for an unknown deployment and UnprocessableError for a misfit.
 */
export async function checkJobVariables(db: Kysely<Tables>, actions: Automation['actions']): Promise<void> {
  const misfits: string[] = [];
  for (const action of actions) {
    if (action.type !== 'run-deployment' || action.deployment_id === null || action.job_variables === null) continue;
    const deployment = await db
      .selectFrom('deployment')
      .leftJoin('work_queue', 'work_queue.id', 'deployment.work_queue_id')
      .leftJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
      .select(['deployment.infra_overrides', 'work_pool.base_job_template'])
      .where('deployment.id', '=', action.deployment_id)
      .executeTakeFirst();
    if (deployment === undefined) throw new NotFoundError('Deployment not found.');
    if (deployment.base_job_template === null) continue;
    const misfit = findJobVariableMisfit(deployment.base_job_template, { ...deployment.infra_overrides, ...action.job_variables }, { isComplete: true });
    if (misfit !== undefined) misfits.push(misfit);
  }
  if (misfits.length > 0) throw new UnprocessableError(`Error creating automation: ${misfits.join(' ')}`);
}
