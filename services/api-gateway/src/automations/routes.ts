import { z } from 'zod';
import { change } from '@praetor/orchestration/changes';
import { automationEvent } from '@praetor/orchestration/pauses';
import { type Automation, automation, automationPartialUpdate, createAutomationSchemas, findInfiniteLoop } from '@praetor/schema/automation';
import { renewTriggerIds } from '@praetor/schema/automation/trigger';
import { NotFoundError, ValidationError } from '@praetor/schema/errors';
import { automationFilter, automationSort } from '@praetor/schema/filters/automation';
import { uuid } from '@praetor/schema/primitives';
import { now } from '@praetor/schema/timestamps';
import { findParameterFault } from '@praetor/templates/parameters';
import { findTemplateFault } from '@praetor/templates/validate';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { type Resource, route } from '../http/route.ts';
import { checkJobVariables } from './job-variables.ts';
import {
  countAutomations,
  deleteAutomation,
  deleteOwnedAutomations,
  findAutomation,
  insertAutomation,
  listAutomations,
  listRelatedAutomations,
  lockAutomation,
  relateAutomation,
  relateToDeployments,
  updateAutomation,
} from './queries.ts';

const { automationCreate, automationUpdate } = createAutomationSchemas({ template: (text) => findTemplateFault(text)?.message, parameters: findParameterFault });

function found(automation: Automation | undefined): Automation {
  if (automation === undefined) throw new NotFoundError('Automation not found', 'exception_message');
  return automation;
}

/** Enabling must not set off an automation that was saved as a disabled loop. */
function refuseLoop(stored: Automation, enabled: boolean): void {
  const merged = { ...stored, enabled };
  const message = findInfiniteLoop(merged);
  if (message !== undefined) throw new ValidationError([{ type: 'value_error', loc: [], msg: `Value error, ${message}`, input: merged, ctx: { error: {} } }], { enabled });
}

const byId = { id: uuid() };
const byResource = { resource_id: z.string() };
const filters = { automations: automationFilter.nullish() };

export const automations: Resource = {
  prefix: '/automations',
  tag: 'Automations',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_automation',
      body: automationCreate,
      response: automation,
      status: 201,
      handler: async ({ body }, context) => {
        const given = { ...body, trigger: renewTriggerIds(body.trigger) };
        // Here, unlike in a replacement, no job variables at all are not looked at.
        await checkJobVariables(context.database.kysely, given.actions.filter((action) => action.type === 'run-deployment' && Object.keys(action.job_variables ?? {}).length > 0));
        return change(context, async (db, emit) => {
          const created = await insertAutomation(db, given);
          await relateToDeployments(db, created.id, created.actions);
          if (body.owner_resource) await relateAutomation(db, created.id, [body.owner_resource], true);
          emit(automationEvent('created', created));
          return created;
        });
      },
    }),
    route({
      method: 'put',
      path: '/{id}',
      name: 'update_automation',
      params: byId,
      body: automationUpdate,
      status: 204,
      handler: async ({ params, body }, context) => {
        await checkJobVariables(context.database.kysely, body.actions);
        await change(context, async (db, emit) => {
          const updated = found(await updateAutomation(db, params.id, { ...body, trigger: renewTriggerIds(body.trigger) }));
          await relateToDeployments(db, updated.id, updated.actions);
          emit(automationEvent('updated', updated));
        });
      },
    }),
    route({
      method: 'patch',
      path: '/{id}',
      name: 'patch_automation',
      params: byId,
      body: automationPartialUpdate,
      status: 204,
      handler: ({ params, body }, context) =>
        change(context, async (db, emit) => {
          refuseLoop(found(await lockAutomation(db, params.id)), body.enabled ?? true);
          emit(automationEvent('updated', found(await updateAutomation(db, params.id, body))));
        }),
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_automation',
      params: byId,
      status: 204,
      handler: ({ params }, context) => change(context, async (db, emit) => emit(automationEvent('deleted', found(await deleteAutomation(db, params.id))))),
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_automations',
      body: bodyParameters({ limit: page.limit, sort: automationSort.default('NAME_ASC'), offset: page.offset, ...filters }),
      response: z.array(automation),
      status: 200,
      handler: ({ body }, context) => listAutomations(context.database.kysely, body.automations, body.sort, readPage(body, context)),
    }),
    route({
      method: 'post',
      path: '/count',
      name: 'count_automations',
      body: bodyParameters(filters),
      response: z.int(),
      status: 200,
      handler: ({ body }, { database }) => countAutomations(database.kysely, body.automations),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_automation',
      params: byId,
      response: automation,
      status: 200,
      handler: async ({ params }, { database }) => found(await findAutomation(database.kysely, params.id)),
    }),
    route({
      method: 'get',
      path: '/related-to/{resource_id}',
      name: 'read_automations_related_to_resource',
      params: byResource,
      response: z.array(automation),
      status: 200,
      handler: ({ params }, { database }) => listRelatedAutomations(database.kysely, params.resource_id),
    }),
    route({
      method: 'delete',
      path: '/owned-by/{resource_id}',
      name: 'delete_automations_owned_by_resource',
      params: byResource,
      status: 202,
      handler: ({ params }, { database }) => deleteOwnedAutomations(database.kysely, params.resource_id, now()),
    }),
  ],
};
