import type { Database } from '@praetor/database/connect';
import { retryOnce } from '@praetor/database/errors';
import { type Sql, sqlOf } from '@praetor/database/sql';
import { toJson } from '@praetor/schema/json';
import { addSeconds, type Timestamp, toMicroseconds } from '@praetor/schema/timestamps';
import type { AutomationSet, AutomationTrigger } from './automation-set.ts';
import { type Place, evaluateTime } from './evaluation.ts';
import { type Committed, evaluatePlaces } from './handle-events.ts';
import { lockPlaces } from './memory.ts';

/*
 * Proactive triggers fire when nothing comes, so somebody has to look. Each is looked at when one of its buckets ends, and
 * at least once in the length of a bucket (facts/events.md §7.4); any replica may look at any time.
 */

/** Buckets taken by one transaction. */
const BATCH = 500;

/** How many of the events seen last tell how late events are. */
const CLOCK_EVENTS = 500;

/**
 * The moment up to which events are known: now, less the time by which the latest events came late or are still waiting in
 * the stream (`lagSeconds`). To look with a clock that is ahead of the events would find absence where there is none.
 */
export async function readEventsClock(sql: Sql, lagSeconds: number): Promise<Timestamp> {
  const [row] = await sql<{ now: Timestamp; late: number | null }[]>`
    select clock_timestamp() as now,
      (select extract(epoch from max(seen) - max(least(occurred, seen)))::float8
        from (select occurred, seen from praetor.automation_seen_event order by seen desc limit ${CLOCK_EVENTS}) latest) as late`;
  if (!row) throw new Error('a select without conditions gave no row');
  return addSeconds(row.now, -Math.max(row.late ?? 0, lagSeconds));
}

const toTriggerRow = ({ trigger, automation }: AutomationTrigger) => ({
  trigger_id: trigger.id,
  automation_id: automation.id,
  threshold: trigger.threshold,
  within: trigger.within,
  updated: automation.updated,
});

const TRIGGER_COLUMNS = 'trigger_id uuid, automation_id uuid, threshold integer, within float8, updated timestamptz';

/** Which triggers are due: new ones, those whose automation has changed since, and those whose time has come. */
async function findDue(sql: Sql, triggers: readonly AutomationTrigger[]): Promise<AutomationTrigger[]> {
  const rows = await sql<{ trigger_id: string }[]>`
    select t.trigger_id from json_to_recordset(${toJson(triggers.map(toTriggerRow))}::json) as t (${sql.unsafe(TRIGGER_COLUMNS)})
    left join praetor.automation_look l using (trigger_id)
    where l.trigger_id is null or l.due <= now() or l.looked < t.updated`;
  const due = new Set(rows.map((row) => row.trigger_id));
  return triggers.filter(({ trigger }) => due.has(trigger.id));
}

/** The places of triggers whose buckets are over or have what they need, the oldest first. */
async function findEnded(sql: Sql, triggers: readonly AutomationTrigger[], asOf: Timestamp): Promise<Place[]> {
  const byId = new Map(triggers.map((placed) => [placed.trigger.id, placed]));
  const rows = await sql<{ trigger_id: string; bucketing_key: string[] }[]>`
    select b.trigger_id, b.bucketing_key
    from json_to_recordset(${toJson(triggers.map(toTriggerRow))}::json) as t (${sql.unsafe(TRIGGER_COLUMNS)})
    join automation_bucket b using (automation_id, trigger_id)
    where b."end" <= ${asOf} or b.count >= t.threshold order by b.start limit ${BATCH}`;
  return rows.flatMap(({ trigger_id, bucketing_key }) => {
    const placed = byId.get(trigger_id);
    return placed ? [{ placed, key: bucketing_key }] : [];
  });
}

/** Notes when to look again: when the next bucket ends, or after the length of one. */
async function planNextLook(sql: Sql, triggers: readonly AutomationTrigger[], asOf: Timestamp): Promise<void> {
  await sql`
    insert into praetor.automation_look (trigger_id, automation_id, due, looked)
    select t.trigger_id, t.automation_id,
      least(${asOf}::timestamptz + make_interval(secs => t.within), (
        select min(b."end") from automation_bucket b where (b.automation_id, b.trigger_id) = (t.automation_id, t.trigger_id) and b."end" > ${asOf})),
      clock_timestamp()
    from json_to_recordset(${toJson(triggers.map(toTriggerRow))}::json) as t (${sql.unsafe(TRIGGER_COLUMNS)})
    join automation a on a.id = t.automation_id
    order by t.trigger_id
    on conflict (trigger_id) do update set due = excluded.due, looked = excluded.looked`;
}

function evaluateAt({ kysely }: Database, places: readonly Place[], asOf: Timestamp): Promise<Committed> {
  return retryOnce(() =>
    kysely.transaction().execute(async (db) => {
      await lockPlaces(sqlOf(db), places);
      return await evaluatePlaces(db, places, (isKept, memory, stamp) => evaluateTime(places.filter(isKept), toMicroseconds(asOf), memory, stamp));
    }),
  );
}

const isProactive = ({ trigger }: AutomationTrigger): boolean => trigger.posture === 'Proactive';

/** Looks at all proactive triggers that are due, as of the moment that `readClock` gives. `onCommit` hears of each transaction. */
export async function lookAtTriggers(
  database: Database,
  automations: AutomationSet,
  readClock: () => Promise<Timestamp>,
  onCommit: (committed: Committed) => void,
  signal: AbortSignal,
): Promise<void> {
  const { sql } = database;
  const index = await automations.at();
  const proactive = index.triggers.filter(isProactive);
  const due = proactive.length === 0 ? [] : await findDue(sql, proactive);
  if (due.length === 0) return;
  const asOf = await readClock();
  for (let first = 0; first < due.length && !signal.aborted; first += BATCH) {
    const triggers = due.slice(first, first + BATCH);
    const single = triggers.filter(({ trigger }) => trigger.for_each.length === 0).map((placed): Place => ({ placed, key: [] }));
    if (single.length > 0) onCommit(await evaluateAt(database, single, asOf));
    const many = triggers.filter(({ trigger }) => trigger.for_each.length > 0);
    for (let places = await findEnded(sql, many, asOf); places.length > 0 && !signal.aborted; places = places.length < BATCH ? [] : await findEnded(sql, many, asOf))
      onCommit(await evaluateAt(database, places, asOf));
    await planNextLook(sql, triggers, asOf);
  }
}

/** The buckets of these triggers are ended by looks, all others by the sweep. */
export async function proactiveTriggerIds(automations: AutomationSet): Promise<string[]> {
  const index = await automations.at();
  return index.triggers.filter(isProactive).map(({ trigger }) => trigger.id);
}
