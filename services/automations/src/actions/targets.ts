import type { EventResource } from '@praetor/orchestration/lifecycle-events';
import type { Resource } from '@praetor/schema/event';
import { normalizeUuid } from '@praetor/schema/primitives';
import type { TriggeredAction } from '../triggered-action.ts';
import { ActionFailedError } from './outcome.ts';

/* What an action acts on: what it names, or what the triggering event tells of (facts/events.md §7.7). */

function idIn(resourceId: string | undefined, kind: string): string | undefined {
  const prefix = `prefect.${kind}.`;
  return resourceId?.startsWith(prefix) ? normalizeUuid(resourceId.slice(prefix.length)) : undefined;
}

/** The first resource of a kind that the triggering event tells of, its subject before the related ones. */
export function resourceOfKind({ triggering_event: event }: Pick<TriggeredAction, 'triggering_event'>, kind: string): { id: string; resource: Resource } | undefined {
  if (event === null) return undefined;
  const resource = [event.resource, ...event.related].find(({ 'prefect.resource.id': id = '' }) => id.slice(0, Math.max(id.lastIndexOf('.'), 0)) === `prefect.${kind}`);
  const id = idIn(resource?.['prefect.resource.id'], kind);
  return resource === undefined || id === undefined ? undefined : { id, resource };
}

/** The id that was selected or, where none was, inferred from the event. Throws ActionFailedError where there is none. */
export function findTarget(triggered: TriggeredAction, kind: string, selected: string | null): string {
  const id = selected ?? resourceOfKind(triggered, kind)?.id;
  if (id === undefined) throw new ActionFailedError(triggered.triggering_event === null ? `There is no event to infer the ${kind} from.` : `No ${kind} could be inferred.`);
  return id;
}

/** The flow run: that of the bucket, where buckets are told apart by runs (absence has no event), or that of the event. */
export function findFlowRun(triggered: TriggeredAction): string {
  return idIn(triggered.triggering_labels['prefect.resource.id'], 'flow-run') ?? findTarget(triggered, 'flow-run', null);
}

/** The target as a related resource of the action's events. */
export function targetResource(kind: string, id: string, name?: string): EventResource {
  return { 'prefect.resource.id': `prefect.${kind}.${id}`, ...(name !== undefined && { 'prefect.resource.name': name }), 'prefect.resource.role': 'target' };
}
