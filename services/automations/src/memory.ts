import type { Sql } from '@praetor/database/sql';
import type { ReceivedEvent } from '@praetor/schema/event';
import { toJson } from '@praetor/schema/json';
import { type Timestamp, fromMicroseconds, toMicroseconds } from '@praetor/schema/timestamps';
import { type Bucket, type KeyState, holdsEvents } from '@praetor/triggers/bucket';
import type { ChildFirings } from '@praetor/triggers/composite';
import type { Firing } from '@praetor/triggers/firing';
import type { HeldEvent } from '@praetor/triggers/held-events';
import { type Memory, type Outcome, type Place, placeId } from './evaluation.ts';

/* What triggers remember, in Prefect's tables. All within a transaction that holds the locks of the places. */

/** Any number that nobody else locks. */
const LOCK_CLASS = 4_200_392;
/** Places share so many locks, so that a batch never needs more than Postgres has. */
const LOCKS = 128;

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

/**
 * Takes the locks of places until the transaction ends, always in the same order: batches which touch the same place follow
 * one upon the other. Places below a composite trigger share its memory and so its automation's lock.
 */
export async function lockPlaces(sql: Sql, places: readonly Place[]): Promise<void> {
  const names = places.map((place) => (place.placed.ancestors.length > 0 ? place.placed.automation.id : placeId(place)));
  const locks = [...new Set(names.map((name) => hash(name) % LOCKS))].toSorted((one, other) => one - other);
  if (locks.length > 0) await sql`select pg_advisory_xact_lock(${LOCK_CLASS}, lock) from unnest(${locks}::int[]) as lock`;
}

const PLACE_COLUMNS = 'automation_id uuid, trigger_id uuid, bucketing_key jsonb';

const toPlaceRow = ({ placed, key }: Place) => ({ automation_id: placed.automation.id, trigger_id: placed.trigger.id, bucketing_key: key });

interface StateRow {
  trigger_id: string;
  bucketing_key: string[];
  last_event: ReceivedEvent | null;
  start: Timestamp | null;
  end: Timestamp | null;
  count: number | null;
  held: { id: string; occurred: string }[] | null;
}

function toBucket({ start, end, count, last_event }: StateRow): Bucket | null {
  if (start === null || end === null || count === null) return null;
  return { start: toMicroseconds(start), end: toMicroseconds(end), count, lastEvent: last_event };
}

async function readStates(sql: Sql, places: readonly Place[]): Promise<Map<string, KeyState>> {
  const byId = new Map(places.map((place) => [placeId(place), place]));
  const asked = [...byId.values()].map((place) => ({ ...toPlaceRow(place), holds: holdsEvents(place.placed.trigger) }));
  const rows = await sql<StateRow[]>`
    select p.trigger_id, p.bucketing_key, b.last_event, b.start, b."end", b.count, h.held
    from json_to_recordset(${toJson(asked)}::json) as p (${sql.unsafe(PLACE_COLUMNS)}, holds boolean)
    left join automation_bucket b using (automation_id, trigger_id, bucketing_key)
    left join lateral (
      select json_agg(json_build_object('id', event_id, 'occurred', occurred)) as held from automation_held_event e
      where p.holds and (e.automation_id, e.trigger_id, e.bucketing_key) = (p.automation_id, p.trigger_id, p.bucketing_key)) h on true`;
  const toHeld = ({ id, occurred }: { id: string; occurred: string }): HeldEvent => ({ id, occurred: toMicroseconds(occurred) });
  return new Map(rows.map((row) => [`${row.trigger_id} ${JSON.stringify(row.bucketing_key)}`, { bucket: toBucket(row), held: (row.held ?? []).map(toHeld) }]));
}

async function readChildren(sql: Sql, places: readonly Place[]): Promise<Map<string, ChildFirings>> {
  const parents = new Set(places.flatMap(({ placed }) => placed.ancestors.map(({ id }) => id)));
  const automations = new Set(places.filter(({ placed }) => placed.ancestors.length > 0).map(({ placed }) => placed.automation.id));
  if (parents.size === 0) return new Map();
  const rows = await sql<{ parent_trigger_id: string; child_trigger_id: string; child_firing: Firing }[]>`
    select parent_trigger_id, child_trigger_id, child_firing from composite_trigger_child_firing
    where automation_id = any(${[...automations]}::uuid[]) and parent_trigger_id = any(${[...parents]}::uuid[])`;
  const byParent = Map.groupBy(rows, (row) => row.parent_trigger_id);
  return new Map([...byParent].map(([parent, children]) => [parent, new Map(children.map((row) => [row.child_trigger_id, row.child_firing]))]));
}

/** What is remembered about places. */
export async function readMemory(sql: Sql, places: readonly Place[]): Promise<Memory> {
  return { states: await readStates(sql, places), children: await readChildren(sql, places) };
}

type Changed = { place: Place; state: KeyState };

async function writeBuckets(sql: Sql, changed: readonly Changed[]): Promise<void> {
  const rows = changed.map(({ place, state: { bucket } }) => ({
    ...toPlaceRow(place),
    ...(bucket && { start: fromMicroseconds(bucket.start), end: fromMicroseconds(bucket.end), count: bucket.count }),
    // Presence is told by the event at hand; only absence needs the last one.
    ...(place.placed.trigger.posture === 'Proactive' && { last_event: bucket?.lastEvent }),
  }));
  await sql`
    with state as (
      select * from json_to_recordset(${toJson(rows)}::json) as s (${sql.unsafe(PLACE_COLUMNS)}, start timestamptz, "end" timestamptz, count integer, last_event jsonb)
    ), closed as (
      delete from automation_bucket b using state s
      where s.count is null and (b.automation_id, b.trigger_id, b.bucketing_key) = (s.automation_id, s.trigger_id, s.bucketing_key)
    )
    insert into automation_bucket (automation_id, trigger_id, bucketing_key, start, "end", count, last_event)
    select automation_id, trigger_id, bucketing_key, start, "end", count, last_event from state where count is not null
    order by trigger_id, bucketing_key
    on conflict (automation_id, trigger_id, bucketing_key) do update set
      start = excluded.start, "end" = excluded."end", count = excluded.count, last_event = excluded.last_event, updated = now()`;
}

async function writeHeldEvents(sql: Sql, changed: readonly Changed[], before: Memory): Promise<void> {
  const rows = changed.flatMap(({ place, state: { held } }) => {
    const old = before.states.get(placeId(place))?.held ?? [];
    const [now, then] = [new Set(held.map(({ id }) => id)), new Set(old.map(({ id }) => id))];
    const toRow = ({ id, occurred }: HeldEvent, is_held: boolean) => ({ ...toPlaceRow(place), event_id: id, occurred: fromMicroseconds(occurred), is_held });
    return [...held.filter(({ id }) => !then.has(id)).map((one) => toRow(one, true)), ...old.filter(({ id }) => !now.has(id)).map((one) => toRow(one, false))];
  });
  if (rows.length === 0) return;
  await sql`
    with change as (
      select * from json_to_recordset(${toJson(rows)}::json) as c (${sql.unsafe(PLACE_COLUMNS)}, event_id uuid, occurred timestamptz, is_held boolean)
    ), dropped as (
      delete from automation_held_event e using change c
      where not c.is_held and (e.automation_id, e.trigger_id, e.bucketing_key, e.event_id) = (c.automation_id, c.trigger_id, c.bucketing_key, c.event_id)
    )
    insert into automation_held_event (automation_id, trigger_id, bucketing_key, event_id, occurred)
    select automation_id, trigger_id, bucketing_key, event_id, occurred from change where is_held on conflict do nothing`;
}

async function writeChildren(sql: Sql, changed: Outcome['children']): Promise<void> {
  if (changed.size === 0) return;
  const rows = [...changed].flatMap(([parent, { automationId, children }]) =>
    [...children].map(([child, firing]) => ({
      automation_id: automationId,
      parent_trigger_id: parent,
      child_trigger_id: child,
      child_firing_id: firing.id,
      child_fired_at: firing.triggered,
      child_firing: firing,
    })),
  );
  const automations = new Set([...changed.values()].map(({ automationId }) => automationId));
  await sql`delete from composite_trigger_child_firing where automation_id = any(${[...automations]}::uuid[]) and parent_trigger_id = any(${[...changed.keys()]}::uuid[])`;
  await sql`
    insert into composite_trigger_child_firing (automation_id, parent_trigger_id, child_trigger_id, child_firing_id, child_fired_at, child_firing)
    select automation_id, parent_trigger_id, child_trigger_id, child_firing_id, child_fired_at, child_firing
    from json_to_recordset(${toJson(rows)}::json) as r (
      automation_id uuid, parent_trigger_id uuid, child_trigger_id uuid, child_firing_id uuid, child_fired_at timestamptz, child_firing jsonb)`;
}

/** Writes what has changed since `before`. */
export async function writeMemory(sql: Sql, before: Memory, { states, children }: Outcome): Promise<void> {
  const changed = [...states.values()];
  if (changed.length > 0) await writeBuckets(sql, changed);
  await writeHeldEvents(sql, changed.filter(({ place }) => holdsEvents(place.placed.trigger)), before);
  await writeChildren(sql, children);
}
