import type { Kysely } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Tables } from '@praetor/database/tables';
import { type JsonObject, toJson } from '@praetor/schema/json';
import { type Timestamp, now } from '@praetor/schema/timestamps';

/** A resource of an event: string labels, among them `prefect.resource.id`. */
export type EventResource = Record<string, string>;

/** An event which the server itself reports (facts/events.md §2, §3). */
export interface ServerEvent {
  event: string;
  resource: EventResource;
  related?: EventResource[];
  payload?: JsonObject;
  /** Default: now. */
  occurred?: Timestamp;
  /** Default: a new uuid7. */
  id?: string;
  /** The event which this one follows causally. */
  follows?: string | null;
}

/** An event as it waits in the outbox and travels the stream: its id, and its JSON text in the wire's key order. */
export interface OutboxEvent {
  id: string;
  body: string;
}

/** The resource of a server object: `prefect.{kind}.{id}` with its name. */
export function eventResource(kind: string, id: string, name?: string, labels: EventResource = {}): EventResource {
  return { 'prefect.resource.id': `prefect.${kind}.${id}`, ...(name !== undefined && { 'prefect.resource.name': name }), ...labels };
}

/** The same as a related resource, in its role (by default the kind itself). */
export function relatedResource(kind: string, id: string, name?: string, role: string = kind, labels: EventResource = {}): EventResource {
  return eventResource(kind, id, name, { 'prefect.resource.role': role, ...labels });
}

/** Gives a server event its identity and its text. */
export function toOutboxEvent(event: ServerEvent): OutboxEvent {
  const received = now();
  const id = event.id ?? uuidv7();
  const body = toJson({
    occurred: event.occurred ?? received,
    event: event.event,
    resource: event.resource,
    related: event.related ?? [],
    payload: event.payload ?? {},
    id,
    follows: event.follows ?? null,
    received,
  });
  return { id, body };
}

/**
 * Writes events into the outbox, within the transaction of the change that they report: both commit or neither does, and
 * the row stays until the event is stored. The caller publishes the returned events after its commit; the relay of the
 * event persister does so where a process died in between.
 */
export async function insertEvents(db: Kysely<Tables>, events: readonly ServerEvent[]): Promise<OutboxEvent[]> {
  if (events.length === 0) return [];
  const rows = events.map(toOutboxEvent);
  await db.insertInto('praetor.outbox').values(rows).execute();
  return rows;
}
