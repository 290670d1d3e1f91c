import { z } from 'zod';
import { parseJson } from '@praetor/schema/json';
import { labels } from '@praetor/schema/labels';
import { duration, integer, json, jsonObject, normalizeUuid, tags, timestamp } from '@praetor/schema/primitives';
import { taskRunPolicy } from '@praetor/schema/run-policy';
import { completeStateDetails, defaultStateName, stateDetails, stateType } from '@praetor/schema/state';
import { flattenZeros } from '@praetor/schema/zero-floats';

/*
 * What clients report of the task runs that they run themselves (facts/events.md §4). What a client does not send is absent
 * in the parsed value too: it must not touch the stored column.
 */

const columns = z.object({
  name: z.string().optional(),
  task_key: z.string(),
  dynamic_key: z.string(),
  cache_key: z.string().nullish(),
  cache_expiration: timestamp().nullish(),
  task_version: z.string().nullish(),
  empirical_policy: taskRunPolicy.optional(),
  task_inputs: jsonObject().optional(),
  tags: tags().optional(),
  labels: labels().nullish(),
  run_count: integer().optional(),
  flow_run_run_count: integer().optional(),
  expected_start_time: timestamp().nullish(),
  next_scheduled_start_time: timestamp().nullish(),
  start_time: timestamp().nullish(),
  end_time: timestamp().nullish(),
  total_run_time: duration().optional(),
});
export type TaskRunColumns = z.output<typeof columns>;

/** Most states come without details: there is no need to look for each. */
const noDetails = z.strictObject({}).transform(() => completeStateDetails({}));

const validatedState = z.object({
  type: stateType,
  name: z.string().nullish(),
  message: z.string().nullish(),
  data: json().nullish(),
  state_details: z.union([noDetails, stateDetails]).prefault({}),
});

const clientEvent = z.object({
  event: z.templateLiteral(['prefect.task-run', z.string()]),
  resource: z.looseObject({ 'prefect.orchestration': z.literal('client') }),
});

/** Only what is read here: the rest was validated when the event was received. */
const taskRunEvent = z.object({
  id: z.string(),
  occurred: z.string(),
  resource: z.looseObject({ 'prefect.resource.id': z.string(), 'prefect.resource.name': z.string().optional() }),
  related: z.array(z.looseObject({ 'prefect.resource.id': z.string(), 'prefect.resource.role': z.string() })),
  payload: z.object({ task_run: columns, validated_state: validatedState }),
});

/** A state that a task run has taken, with the run as it was then. */
export type TaskRunEvent = ReturnType<typeof toTaskRunEvent>;

/** The id behind `prefect.task-run.{id}`. */
function objectId(resourceId: string, kind: string): string {
  const prefix = `prefect.${kind}.`;
  const id = resourceId.startsWith(prefix) ? normalizeUuid(resourceId.slice(prefix.length)) : undefined;
  if (id === undefined) throw new Error(`${resourceId} is no ${kind}`);
  return id;
}

function toTaskRunEvent({ id, occurred, resource, related, payload }: z.output<typeof taskRunEvent>) {
  const flowRun = related.find((candidate) => candidate['prefect.resource.role'] === 'flow-run');
  const taskRunId = objectId(resource['prefect.resource.id'], 'task-run');
  const flowRunId = flowRun ? objectId(flowRun['prefect.resource.id'], 'flow-run') : null;
  const { type, name, message, data, state_details } = payload.validated_state;
  return {
    taskRunId,
    flowRunId,
    columns: { name: resource['prefect.resource.name'] ?? '', ...payload.task_run },
    state: { id, type, name: name ?? defaultStateName(type), timestamp: occurred, message: message ?? null, data: data ?? null, state_details },
  };
}

/** Reads a message of the stream; undefined for events of other things, and of task runs that the server itself orchestrates. */
export function readTaskRunEvent(text: string): TaskRunEvent | undefined {
  // Most events are not about task runs; this spares parsing them.
  if (!text.includes('"event":"prefect.task-run')) return undefined;
  const given = parseJson(flattenZeros(text));
  return clientEvent.safeParse(given).success ? toTaskRunEvent(taskRunEvent.parse(given)) : undefined;
}
