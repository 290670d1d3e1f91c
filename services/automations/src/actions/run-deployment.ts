import { publishEvents } from '@praetor/orchestration/changes';
import { createDeploymentRun, findRunPattern } from '@praetor/orchestration/deployment-runs';
import { relatedResource } from '@praetor/orchestration/lifecycle-events';
import { hydrateParameters } from '@praetor/parameters/workspace';
import type { ServiceContext } from '@praetor/runtime/service';
import type { Action } from '@praetor/schema/automation/action';
import { deploymentFlowRunCreate } from '@praetor/schema/deployment';
import { BadRequestError } from '@praetor/schema/errors';
import { type Json, type JsonObject, isJsonObject } from '@praetor/schema/json';
import { proposeState } from '@praetor/schema/state';
import { addSeconds, now } from '@praetor/schema/timestamps';
import { upgradeTemplates } from '@praetor/templates/parameters';
import type { TriggeredAction } from '../triggered-action.ts';
import { ActionFailedError, type Outcome } from './outcome.ts';
import { refusing } from './refusals.ts';
import { findTarget, targetResource } from './targets.ts';
import { prepareTemplates } from './template-context.ts';

type RunDeployment = Extract<Action, { type: 'run-deployment' }>;

function* templatesIn(value: Json | undefined): Generator<string> {
  if (Array.isArray(value)) for (const element of value) yield* templatesIn(element);
  if (!isJsonObject(value)) return;
  if (value['__prefect_kind'] === 'jinja' && typeof value['template'] === 'string') yield value['template'];
  for (const field of Object.values(value)) yield* templatesIn(field);
}

/** The parameters with their templates rendered and their placeholders filled in. Throws ActionFailedError where that fails. */
async function renderParameters({ database, settings }: ServiceContext, triggered: TriggeredAction, given: JsonObject, related: Outcome['related']): Promise<JsonObject> {
  const parameters = upgradeTemplates(given);
  const render = await prepareTemplates(database.kysely, triggered, [...templatesIn(parameters)], settings.ui.url);
  try {
    return await hydrateParameters(database.kysely, parameters, render);
  } catch (error) {
    if (error instanceof BadRequestError) throw new ActionFailedError(`The parameters of the flow run could not be made: ${error.message}`, { ...(related && { related }) });
    throw error;
  }
}

/** Creates a run of a deployment: one for the invocation, however often it is attempted. */
export async function runDeployment(context: ServiceContext, action: RunDeployment, triggered: TriggeredAction): Promise<Outcome> {
  const { database, settings } = context;
  const { automation } = triggered;
  const deploymentId = findTarget(triggered, 'deployment', action.deployment_id);
  const target = targetResource('deployment', deploymentId);
  const run = deploymentFlowRunCreate.parse({
    idempotency_key: `automation ${automation.id}, action ${triggered.action_index}, invocation ${triggered.id}`,
    job_variables: action.job_variables,
  });
  const state = proposeState('SCHEDULED', { details: { scheduled_time: addSeconds(now(), action.schedule_after) } });
  const parameters = await renderParameters(context, triggered, action.parameters ?? {}, [target]);
  const created = await refusing([target], async () => {
    const pattern = await findRunPattern(database.kysely, deploymentId);
    const createdBy = { id: automation.id, type: 'AUTOMATION' as const, display_value: automation.name };
    return await createDeploymentRun(database, pattern, { ...run, state, parameters }, { createdBy, settings });
  });
  publishEvents(context, created.events);
  const named = await database.kysely.selectFrom('flow_run').select('name').where('id', '=', created.id).executeTakeFirst();
  return { related: [target, relatedResource('flow-run', created.id, named?.name)], details: { status_code: 201 } };
}
