import { inBatches } from '@praetor/database/batches';
import { retryOnce } from '@praetor/database/errors';
import type { Sql } from '@praetor/database/sql';
import { type OutboxEvent, type ServerEvent, toOutboxEvent } from '@praetor/orchestration/lifecycle-events';
import { toJson } from '@praetor/schema/json';
import type { TriggeredAction } from '../triggered-action.ts';

/* The queue of actions, in Postgres: an action stays in it until it is done, whoever dies meanwhile. */

/** An action that nobody else carries out until its lease is over. */
export interface ClaimedAction {
  action: TriggeredAction;
  /** This attempt included. */
  attempts: number;
}

/** Takes actions that are due, the oldest first; they come back after `leaseSeconds` unless they are finished. */
export async function claimActions(sql: Sql, limit: number, leaseSeconds: number): Promise<ClaimedAction[]> {
  const rows = await sql<{ body: TriggeredAction; attempts: number }[]>`
    with due as (
      select id from praetor.automation_action where due <= clock_timestamp() order by due limit ${limit} for update skip locked
    )
    update praetor.automation_action a set due = clock_timestamp() + make_interval(secs => ${leaseSeconds}), attempts = attempts + 1
    from due where a.id = due.id returning a.body, a.attempts`;
  return rows.map(({ body, attempts }) => ({ action: body, attempts }));
}

interface Finished {
  id: string;
  events: readonly OutboxEvent[];
}

const removeFinished = inBatches(async (sql: Sql, finished: readonly Finished[]) => {
  const rows = finished.flatMap(({ id, events }) => events.map((event) => ({ action_id: id, ...event })));
  const removed = await sql<{ id: string }[]>`
    with done as materialized (
      select * from json_to_recordset(${toJson(rows)}::json) as d (action_id uuid, id uuid, body text)
    ), removed as (
      delete from praetor.automation_action where id in (select action_id from done) returning id
    ), told as (
      insert into praetor.outbox (id, body) select done.id, done.body::json from done join removed on removed.id = done.action_id
    )
    select id from removed`;
  const ids = new Set(removed.map(({ id }) => id));
  return finished.map(({ id }) => ids.has(id));
});

/** Removes an action together with the events that tell how it ended; gives them, or none where somebody else has finished it. */
export async function finishAction(sql: Sql, id: string, events: readonly ServerEvent[]): Promise<OutboxEvent[]> {
  const told = events.map(toOutboxEvent);
  return (await retryOnce(() => removeFinished(sql, { id, events: told }))) ? told : [];
}

/** Puts an action back after an attempt, to be tried again after some time, unless somebody else is already at the next one. */
export async function postponeAction(sql: Sql, { action, attempts }: ClaimedAction, seconds: number): Promise<void> {
  await sql`update praetor.automation_action set due = clock_timestamp() + make_interval(secs => ${seconds}) where id = ${action.id}::uuid and attempts = ${attempts}`;
}

/** How many actions are not done, and how many seconds the oldest of them has waited. */
export async function measureQueue(sql: Sql): Promise<{ waiting: number; oldestSeconds: number }> {
  const [row] = await sql<{ waiting: number; oldest: number | null }[]>`
    select count(*) as waiting, extract(epoch from clock_timestamp() - min(created))::float8 as oldest from praetor.automation_action`;
  return { waiting: row?.waiting ?? 0, oldestSeconds: row?.oldest ?? 0 };
}
