import type { Sql } from '@praetor/database/connect';
import { isJsonObject, toJson } from '@praetor/schema/json';
import { uuid } from '@praetor/schema/primitives';
import type { DeadLetter } from '@praetor/streams/broker';

/** What a message says; undefined where it is no JSON. */
function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Keeps a message that was given up in `praetor.dead_letter`. Nothing in the message itself can make that fail. An event that
 * cannot be stored leaves the outbox by it: here it waits for the operator, and the relay need not publish it again and again.
 */
export async function saveDeadLetter(sql: Sql, { topic, group, data, error, attempts }: DeadLetter): Promise<void> {
  const message = read(data);
  const body = message === undefined ? toJson(data) : data;
  const unstored = group === 'event-persister' && isJsonObject(message) ? uuid().safeParse(message['id']).data : undefined;
  // Postgres holds no NUL in text.
  const reason = error.replaceAll('\0', '');
  await sql`
    with relayed as (delete from praetor.outbox where id = ${unstored ?? null}::uuid)
    insert into praetor.dead_letter (topic, consumer_group, data, error, attempts) values (${topic}, ${group}, ${body}::json, ${reason}, ${attempts})`;
}
