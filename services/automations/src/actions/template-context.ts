import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { estimateRunTime, estimateStartTimeDelta } from '@praetor/orchestration/estimates';
import { readWorkQueueHealth } from '@praetor/orchestration/work-queue-health';
import { TemplateError } from '@praetor/templates/errors';
import { type ModelKind, eventObject, labelDiver, modelObject } from '@praetor/templates/prefect-objects';
import { renderTemplate } from '@praetor/templates/render';
import { namesInTemplates } from '@praetor/templates/validate';
import type { JsonObject } from '@praetor/schema/json';
import { nowMicroseconds } from '@praetor/schema/timestamps';
import { allEvents, allFirings } from '@praetor/triggers/firing';
import type { TriggeredAction } from '../triggered-action.ts';
import { ActionFailedError } from './outcome.ts';
import { resourceOfKind } from './targets.ts';

/* What the templates of actions see (facts/events.md §7.7): what has happened, and the objects that the event is about. */

type Db = Kysely<Tables>;

const byId = (table: 'flow' | 'concurrency_limit_v2' | 'work_pool') => async (db: Db, id: string) => await db.selectFrom(table).selectAll().where('id', '=', id).executeTakeFirst();

const stateOf = (kind: 'flow_run' | 'task_run') =>
  sql<JsonObject | null>`${sql.raw(`(select json_build_object('id', s.id, 'type', s.type, 'name', s.name, 'timestamp', s.timestamp, 'message', s.message, 'state_details', s.state_details)
    from ${kind}_state s where s.id = ${kind}.state_id)`)}`.as('state');

type Times = Parameters<typeof estimateRunTime>[0];

function withEstimates<Run extends Times>(run: Run | undefined): object | undefined {
  const moment = nowMicroseconds();
  return run && { ...run, estimated_run_time: estimateRunTime(run, moment), estimated_start_time_delta: estimateStartTimeDelta(run, moment) };
}

const findFlowRun = async (db: Db, id: string) =>
  withEstimates(
    await db
      .selectFrom('flow_run')
      .leftJoin('work_queue', 'work_queue.id', 'flow_run.work_queue_id')
      .leftJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
      .selectAll('flow_run')
      .select(['work_pool.id as work_pool_id', 'work_pool.name as work_pool_name', stateOf('flow_run')])
      .where('flow_run.id', '=', id)
      .executeTakeFirst(),
  );

const findTaskRun = async (db: Db, id: string) => withEstimates(await db.selectFrom('task_run').selectAll('task_run').select(stateOf('task_run')).where('task_run.id', '=', id).executeTakeFirst());

const findDeployment = (db: Db, id: string) =>
  db
    .selectFrom('deployment')
    .leftJoin('work_queue', 'work_queue.id', 'deployment.work_queue_id')
    .leftJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .selectAll('deployment')
    .select([
      'work_pool.name as work_pool_name',
      'deployment.infra_overrides as job_variables',
      sql<JsonObject[]>`(select coalesce(json_agg(s order by s.updated desc), '[]') from deployment_schedule s where s.deployment_id = deployment.id)`.as('schedules'),
      sql<JsonObject | null>`(select to_json(l) from concurrency_limit_v2 l where l.id = deployment.concurrency_limit_id)`.as('global_concurrency_limit'),
    ])
    .where('deployment.id', '=', id)
    .executeTakeFirst();

/** A queue and how it is served. */
async function findQueue(db: Db, id: string): Promise<object | undefined> {
  const queue = await db
    .selectFrom('work_queue')
    .leftJoin('work_pool', 'work_pool.id', 'work_queue.work_pool_id')
    .selectAll('work_queue')
    .select('work_pool.name as work_pool_name')
    .where('work_queue.id', '=', id)
    .executeTakeFirst();
  return queue && { ...queue, ...(await readWorkQueueHealth(db, id)) };
}

/** The objects that a template may name, and how each is found. */
const FINDERS: Readonly<Record<string, { kind: ModelKind; find: (db: Db, id: string) => Promise<object | undefined> }>> = {
  deployment: { kind: 'deployment', find: findDeployment },
  flow: { kind: 'flow', find: byId('flow') },
  flow_run: { kind: 'flow-run', find: findFlowRun },
  task_run: { kind: 'task-run', find: findTaskRun },
  work_pool: { kind: 'work-pool', find: byId('work_pool') },
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
