import type { Transaction } from 'kysely';
import type { Database } from '@praetor/database/connect';
import { retryOnce } from '@praetor/database/errors';
import type { Tables } from '@praetor/database/tables';
import type { Broker } from '@praetor/streams/broker';
import { type OutboxEvent, type ServerEvent, insertEvents } from './lifecycle-events.ts';

/** Where events go once their change is committed. */
export interface Publishing {
  readonly broker: Pick<Broker, 'publish'>;
  readonly logger: { warn(details: object, message: string): void };
}

/** Reports an event of the change at hand. */
export type Emit = (event: ServerEvent) => void;

/**
 * Runs a change of several statements in one transaction, together with the events that it emits, and publishes those
 * once it is committed. The work may run twice (after a deadlock), so it must do nothing outside its transaction.
 */
export async function change<T>(context: Publishing & { readonly database: Database }, work: (db: Transaction<Tables>, emit: Emit) => Promise<T>): Promise<T> {
  const [result, outbox] = await retryOnce(() =>
    context.database.kysely.transaction().execute(async (db) => {
      const events: ServerEvent[] = [];
      const result = await work(db, (event) => events.push(event));
      return [result, await insertEvents(db, events)] as const;
    }),
  );
  publishEvents(context, outbox);
  return result;
}

/**
 * Publishes events of a change that is committed, without making its answer wait. Their rows are still in the outbox:
 * whatever fails here is published later, by the relay of the event persister.
 */
export function publishEvents({ broker, logger }: Publishing, events: readonly OutboxEvent[]): void {
  if (events.length === 0) return;
  const bodies = events.map(({ body }) => body);
  broker.publish('events', bodies).catch((error: unknown) => logger.warn({ error }, 'events wait in the outbox'));
}
