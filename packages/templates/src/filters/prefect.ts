import { describeObject } from '../prefect-objects.ts';
import { Thing, type Value } from '../values.ts';
import { type FilterContext, type Filters, filter } from './filter.ts';

/* Prefect's own filters: links to pages of the web UI. */

const PAGES: Readonly<Record<string, string>> = {
  flow: 'flows/flow',
  'flow-run': 'runs/flow-run',
  'task-run': 'runs/task-run',
  'block-document': 'blocks/block',
  'work-pool': 'work-pools/work-pool',
  'work-queue': 'work-queues/work-queue',
  'concurrency-limit': 'concurrency-limits/concurrency-limit',
  deployment: 'deployments/deployment',
  automation: 'automations/automation',
};

/** Resources of an event are named `prefect.flow-run.{id}`, models by their kind alone. */
const kindOf = (kind: string): string => kind.replace(/^prefect\./, '');

/** The address of an object's page, each segment of it percent-encoded; null where there is none. */
export function pageUrl(uiUrl: string | undefined, value: Value): string | null {
  const object = describeObject(value);
  if (uiUrl === undefined || object === undefined) return null;
  const base = uiUrl.replace(/\/$/, '');
  const id = encodeURIComponent(object.id.toWellFormed());
  if (object.kind === 'received-event') return object.occurred === undefined ? null : `${base}/events/event/${object.occurred.format('%Y-%m-%d')}/${id}`;
  const kind = kindOf(object.kind);
  const page = Object.hasOwn(PAGES, kind) ? PAGES[kind] : undefined;
  return page === undefined ? null : `${base}/${page}/${id}`;
}

/** The address of the page with an object's events. */
function eventsUrl({ uiUrl }: FilterContext, value: Value): string | null {
  const object = describeObject(value);
  if (uiUrl === undefined || object === undefined || object.kind === 'received-event') return null;
  const model = value instanceof Thing && value.attribute('id');
  const id = object.kind === 'work-pool' && model instanceof Thing ? model.print() : object.id;
  const kind = object.kind.includes('.') ? object.kind : `prefect.${object.kind}`;
  return URL.parse(`events?resource=${kind}.${id}`, uiUrl)?.href ?? null;
}

export const PREFECT_FILTERS: Filters = {
  ui_url: filter([], (input, _given, { uiUrl }) => pageUrl(uiUrl, input)),
  ui_resource_events_url: filter([], (input, _given, context) => eventsUrl(context, input)),
};

