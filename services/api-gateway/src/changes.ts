import type { Transaction } from 'kysely';
import { retryOnce } from '@praetor/database/errors';
import type { Tables } from '@praetor/database/tables';
import { type ServerEvent, insertEvents } from '@praetor/orchestration/lifecycle-events';
import { publishOutboxEvents } from '@praetor/streams/outbox';
import type { GatewayContext } from './context.ts';

/** Reports an event of the change at hand. */
export type Emit = (event: ServerEvent) => void;

/**
 * Runs a change of several statements in one transaction, together with the events that it emits, and publishes those
 * once it is committed. The work may run twice (after a deadlock), so it must do nothing outside its transaction.
 */
export async function change<T>({ database, broker, logger }: GatewayContext, work: (db: Transaction<Tables>, emit: Emit) => Promise<T>): Promise<T> {
  const [result, outbox] = await retryOnce(() =>
    database.kysely.transaction().execute(async (db) => {
      const events: ServerEvent[] = [];
      const result = await work(db, (event) => events.push(event));
      return [result, await insertEvents(db, events)] as const;
    }),
  );
  // The answer does not wait for the stream: what fails here, the relay of the event persister publishes later.
  publishOutboxEvents(broker, outbox, (error) => logger.warn({ error }, 'events wait in the outbox'));
  return result;
}
