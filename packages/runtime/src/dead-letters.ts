import type { Sql } from '@praetor/database/connect';
import { toJson } from '@praetor/schema/json';
import type { DeadLetter } from '@praetor/streams/broker';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Keeps a message that was given up in `praetor.dead_letter`. Nothing in the message itself can make that fail. */
export async function saveDeadLetter(sql: Sql, { topic, group, data, error, attempts }: DeadLetter): Promise<void> {
  const body = isJson(data) ? data : toJson(data);
  // Postgres holds no NUL in text.
  const reason = error.replaceAll('\0', '');
  await sql`insert into praetor.dead_letter (topic, consumer_group, data, error, attempts) values (${topic}, ${group}, ${body}::json, ${reason}, ${attempts})`;
}
