import type { JsonObject } from '@praetor/schema/json';
import type { State } from '@praetor/schema/state';
import { toMicroseconds } from '@praetor/schema/timestamps';
import { type EventResource, type ServerEvent, eventResource, relatedResource } from './lifecycle-events.ts';
import type { FlowTransition } from './transition.ts';

const LONGEST_MESSAGE = 100_000;
/** An event follows the previous state's if they are closer than this; further apart their order is plain. */
const TIGHT_MICROSECONDS = 5 * 60 * 1e6;

const shorten = (message: string | null): string => (message ?? '').slice(0, LONGEST_MESSAGE);

function statePayload({ type, name, message, state_details }: State): JsonObject {
  return {
    type,
    ...(name && { name }),
    ...(message && { message: shorten(message) }),
    ...(type === 'PAUSED' && { pause_reschedule: String(state_details.pause_reschedule) }),
  };
}

function relatedResources({ facts, run }: FlowTransition): EventResource[] {
  const { flow, deployment, workQueue, workPool, parentTaskRun } = facts;
  const tags = new Set([...run.tags, ...(flow?.tags ?? []), ...(deployment?.tags ?? []), ...(parentTaskRun?.tags ?? [])]);
  const related = [
    flow && relatedResource('flow', flow.id, flow.name),
    deployment && relatedResource('deployment', deployment.id, deployment.name),
    workQueue && relatedResource('work-queue', workQueue.id, workQueue.name),
    workPool && relatedResource('work-pool', workPool.id, workPool.name, 'work-pool', { 'prefect.work-pool.type': workPool.type }),
    parentTaskRun && relatedResource('task-run', parentTaskRun.id, parentTaskRun.name),
    ...[...tags].sort().map((tag) => relatedResource('tag', tag)),
    creator(run.created_by),
  ];
  return related.filter((resource) => resource !== null);
}

/** Who made the run, where that was a deployment or an automation. */
function creator(createdBy: FlowTransition['run']['created_by']): EventResource | null {
  if (createdBy?.type !== 'DEPLOYMENT' && createdBy?.type !== 'AUTOMATION') return null;
  return relatedResource(createdBy.type.toLowerCase(), createdBy.id ?? '', createdBy.display_value ?? undefined, 'creator');
}

/** The event of a stored flow-run state (facts/events.md §2); it shares its id with the state. */
export function flowRunStateEvent(transition: FlowTransition, state: State): ServerEvent {
  const { run, initial } = transition;
  const isTight = initial !== null && Math.abs(toMicroseconds(state.timestamp) - toMicroseconds(initial.timestamp)) < TIGHT_MICROSECONDS;
  return {
    id: state.id,
    occurred: state.timestamp,
    event: `prefect.flow-run.${state.name}`,
    follows: isTight ? initial.id : null,
    resource: eventResource('flow-run', run.id, run.name, {
      'prefect.run-count': String(run.run_count),
      'prefect.state-message': shorten(state.message),
      'prefect.state-name': state.name ?? '',
      'prefect.state-timestamp': state.timestamp.replace('Z', '+00:00'),
      'prefect.state-type': state.type,
    }),
    related: relatedResources(transition),
    payload: {
      intended: { from: initial?.type ?? null, to: state.type },
      initial_state: initial && statePayload(initial),
      validated_state: statePayload(state),
    },
  };
}
