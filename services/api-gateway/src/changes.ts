import type { Transaction } from 'kysely';
import { retryOnce } from '@praetor/database/errors';
import type { Tables } from '@praetor/database/tables';
import { type OutboxEvent, type ServerEvent, insertEvents } from '@praetor/orchestration/lifecycle-events';
import { publishOutboxEvents } from '@praetor/streams/outbox';
import type { GatewayContext } from './context.ts';

/** Reports an event of the change at hand. */
export type Emit = (event: ServerEvent) => void;

/**
 * Runs a change of several statements in one transaction, together with the events that it emits, and publishes those
 * once it is committed. The work may run twice (after a deadlock), so it must do nothing outside its transaction.
 */
export async function change<T>(context: GatewayContext, work: (db: Transaction<Tables>, emit: Emit) => Promise<T>): Promise<T> {
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

/** Publishes events of a change that is committed. The answer does not wait: what fails here, the relay of the event persister publishes later. */
export function publishEvents({ broker, logger }: GatewayContext, events: readonly OutboxEvent[]): void {
  publishOutboxEvents(broker, events, (error) => logger.warn({ error }, 'events wait in the outbox'));
}
