import { isDeepStrictEqual } from 'node:util';
import type { Kysely, Selectable } from 'kysely';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { DeploymentTable, Tables } from '@praetor/database/tables';
import type { Emit } from '@praetor/orchestration/changes';
import { deleteScheduledRuns } from '@praetor/orchestration/delete-runs';
import { deploymentEvents } from '@praetor/orchestration/deployment-events';
import { findJobVariableMisfit } from '@praetor/parameters/job-variables';
import { findMisfit, findSchemaFault } from '@praetor/parameters/json-schema';
import { hydrateParameters } from '@praetor/parameters/workspace';
import type { DeploymentCreate, DeploymentUpdate } from '@praetor/schema/deployment';
import { ConflictError, NotFoundError, UnprocessableError, ValidationError } from '@praetor/schema/errors';
import type { Json, JsonObject } from '@praetor/schema/json';
import { refuseNulls } from '../errors.ts';
import { type Placement, placeInDefaultPool, placeInPool } from '../work-pools/placement.ts';
import { deleteOwnLimits, requireLimit, setOwnLimit } from './limits.ts';
import { deleteDeployments, findFlowLabels, lockDeployment, updateDeployment, upsertDeployment } from './queries.ts';
import { planSchedules } from './schedule-plan.ts';
import { clearSlugs, deleteSchedules, insertSchedules, updateSchedule } from './schedules.ts';

/* Changes of deployments with all that they entail: queues, limits, schedules and their runs, events (facts/rules.md §8). */

/** The fields whose changes an event tells. */
const EVENT_FIELDS = [
  'description',
  'tags',
  'parameters',
  'parameter_openapi_schema',
  'enforce_parameter_schema',
  'entrypoint',
  'path',
  'pull_steps',
  'work_queue_id',
  'infra_overrides',
  'paused',
  'labels',
  'version',
  'concurrency_limit_id',
  'concurrency_options',
] as const;

async function emitUpdated(db: Kysely<Tables>, emit: Emit, before: Selectable<DeploymentTable>, after: Selectable<DeploymentTable>): Promise<void> {
  const changed = EVENT_FIELDS.filter((field) => !isDeepStrictEqual(before[field], after[field]));
  if (changed.length === 0) return;
  const updates = Object.fromEntries(changed.map((field): [string, Json] => [field, { from: before[field], to: after[field] }]));
  for (const event of await deploymentEvents(db, 'updated', [after.id], { updated_fields: changed, updates })) emit(event);
}

/** The queue that a body names, by pool, by queue, or by both; undefined where it names none. */
async function place(db: Kysely<Tables>, emit: Emit, { work_pool_name: pool, work_queue_name: queue }: DeploymentCreate | DeploymentUpdate): Promise<Placement | undefined> {
  if (pool) return placeInPool(db, emit, pool, queue);
  return queue ? placeInDefaultPool(db, emit, queue) : undefined;
}

/** An empty schema is the one of a flow without parameters. */
function fillSchema(schema: JsonObject | null | undefined): JsonObject | null | undefined {
  return schema && Object.keys(schema).length === 0 ? { type: 'object', properties: {} } : schema;
}

/** The columns of the fields that are in a body; what is left out stays undefined and out of the statement. Throws ConflictError for a null where a deployment must have a value. */
function toColumns(body: DeploymentCreate | DeploymentUpdate) {
  const columns = {
    version: body.version,
    description: body.description,
    paused: body.paused,
    concurrency_options: body.concurrency_options,
    concurrency_limit_id: body.global_concurrency_limit_id,
    parameter_openapi_schema: fillSchema(body.parameter_openapi_schema),
    tags: body.tags,
    work_queue_name: body.work_queue_name,
    path: body.path,
    pull_steps: body.pull_steps,
    entrypoint: body.entrypoint,
    storage_document_id: body.storage_document_id,
    infrastructure_document_id: body.infrastructure_document_id,
    ...refuseNulls({ enforce_parameter_schema: body.enforce_parameter_schema, parameters: body.parameters }),
    // Null stands for nothing.
    infra_overrides: body.job_variables ?? undefined,
  };
  return withJsonColumns(columns, 'concurrency_options', 'parameter_openapi_schema', 'tags', 'pull_steps', 'parameters', 'infra_overrides');
}

/** A body that asks for enforcement must itself be in order. Throws ValidationError. */
function requireFittingParameters(body: DeploymentCreate): void {
  const { enforce_parameter_schema: enforced, parameter_openapi_schema: schema, parameters } = body;
  if (enforced !== true || !schema) return;
  const fault = findSchemaFault(schema) ?? findMisfit(parameters, schema, { required: false });
  if (fault !== undefined) throw new ValidationError([{ type: 'value_error', loc: ['body'], msg: `Value error, ${fault}`, input: body, ctx: { error: {} } }], body);
}

/** Creates a deployment, or lays the body over the one of this flow and name. Gives its id and whether it is new. */
export async function createDeployment(db: Kysely<Tables>, emit: Emit, body: DeploymentCreate): Promise<{ id: string; isNew: boolean }> {
  requireFittingParameters(body);
  await requireLimit(db, body.global_concurrency_limit_id);
  const placement = await place(db, emit, body);
  if (placement && body.job_variables) {
    const misfit = findJobVariableMisfit(placement.baseJobTemplate, body.job_variables, { isComplete: false });
    if (misfit !== undefined) throw new UnprocessableError(`Error creating deployment: ${misfit}`);
  }
  const labels = { ...(await findFlowLabels(db, body.flow_id)), 'prefect.flow.id': body.flow_id, ...body.labels };
  const before = await lockDeployment(db, { flow_id: body.flow_id, name: body.name });
  const changes = { ...toColumns(body), ...withJsonColumns({ labels }, 'labels'), work_queue_id: placement?.workQueueId };
  const { parameter_openapi_schema: schema = '{}', pull_steps: pullSteps = '[]', enforce_parameter_schema: isEnforced = true } = changes;
  const row = { ...changes, parameter_openapi_schema: schema, pull_steps: pullSteps, enforce_parameter_schema: isEnforced, name: body.name, flow_id: body.flow_id };
  const { is_new: isNew, ...after } = await upsertDeployment(db, row, changes);

  await deleteScheduledRuns(db, [after.id], { autoScheduledOnly: true, futureOnly: true });
  await deleteSchedules(db, after.id);
  await insertSchedules(
    db,
    after.id,
    body.schedules.map((schedule) => ({ ...schedule, max_scheduled_runs: null })),
  );
  const limited = body.concurrency_limit === undefined ? after : await setOwnLimit(db, after, body.concurrency_limit);
  if (isNew) for (const event of await deploymentEvents(db, 'created', [after.id])) emit(event);
  else if (before) await emitUpdated(db, emit, before, limited);
  return { id: after.id, isNew };
}

/** Checks parameters against the schema that will hold after an update. Throws ConflictError. */
function requireEnforceable(current: Selectable<DeploymentTable>, update: DeploymentUpdate): void {
  if (!(update.enforce_parameter_schema ?? current.enforce_parameter_schema)) return;
  const schema = update.parameter_openapi_schema ?? current.parameter_openapi_schema;
  if (!schema) throw new ConflictError('Error updating deployment: its parameters are to fit their schema, but it has none.');
  const misfit = findMisfit(update.parameters ?? current.parameters, schema, { required: false });
  if (misfit !== undefined) throw new ConflictError(`Error updating deployment: ${misfit}`);
}

async function changeSchedules(db: Kysely<Tables>, deploymentId: string, given: NonNullable<DeploymentUpdate['schedules']>): Promise<void> {
  const existing = await db.selectFrom('deployment_schedule').select(['id', 'slug']).where('deployment_id', '=', deploymentId).execute();
  const plan = planSchedules(existing, given);
  if (plan.kind === 'replace') await deleteSchedules(db, deploymentId);
  else {
    await clearSlugs(
      db,
      plan.update.filter(({ renamed }) => renamed).map(({ id }) => id),
    );
    for (const { id, update } of plan.update) await updateSchedule(db, deploymentId, id, update);
  }
  await insertSchedules(db, deploymentId, plan.create);
}

/** Changes what the body mentions. Throws NotFoundError, ConflictError, UnprocessableError and BadRequestError. */
export async function changeDeployment(db: Kysely<Tables>, emit: Emit, id: string, body: DeploymentUpdate): Promise<void> {
  const before = await lockDeployment(db, { id });
  if (before === undefined) throw new NotFoundError('Deployment not found.');
  if (body.schedules) await changeSchedules(db, id, body.schedules);
  await requireLimit(db, body.global_concurrency_limit_id);
  const update = body.parameters ? { ...body, parameters: await hydrateParameters(db, body.parameters) } : body;
  requireEnforceable(before, update);
  // Leaving the pool is leaving its queue.
  const placement = update.work_pool_name === null ? null : await place(db, emit, update);
  if (update.work_pool_name && placement && update.job_variables) {
    const misfit = findJobVariableMisfit(placement.baseJobTemplate, update.job_variables, { isComplete: false });
    if (misfit !== undefined) throw new ConflictError(`Error updating deployment: ${misfit}`);
  }
  const after = await updateDeployment(db, id, { ...toColumns(update), work_queue_id: placement === null ? null : placement?.workQueueId });
  if (after === undefined) throw new NotFoundError('Deployment not found.');
  await deleteScheduledRuns(db, [id], { autoScheduledOnly: true, futureOnly: true });
  await emitUpdated(db, emit, before, update.concurrency_limit === undefined ? after : await setOwnLimit(db, after, update.concurrency_limit));
}

/** Deletes deployments with their schedules, limits and scheduled runs; gives the ids of those that were there. */
export async function removeDeployments(db: Kysely<Tables>, emit: Emit, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const found = await db.selectFrom('deployment').select('id').where('id', 'in', ids).orderBy('id').forUpdate().execute();
  const existing = found.map((deployment) => deployment.id);
  if (existing.length === 0) return [];
  const events = await deploymentEvents(db, 'deleted', existing);
  await deleteScheduledRuns(db, existing, { autoScheduledOnly: false, futureOnly: false });
  await deleteOwnLimits(db, existing);
  await deleteDeployments(db, existing);
  for (const event of events) emit(event);
  return existing;
}
