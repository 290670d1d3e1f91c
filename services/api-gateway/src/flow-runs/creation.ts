import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { createFlowRun } from '@praetor/orchestration/create-flow-run';
import type { CreatedRun } from '@praetor/orchestration/create-run';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import { checkParameterSize } from '@praetor/parameters/size';
import { NotFoundError } from '@praetor/schema/errors';
import type { CreatedBy, FlowRunCreate } from '@praetor/schema/flow-run';
import { type StateCreate, proposeState } from '@praetor/schema/state';
import type { GatewayContext } from '../context.ts';
import { findQueueId, requireWorkPool } from '../work-pools/placement.ts';

function firstState({ state, next_scheduled_start_time }: FlowRunCreate): StateCreate {
  if (!state) return proposeState('PENDING');
  if (state.type !== 'SCHEDULED' || !next_scheduled_start_time) return state;
  return { ...state, state_details: { ...state.state_details, scheduled_time: next_scheduled_start_time } };
}

/** The queue of a pool that a run asks for by names, by default the pool's default queue. Throws NotFoundError. */
async function requireQueue(db: Kysely<Tables>, poolName: string, queueName: string | null | undefined): Promise<string | null> {
  const pool = await requireWorkPool(db, poolName);
  if (!queueName) return pool.default_queue_id;
  const id = await findQueueId(db, pool.id, queueName);
  if (id === undefined) throw new NotFoundError(`Work queue '${queueName}' not found in work pool '${poolName}'.`);
  return id;
}

/** Creates the run of a request, once per idempotency key. Throws NotFoundError for an unknown pool or queue. */
export async function createFromRequest(context: GatewayContext, body: FlowRunCreate, createdBy: CreatedBy | null): Promise<CreatedRun> {
  checkParameterSize(body.parameters, context.settings);
  const { work_pool_name, next_scheduled_start_time: _, ...run } = body;
  // Null for runs with a key: so does Prefect, whose two ways of inserting differ in this.
  const noJobVariables = run.idempotency_key ? null : {};
  const work_queue_id = work_pool_name ? await requireQueue(context.database.kysely, work_pool_name, run.work_queue_name) : null;
  return createFlowRun(
    context.database,
    { ...run, state: firstState(body), work_queue_id, job_variables: run.job_variables ?? noJobVariables, created_by: createdBy && { ...createdBy } },
    orchestrationSettings(context.settings),
  );
}
