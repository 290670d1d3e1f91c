import type { Transaction } from 'kysely';
import { retryOnce } from '@praetor/database/errors';
import type { Database } from '@praetor/database/connect';
import { type Sql, sqlOf } from '@praetor/database/sql';
import type { Tables } from '@praetor/database/tables';
import { type OutboxEvent, insertEvents } from '@praetor/orchestration/lifecycle-events';
import type { ReceivedEvent } from '@praetor/schema/event';
import { toJson } from '@praetor/schema/json';
import { type Timestamp, fromMicroseconds, nowMicroseconds, toMicroseconds } from '@praetor/schema/timestamps';
import { orderCausally } from '@praetor/triggers/causal-order';
import type { StampFiring } from '@praetor/triggers/firing';
import { v7 as uuidv7 } from 'uuid';
import { type AutomationSet, versionOf } from './automation-set.ts';
import { type AutomationFiring, type Memory, type Outcome, type Place, evaluateEvents } from './evaluation.ts';
import { lockPlaces, readMemory, writeMemory } from './memory.ts';
import { consequencesOf } from './triggered-action.ts';

/*
 * Events are evaluated exactly once each, whatever comes twice and whoever dies: that an event was seen, what the triggers
 * make of it, and what follows from their firings are one transaction. Batches that touch the same bucket do so one after
 * the other, and a follower is evaluated after its leader.
 */

/** What a transaction has brought about, to be done once it is committed. */
export interface Committed {
  /** Events to be published. */
  events: OutboxEvent[];
  firings: number;
  actions: number;
}

/** Rows of one insert. */
const INSERT_BATCH = 1000;

function* slices<T>(items: readonly T[]): Generator<T[]> {
  for (let first = 0; first < items.length; first += INSERT_BATCH) yield items.slice(first, first + INSERT_BATCH);
}

/** Writes what follows from firings: their events into the outbox, their actions into the queue. */
async function recordFirings(db: Transaction<Tables>, firings: readonly AutomationFiring[]): Promise<Committed> {
  const consequences = firings.map(consequencesOf);
  const events: OutboxEvent[] = [];
  for (const slice of slices(consequences)) events.push(...(await insertEvents(db, slice.map(({ event }) => event))));
  const actions = consequences.flatMap((consequence) => consequence.actions);
  for (const slice of slices(actions)) {
    const rows = slice.map((action) => ({ id: action.id, body: toJson(action) }));
    await sqlOf(db)`insert into praetor.automation_action (id, body) select id, body::json from json_to_recordset(${toJson(rows)}::json) as a (id uuid, body text)`;
  }
  return { events, firings: firings.length, actions: actions.length };
}

/** Makes the stamps of a transaction: moments of the database's clock, each later than the one before. */
async function createStamp(sql: Sql): Promise<StampFiring> {
  const [row] = await sql<{ now: Timestamp }[]>`select clock_timestamp() as now`;
  let next = toMicroseconds(row?.now ?? fromMicroseconds(nowMicroseconds()));
  return () => ({ id: uuidv7(), triggered: fromMicroseconds(next++) });
}

/** Of the automations that places belong to, those that are still there; they stay until the transaction ends. */
async function keepAutomations(sql: Sql, places: readonly Place[]): Promise<Set<string>> {
  const ids = [...new Set(places.map(({ placed }) => placed.automation.id))];
  const rows = await sql<{ id: string }[]>`select id from automation where id = any(${ids}::uuid[]) order by id for key share`;
  return new Set(rows.map(({ id }) => id));
}

/** Reads what is known about places, evaluates, and writes the outcome, all while their locks are held. */
export async function evaluatePlaces(db: Transaction<Tables>, places: readonly Place[], evaluate: (isKept: (place: Place) => boolean, memory: Memory, stamp: StampFiring) => Outcome): Promise<Committed> {
  const sql = sqlOf(db);
  const kept = await keepAutomations(sql, places);
  const isKept = ({ placed }: Place): boolean => kept.has(placed.automation.id);
  const memory = await readMemory(sql, places.filter(isKept));
  const outcome = evaluate(isKept, memory, await createStamp(sql));
  await writeMemory(sql, memory, outcome);
  return await recordFirings(db, outcome.firings);
}

const SCOPE = 'triggers';

interface Surroundings {
  version: string;
  seen: string[];
  /** Events that wait, directly or through others, for one of those at hand. */
  followers: ReceivedEvent[] | null;
}

async function readSurroundings(sql: Sql, events: readonly ReceivedEvent[]): Promise<Surroundings> {
  const ids = events.map(({ id }) => id);
  const leaders = events.flatMap(({ follows }) => (follows === null ? [] : [follows]));
  const [row] = await sql<Surroundings[]>`
    with recursive waiting as (
      select follower_event_id as id from automation_event_follower where scope = ${SCOPE} and leader_event_id = any(${ids}::uuid[])
      union
      select f.follower_event_id from automation_event_follower f join waiting w on f.leader_event_id = w.id where f.scope = ${SCOPE}
    )
    select ${versionOf(sql)} as version,
      array(select event_id from praetor.automation_seen_event where event_id = any(${[...ids, ...leaders]}::uuid[])) as seen,
      (select json_agg(f.follower) from automation_event_follower f join waiting w on f.follower_event_id = w.id where f.scope = ${SCOPE}) as followers`;
  return row ?? { version: '', seen: [], followers: null };
}

/** Notes that events were seen, and that followers wait no more. Gives the ids of the events that nobody has seen before. */
async function markSeen(sql: Sql, events: readonly ReceivedEvent[], followers: readonly ReceivedEvent[]): Promise<Set<string>> {
  const rows = await sql<{ event_id: string }[]>`
    with released as (
      delete from automation_event_follower where scope = ${SCOPE} and follower_event_id = any(${followers.map(({ id }) => id)}::uuid[])
    )
    insert into praetor.automation_seen_event (event_id, occurred)
    select id, occurred from json_to_recordset(${toJson(events.map(({ id, occurred }) => ({ id, occurred })))}::json) as e (id uuid, occurred timestamptz) order by id
    on conflict do nothing returning event_id`;
  return new Set(rows.map((row) => row.event_id));
}

async function park(sql: Sql, events: readonly ReceivedEvent[]): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event) => ({ leader_event_id: event.follows, follower_event_id: event.id, received: event.received, follower: event }));
  await sql`
    insert into automation_event_follower (scope, leader_event_id, follower_event_id, received, follower)
    select ${SCOPE}, leader_event_id, follower_event_id, received, follower
    from json_to_recordset(${toJson(rows)}::json) as f (leader_event_id uuid, follower_event_id uuid, received timestamptz, follower jsonb) order by follower_event_id
    on conflict do nothing`;
}

/**
 * SQL: true for a follower `f` whose wait is over. Its leader was seen; or it came when there were no automations, and nobody
 * took note of it; or it was never told of: a state without an event, as the scheduler's first ones (facts/services.md §1),
 * which is neither in the outbox nor among the stored events.
 */
const isReleased = (sql: Sql) => sql`(
  exists (select from praetor.automation_seen_event s where s.event_id = f.leader_event_id)
  or exists (select from events e where e.id = f.leader_event_id and e.received < (select min(created) from automation))
  or (exists (select from flow_run_state s where s.id = f.leader_event_id)
    and not exists (select from praetor.outbox o where o.id = f.leader_event_id)
    and not exists (select from events e where e.id = f.leader_event_id)))`;

/** Whoever parks a follower and whoever sees its leader at the same moment both look again after their commit, so one of them finds it. */
async function findReleased(sql: Sql, ids: readonly string[]): Promise<ReceivedEvent[]> {
  const rows = await sql<{ follower: ReceivedEvent }[]>`
    select f.follower from automation_event_follower f
    where f.scope = ${SCOPE} and (f.leader_event_id = any(${ids}::uuid[]) or f.follower_event_id = any(${ids}::uuid[])) and ${isReleased(sql)}`;
  return rows.map((row) => row.follower);
}

/** Followers that were left behind: by a process which died, or by a leader that never came. */
export async function findLostFollowers(sql: Sql, lookbackSeconds: number): Promise<ReceivedEvent[]> {
  const rows = await sql<{ follower: ReceivedEvent }[]>`
    select f.follower from automation_event_follower f
    where f.scope = ${SCOPE} and (f.received < now() - make_interval(secs => ${lookbackSeconds}) or ${isReleased(sql)}) order by f.follower ->> 'occurred' limit 500`;
  return rows.map((row) => row.follower);
}

/** Evaluates events in one transaction and gives those that were free to go only afterwards. */
async function handleOnce({ kysely, sql }: Database, automations: AutomationSet, events: readonly ReceivedEvent[], released: ReadonlySet<string>): Promise<{ committed: Committed; next: ReceivedEvent[] }> {
  const { version, seen, followers } = await readSurroundings(sql, events);
  const known = new Set(seen);
  const byLeader = Map.groupBy(followers ?? [], ({ follows }) => follows);
  const index = await automations.at(version);
  const { ready, early } = orderCausally(events, {
    isSeen: (id) => known.has(id),
    followersOf: (id) => byLeader.get(id) ?? [],
    released,
    now: nowMicroseconds(),
  });
  const waiting = new Set(early.map(({ id }) => id));
  const followersDone = [...events, ...ready].filter(({ id, follows }) => follows !== null && !waiting.has(id));
  const concerned = ready.map((event) => ({ event, places: index.find(event).map((placed): Place => ({ placed, key: placed.matcher.bucketingKey(event) })) }));
  const places = concerned.flatMap((one) => one.places);
  const committed = await retryOnce(() =>
    kysely.transaction().execute(async (db) => {
      const transaction = sqlOf(db);
      // Locks before rows, and both in order: batches wait for each other, but never in a circle.
      await lockPlaces(transaction, places);
      const fresh = await markSeen(transaction, ready, followersDone);
      await park(transaction, early);
      const unseen = concerned.filter((one) => fresh.has(one.event.id) && one.places.length > 0);
      if (unseen.length === 0) return { events: [], firings: 0, actions: 0 };
      return await evaluatePlaces(db, unseen.flatMap((one) => one.places), (isKept, memory, stamp) =>
        evaluateEvents(unseen.map(({ event, places: all }) => ({ event, places: all.filter(isKept) })), memory, stamp),
      );
    }),
  );
  const next = await findReleased(sql, [...ready, ...early].map(({ id }) => id));
  return { committed, next };
}

/**
 * Evaluates a batch of events, and then the followers that waited for them. Those in `released` wait for nobody. `onCommit`
 * hears of each transaction.
 */
export async function handleEvents(
  database: Database,
  automations: AutomationSet,
  events: readonly ReceivedEvent[],
  onCommit: (committed: Committed) => void,
  released: ReadonlySet<string> = new Set(),
): Promise<void> {
  for (let batch = events, free = released; batch.length > 0; ) {
    const { committed, next } = await handleOnce(database, automations, batch, free);
    onCommit(committed);
    batch = next;
    free = new Set(next.map(({ id }) => id));
  }
}
