import type { Sql } from '@praetor/database/sql';

/** Deletes one batch of the events that occurred longer ago than this, oldest first, with their resources. Gives how many. */
export async function deleteOldEvents(sql: Sql, olderThanSeconds: number, batchSize: number): Promise<number> {
  return await deleteEvents(sql, sql`
    select id from events where occurred < now() - make_interval(secs => ${olderThanSeconds})
    order by occurred limit ${batchSize} for update skip locked`);
}

/** The same for the events of one name, which are kept for a shorter time than the others. */
export async function deleteOldEventsNamed(sql: Sql, name: string, olderThanSeconds: number, batchSize: number): Promise<number> {
  return await deleteEvents(sql, sql`
    select id from events where event = ${name} and occurred < now() - make_interval(secs => ${olderThanSeconds})
    order by occurred limit ${batchSize} for update skip locked`);
}

async function deleteEvents(sql: Sql, old: ReturnType<Sql>): Promise<number> {
  const deleted = await sql`
    with old as (${old}),
    resources as (delete from event_resources using old where event_resources.event_id = old.id)
    delete from events using old where events.id = old.id returning events.id`;
  return deleted.length;
}
