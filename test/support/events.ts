import { randomUUID } from 'node:crypto';
import { type Event, event } from '@praetor/schema/event';
import { now } from '@praetor/schema/timestamps';

/** An event, valid as it is; what matters to a test is given. */
export function makeEvent(fields: Partial<Event> = {}): Event {
  return event.parse({ id: randomUUID(), occurred: now(), event: 'test.happened', resource: { 'prefect.resource.id': 'test.thing' }, ...fields });
}
