import { change, publishEvents } from '@praetor/orchestration/changes';
import type { CreatedRun } from '@praetor/orchestration/create-run';
import { type RunPattern, type RunPlacement, createDeploymentRun } from '@praetor/orchestration/deployment-runs';
import type { DeploymentFlowRunCreate, FlowRunCreateResult } from '@praetor/schema/deployment';
import { BadRequestError } from '@praetor/schema/errors';
import type { CreatedBy } from '@praetor/schema/flow-run';
import type { GatewayContext } from '../context.ts';
import { placeInPool } from '../work-pools/placement.ts';

/** The queue of the run: the deployment's, or another one of the same pool. */
async function place(context: GatewayContext, pattern: RunPattern, queueName: string | null | undefined): Promise<RunPlacement> {
  if (!queueName) return pattern;
  const { pool_name: poolName } = pattern;
  if (poolName === null) throw new BadRequestError(`The flow run cannot be placed in work queue ${queueName}, because its deployment has no work pool.`);
  const { workQueueId } = await change(context, (db, emit) => placeInPool(db, emit, poolName, queueName));
  return { work_queue_id: workQueueId, work_queue_name: queueName };
}

/** Creates a run of a deployment, once per idempotency key. Throws what `createDeploymentRun` throws. */
export async function createRunOf(context: GatewayContext, pattern: RunPattern, body: DeploymentFlowRunCreate, createdBy: CreatedBy | null): Promise<CreatedRun> {
  const { work_queue_name: queueName, ...run } = body;
  const created = await createDeploymentRun(context.database, pattern, run, {
    createdBy,
    settings: context.settings,
    place: () => place(context, pattern, queueName),
  });
  publishEvents(context, created.events);
  return created;
}

/** Creates a run, or says why not: one of many in a request must not spoil the others. */
export async function tryCreateRunOf(context: GatewayContext, pattern: RunPattern, body: DeploymentFlowRunCreate, createdBy: CreatedBy | null): Promise<FlowRunCreateResult> {
  try {
    const { id } = await createRunOf(context, pattern, body, createdBy);
    return { flow_run_id: id, status: 'CREATED', error: null };
  } catch (error) {
    return { flow_run_id: null, status: 'FAILED', error: error instanceof Error ? error.message : String(error) };
  }
}
