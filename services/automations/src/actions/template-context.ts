import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { TemplateError } from '@praetor/templates/errors';
import { type ModelKind, eventObject, labelDiver, modelObject } from '@praetor/templates/prefect-objects';
import { renderTemplate } from '@praetor/templates/render';
import { namesInTemplates } from '@praetor/templates/validate';
import type { JsonObject } from '@praetor/schema/json';
import { allEvents, allFirings } from '@praetor/triggers/firing';
import type { TriggeredAction } from '../triggered-action.ts';
import { ActionFailedError } from './outcome.ts';
import { resourceOfKind } from './targets.ts';

/* What the templates of actions see (facts/events.md §7.7): what has happened, and the objects that the event is about. */

type Db = Kysely<Tables>;

const byId = (table: 'flow' | 'concurrency_limit_v2') => async (db: Db, id: string) => await db.selectFrom(table).selectAll().where('id', '=', id).executeTakeFirst();

const findRun = (kind: 'flow_run' | 'task_run') => async (db: Db, id: string) => {
  const state = sql.raw(`(select json_build_object('id', s.id, 'type', s.type, 'name', s.name, 'timestamp', s.timestamp, 'message', s.message, 'state_details', s.state_details)
    from ${kind}_state s where s.id = ${kind}.state_id)`);
  return await db.selectFrom(kind).selectAll(kind).select(sql<JsonObject | null>`${state}`.as('state')).where(`${kind}.id`, '=', id).executeTakeFirst();
};

const findDeployment = (db: Db, id: string) =>
  db
    .selectFrom('deployment')
    .leftJoin('work_queue', 'work_queue.id', 'deployment.work_queue_id')
    .leftJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .selectAll('deployment')
    .select(['work_pool.name as work_pool_name', 'deployment.infra_overrides as job_variables'])
    .where('deployment.id', '=', id)
    .executeTakeFirst();

const findQueue = (db: Db, id: string) =>
  db
    .selectFrom('work_queue')
    .leftJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .selectAll('work_queue')
    .select('work_pool.name as work_pool_name')
    .where('work_queue.id', '=', id)
    .executeTakeFirst();

const findPool = (db: Db, id: string) => db.selectFrom('work_pool').selectAll().where('id', '=', id).executeTakeFirst();

/** The objects that a template may name, and how each is found. */
const FINDERS: Readonly<Record<string, { kind: ModelKind; find: (db: Db, id: string) => Promise<object | undefined> }>> = {
  deployment: { kind: 'deployment', find: findDeployment },
  flow: { kind: 'flow', find: byId('flow') },
  flow_run: { kind: 'flow-run', find: findRun('flow_run') },
  task_run: { kind: 'task-run', find: findRun('task_run') },
  work_pool: { kind: 'work-pool', find: findPool },
  work_queue: { kind: 'work-queue', find: findQueue },
  concurrency_limit: { kind: 'concurrency-limit', find: byId('concurrency_limit_v2') },
};

/** The run's state may have changed since: what the event tells of it counts. */
function withStateOfEvent(found: object, labels: Readonly<Record<string, string>>): object {
  const { 'prefect.state-type': type, 'prefect.state-name': name, 'prefect.state-message': message, 'prefect.state-timestamp': timestamp } = labels;
  if (type === undefined || name === undefined || message === undefined || timestamp === undefined) return found;
  return { ...found, state: { type, name, message, timestamp } };
}

async function findObjects(db: Db, triggered: TriggeredAction, names: ReadonlySet<string>): Promise<Record<string, unknown>> {
  const objects: Record<string, unknown> = {};
  for (const [name, { kind, find }] of Object.entries(FINDERS)) {
    const target = names.has(name) ? resourceOfKind(triggered, kind) : undefined;
    const found = target && (await find(db, target.id));
    if (target && found) objects[name] = modelObject(kind, kind.endsWith('-run') ? withStateOfEvent(found, target.resource) : found);
  }
  if (names.has('variables')) {
    const variables = await db.selectFrom('variable').select(['name', 'value']).execute();
    objects['variables'] = Object.fromEntries(variables.map(({ name, value }) => [name, value]));
  }
  return objects;
}

/** Renders the templates of one action. Throws TemplateError. */
export type Render = (template: string) => string;

/** Prepares what some templates need. Throws ActionFailedError where one cannot be read. */
export async function prepareTemplates(db: Db, triggered: TriggeredAction, templates: readonly string[], uiUrl: string | undefined): Promise<Render> {
  const { automation, firing, triggering_event: event, triggering_labels: labels } = triggered;
  const names = explaining('', () => namesInTemplates(templates));
  const context = {
    automation: modelObject('automation', automation),
    event: event && eventObject(event),
    labels: labelDiver(labels),
    firing: modelObject('firing', firing),
    firings: allFirings(firing).map((one) => modelObject('firing', one)),
    events: allEvents(firing).map(eventObject),
    ...(event && (await findObjects(db, triggered, names))),
  };
  return (template) => explaining(template, () => renderTemplate(template, context, { uiUrl }));
}

function explaining<T>(template: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new ActionFailedError(`A template could not be rendered: ${error.message}`, { details: { template_error: error.message, template_source: template } });
  }
}
