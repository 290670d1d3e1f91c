import type { Sql } from '@praetor/database/sql';

/**
 * Stores events, given as the JSON texts that travel the stream, in one statement: the rows of `events`, those of
 * `event_resources` for each event that is new, and the end of their stay in the outbox. Gives how many were new; storing an
 * event again changes nothing. Postgres itself reads the texts, so numbers stay as they were sent.
 *
 * Rows go in by their ids' order, and leave the outbox by it when all are in: two persisters with the same events wait for
 * each other, and never in a circle.
 */
export async function storeEvents(sql: Sql, events: readonly string[]): Promise<number> {
  const [stored] = await sql<{ inserted: number }[]>`
    with incoming as materialized (
      select id, occurred, event, resource, coalesce(related, '[]') as related, coalesce(payload, '{}') as payload, follows, received
      from jsonb_to_recordset(${`[${events.join()}]`}::jsonb) as e (
        id uuid, occurred timestamptz, event text, resource jsonb, related jsonb, payload jsonb, follows uuid, received timestamptz)
    ), inserted as (
      insert into events (id, occurred, event, resource_id, resource, related_resource_ids, related, payload, follows, received, recorded)
      select id, occurred, event, resource ->> 'prefect.resource.id', resource,
             jsonb_path_query_array(related, '$[*]."prefect.resource.id"'), related, payload, follows, received, clock_timestamp()
      from incoming order by id
      on conflict do nothing
      returning id, occurred, resource, related
    ), resources as (
      insert into event_resources (event_id, occurred, resource_id, resource_role, resource)
      select i.id, i.occurred, labels ->> 'prefect.resource.id', role, (labels - 'prefect.resource.id' - 'prefect.resource.role')::json
      from inserted i cross join lateral (
        select i.resource as labels, '' as role
        union all
        select labels, labels ->> 'prefect.resource.role' from jsonb_array_elements(i.related) as r (labels)
      ) as involved
    ), summary as materialized (
      select array(select id from incoming) as ids, (select count(*) from inserted) as inserted
    ), relayed as materialized (
      select id from praetor.outbox where id = any((select ids from summary)::uuid[]) order by id for update
    ), removed as (
      delete from praetor.outbox using relayed where outbox.id = relayed.id
    )
    select inserted from summary`;
  return stored?.inserted ?? 0;
}
