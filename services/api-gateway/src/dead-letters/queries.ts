import type { Sql } from '@praetor/database/sql';
import type { DeadLetter, DeadLetterFilter } from '@praetor/schema/dead-letter';
import type { Broker } from '@praetor/streams/broker';
import { ALL_TOPICS } from '@praetor/streams/topics';
import type { Page } from '../http/pagination.ts';

/** Messages published at once. */
const REPLAY_BATCH = 100;

const matching = (sql: Sql, filter: DeadLetterFilter | null | undefined) => sql`
  (${filter?.id?.any_ ?? null}::uuid[] is null or id = any(${filter?.id?.any_ ?? null}::uuid[]))
  and (${filter?.consumer_group?.any_ ?? null}::text[] is null or consumer_group = any(${filter?.consumer_group?.any_ ?? null}::text[]))`;

/** The dead letters that match, newest first. */
export async function listDeadLetters(sql: Sql, filter: DeadLetterFilter | null | undefined, { limit, offset }: Page): Promise<DeadLetter[]> {
  return await sql<DeadLetter[]>`
    select id, topic, consumer_group, data, error, attempts, died from praetor.dead_letter
    where ${matching(sql, filter)} order by died desc, id limit ${limit} offset ${offset}`;
}

export async function countDeadLetters(sql: Sql, filter: DeadLetterFilter | null | undefined): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count from praetor.dead_letter where ${matching(sql, filter)}`;
  return row?.count ?? 0;
}

export async function findDeadLetter(sql: Sql, id: string): Promise<DeadLetter | undefined> {
  const [found] = await listDeadLetters(sql, { id: { any_: [id] } }, { limit: 1, offset: 0 });
  return found;
}

/** Gives how many there were. */
export async function deleteDeadLetters(sql: Sql, filter: DeadLetterFilter): Promise<number> {
  return (await sql`delete from praetor.dead_letter where ${matching(sql, filter)} returning id`).length;
}

/**
 * Publishes the messages that match again, oldest first, and forgets their death. Every group gets them, and takes those
 * it knows for the duplicates they are; where handling fails again, they die again. Gives how many; throws
 * BrokerUnavailableError, and then keeps what was not published. No transaction waits for the groups: they need connections.
 */
export async function replayDeadLetters(sql: Sql, broker: Broker, filter: DeadLetterFilter | null | undefined): Promise<number> {
  // What dies again meanwhile is not for this replay.
  const [until] = await sql<{ now: string }[]>`select clock_timestamp()::text as now`;
  for (let replayed = 0; ; ) {
    const letters = await sql<{ id: string; topic: string; text: string }[]>`
      select id, topic, data::text as text from praetor.dead_letter
      where died <= ${until?.now}::timestamptz and ${matching(sql, filter)}
      order by died, id limit ${REPLAY_BATCH}`;
    for (const topic of ALL_TOPICS) {
      const texts = letters.flatMap((letter) => (letter.topic === topic ? [letter.text] : []));
      if (texts.length > 0) await broker.publish(topic, texts);
    }
    await sql`delete from praetor.dead_letter where id = any(${letters.map(({ id }) => id)}::uuid[])`;
    replayed += letters.length;
    if (letters.length < REPLAY_BATCH) return replayed;
  }
}
