import { randomUUID } from 'node:crypto';
import { type Event, event, receiveEvent } from '@praetor/schema/event';
import type { JsonObject } from '@praetor/schema/json';
import type { StateType } from '@praetor/schema/state';
import { type Timestamp, now } from '@praetor/schema/timestamps';

/** An event, valid as it is; what matters to a test is given. */
export function makeEvent(fields: Partial<Event> = {}): Event {
  return event.parse({ id: randomUUID(), occurred: now(), event: 'test.happened', resource: { 'prefect.resource.id': 'test.thing' }, ...fields });
}

/** Its text as it travels the stream. */
export function makeEventText(fields: Partial<Event> = {}): string {
  return receiveEvent(makeEvent(fields)) ?? '';
}

export interface Step {
  id?: string;
  taskRunId: string;
  flowRunId: string | null;
  at: Timestamp;
  type?: StateType;
  name?: string;
  details?: JsonObject;
  /** Columns of the task run. */
  run?: JsonObject;
}

/** What a client reports about one step of a task run. */
export function makeTaskRunEvent({ id = randomUUID(), taskRunId, flowRunId, at, type = 'RUNNING', name, details = {}, run = {} }: Step): Event {
  return makeEvent({
    id,
    occurred: at,
    event: `prefect.task-run.${type}`,
    resource: { 'prefect.resource.id': `prefect.task-run.${taskRunId}`, 'prefect.resource.name': 'add-1', 'prefect.orchestration': 'client' },
    related: flowRunId === null ? [] : [{ 'prefect.resource.id': `prefect.flow-run.${flowRunId}`, 'prefect.resource.role': 'flow-run' }],
    payload: {
      validated_state: { type, ...(name !== undefined && { name }), message: null, state_details: details, data: null },
      task_run: { name: 'add-1', task_key: 'add', dynamic_key: taskRunId, tags: [], task_inputs: {}, total_run_time: 0, ...run },
    },
  });
}
