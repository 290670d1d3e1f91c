import type { EventTrigger } from '@praetor/schema/automation/trigger';
import { type ReceivedEvent, receivedEvent } from '@praetor/schema/event';
import { fromMicroseconds, toMicroseconds } from '@praetor/schema/timestamps';

/* Events and triggers for tests, at seconds after some beginning. */

const ORIGIN = toMicroseconds('2026-01-01T00:00:00Z');

export const at = (seconds: number): number => ORIGIN + Math.round(seconds * 1_000_000);

let sequence = 0;

export function createEvent(name: string, seconds = 0, more: Partial<ReceivedEvent> = {}): ReceivedEvent {
  const id = more.id ?? `00000000-0000-4000-8000-${String(++sequence).padStart(12, '0')}`;
  const moment = fromMicroseconds(at(seconds));
  return receivedEvent.parse({ occurred: moment, event: name, resource: { 'prefect.resource.id': 'r' }, received: moment, ...more, id });
}

export function createTrigger(fields: Partial<EventTrigger>): EventTrigger {
  return {
    type: 'event',
    id: '11111111-1111-4111-8111-111111111111',
    match: {},
    match_related: {},
    after: [],
    expect: [],
    for_each: [],
    posture: 'Reactive',
    threshold: 1,
    within: 0,
    ...fields,
  };
}
