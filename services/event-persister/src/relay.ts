import type { Sql } from '@praetor/database/sql';
import type { Broker } from '@praetor/streams/broker';

export interface RelayOptions {
  /** Events that the process which wrote them should have published by now. */
  afterSeconds: number;
  /** Events that were relayed and have still not been stored: their stream may be lost. */
  againAfterSeconds: number;
}

const BATCH_SIZE = 500;

/** Takes the events that are due, and notes that they are being published; other relays get others. */
async function takeDueEvents(sql: Sql, { afterSeconds, againAfterSeconds }: RelayOptions): Promise<string[]> {
  const rows = await sql<{ text: string }[]>`
    with due as (
      select id from praetor.outbox o
      where coalesce(published, created) < now() - make_interval(secs => ${afterSeconds})
        and (published is null or published < now() - make_interval(secs => ${againAfterSeconds}))
      order by coalesce(published, created) limit ${BATCH_SIZE}
      for update skip locked
    )
    update praetor.outbox o set published = now() from due where o.id = due.id returning body::text as text`;
  return rows.map((row) => row.text);
}

/**
 * Publishes the events that are left in the outbox, because the process that wrote them died, the stream could not be
 * reached, or it was lost. Any number of relays share the work. Gives how many were published; throws
 * BrokerUnavailableError where the stream is lost meanwhile.
 */
export async function relayOutbox(sql: Sql, broker: Broker, options: RelayOptions, signal: AbortSignal): Promise<number> {
  // What is taken counts as published, and would have to wait its time: while the stream is away nothing is.
  if (!broker.isReady()) return 0;
  const aborted = Promise.withResolvers<void>();
  const stop = () => aborted.resolve();
  signal.addEventListener('abort', stop);
  try {
    for (let relayed = 0; ; ) {
      const events = await takeDueEvents(sql, options);
      // A broker in memory answers when the events are stored, which no longer happens in a process that stops.
      if (events.length > 0) await Promise.race([broker.publish('events', events), aborted.promise]);
      relayed += events.length;
      if (events.length < BATCH_SIZE || signal.aborted) return relayed;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
