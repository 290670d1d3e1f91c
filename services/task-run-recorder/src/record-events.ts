import type { Sql } from '@praetor/database/sql';
import { toJson } from '@praetor/schema/json';
import { compactStateDetails } from '@praetor/schema/state';
import { type FoldedRun, foldEvents } from './fold-events.ts';
import type { TaskRunEvent } from './task-run-event.ts';

/*
 * Any number of recorders, with the same events in any order, end at the same rows: a run's columns change only with a
 * newer state, and every statement takes its rows in one order, so that recorders wait for each other but never in a circle.
 */

/** What a row of a folded run looks like to Postgres: the columns that clients send stay one object, because absent keys matter. */
const toRow = (run: FoldedRun, id: string) => ({
  id,
  flow_run_id: run.flowRunId,
  state_id: run.state.id,
  state_type: run.state.type,
  state_name: run.state.name,
  state_timestamp: run.state.timestamp,
  sent: run.columns,
});

const rowsOf = (sql: Sql, rows: readonly ReturnType<typeof toRow>[]) => sql`
  jsonb_to_recordset(${toJson(rows)}::jsonb) as r (
    id uuid, flow_run_id uuid, state_id uuid, state_type state_type, state_name text, state_timestamp timestamptz, sent jsonb),
  jsonb_to_record(r.sent) as c (
    name text, task_key text, dynamic_key text, cache_key text, cache_expiration timestamptz, task_version text, empirical_policy jsonb,
    task_inputs jsonb, tags jsonb, labels jsonb, run_count integer, flow_run_run_count integer, expected_start_time timestamptz,
    next_scheduled_start_time timestamptz, start_time timestamptz, end_time timestamptz, total_run_time double precision)`;

/** Inserts the runs that nobody has recorded yet; gives their ids. */
async function insertRuns(sql: Sql, runs: readonly FoldedRun[]): Promise<Set<string>> {
  const rows = await sql<{ id: string }[]>`
    insert into task_run (id, flow_run_id, name, task_key, dynamic_key, cache_key, cache_expiration, task_version, empirical_policy, task_inputs,
      tags, labels, run_count, flow_run_run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time,
      state_id, state_type, state_name, state_timestamp)
    select r.id, r.flow_run_id, c.name, c.task_key, c.dynamic_key, c.cache_key, c.cache_expiration, c.task_version,
      coalesce(c.empirical_policy, '{}'), coalesce(c.task_inputs, '{}'), coalesce(c.tags, '[]'), c.labels,
      coalesce(c.run_count, 0), coalesce(c.flow_run_run_count, 0), c.expected_start_time, c.next_scheduled_start_time, c.start_time, c.end_time,
      make_interval(secs => coalesce(c.total_run_time, 0)), r.state_id, r.state_type, r.state_name, r.state_timestamp
    from ${rowsOf(sql, runs.map((run) => toRow(run, run.ids[0])))}
    order by r.flow_run_id, c.task_key, c.dynamic_key, r.id
    on conflict do nothing
    returning id`;
  return new Set(rows.map((row) => row.id));
}

interface KnownRun {
  id: string;
  flow_run_id: string | null;
  task_key: string;
  dynamic_key: string;
}

/** Finds and locks the rows of runs that were there before: by flow run, task and dynamic key first, since ids of a retried run differ. */
async function findRuns(sql: Sql, runs: readonly FoldedRun[]): Promise<Map<FoldedRun, string>> {
  const events = runs.flatMap((run) => run.events);
  const keyed = events.filter((event) => event.flowRunId !== null);
  const rows = await sql<KnownRun[]>`
    select id, flow_run_id, task_key, dynamic_key from task_run
    where id = any(${events.map((event) => event.taskRunId)}::uuid[])
      or (flow_run_id, task_key, dynamic_key) in (select * from unnest(${keyed.map((event) => event.flowRunId)}::uuid[],
        ${keyed.map((event) => event.columns.task_key)}::text[], ${keyed.map((event) => event.columns.dynamic_key)}::text[]))
    order by id for update`;
  const byKey = new Map(rows.map((row) => [`${row.flow_run_id} ${row.task_key} ${row.dynamic_key}`, row.id]));
  const ids = new Set(rows.map((row) => row.id));
  return new Map(
    runs.map((run) => {
      const newestFirst = run.events.toReversed();
      const byKeys = newestFirst.map(({ flowRunId, columns }) => byKey.get(`${flowRunId} ${columns.task_key} ${columns.dynamic_key}`));
      const id = byKeys.find((found) => found !== undefined) ?? run.ids.find((candidate) => ids.has(candidate));
      // It was there when the insert found a conflict; whoever deleted it meanwhile has committed by the next attempt.
      if (id === undefined) throw new Error(`task run ${run.ids[0]} vanished while it was recorded`);
      return [run, id];
    }),
  );
}

/** Brings known runs up to date where their stored state is older. A column whose key no event sent keeps its value. */
async function updateRuns(sql: Sql, runs: ReadonlyMap<FoldedRun, string>): Promise<void> {
  const nullable = (column: string) => sql.unsafe(`${column} = case when r.sent ? '${column}' then c.${column} else t.${column} end`);
  await sql`
    update task_run t set
      updated = now(), flow_run_id = r.flow_run_id, name = c.name, task_key = c.task_key, dynamic_key = c.dynamic_key,
      ${nullable('cache_key')}, ${nullable('cache_expiration')}, ${nullable('task_version')}, ${nullable('labels')},
      ${nullable('expected_start_time')}, ${nullable('next_scheduled_start_time')}, ${nullable('start_time')}, ${nullable('end_time')},
      empirical_policy = coalesce(c.empirical_policy, t.empirical_policy), task_inputs = coalesce(c.task_inputs, t.task_inputs),
      tags = coalesce(c.tags, t.tags), run_count = coalesce(c.run_count, t.run_count),
      flow_run_run_count = coalesce(c.flow_run_run_count, t.flow_run_run_count),
      total_run_time = coalesce(make_interval(secs => c.total_run_time), t.total_run_time),
      state_id = r.state_id, state_type = r.state_type, state_name = r.state_name, state_timestamp = r.state_timestamp
    from ${rowsOf(sql, [...runs].map(([run, id]) => toRow(run, id)))}
    where t.id = r.id and (t.state_timestamp is null or t.state_timestamp < r.state_timestamp)`;
}

/** Adds every state to the history of its run; those that are there stay as they are. */
async function insertStates(sql: Sql, runs: ReadonlyMap<FoldedRun, string>): Promise<void> {
  const states = [...runs].flatMap(([run, id]) =>
    run.events.map(({ state, flowRunId }) => ({ ...state, task_run_id: id, state_details: compactStateDetails({ ...state.state_details, task_run_id: id, flow_run_id: flowRunId }) })),
  );
  await sql`
    insert into task_run_state (id, task_run_id, type, name, timestamp, message, state_details, data)
    select id, task_run_id, type, name, timestamp, message, state_details, data
    from jsonb_to_recordset(${toJson(states)}::jsonb) as s (
      id uuid, task_run_id uuid, type state_type, name text, timestamp timestamptz, message text, state_details jsonb, data jsonb)
    order by id
    on conflict do nothing`;
}

/**
 * Records events in one transaction (facts/events.md §4, "Recorder"). Gives those that could not be, because their flow run
 * does not exist (any more).
 */
export function recordEvents(sql: Sql, events: readonly TaskRunEvent[]): Promise<TaskRunEvent[]> {
  return sql.begin(async (transaction) => {
    const flowRunIds = events.flatMap((event) => event.flowRunId ?? []);
    // Locked, so that no flow run vanishes between here and the insert that refers to it.
    const rows = await transaction<{ id: string }[]>`select id from flow_run where id = any(${flowRunIds}::uuid[]) order by id for key share`;
    const existing = new Set(rows.map((row) => row.id));
    const isRecordable = ({ flowRunId }: TaskRunEvent) => flowRunId === null || existing.has(flowRunId);

    const runs = foldEvents(events.filter(isRecordable));
    if (runs.length > 0) {
      const inserted = await insertRuns(transaction, runs);
      const others = runs.filter((run) => !inserted.has(run.ids[0]));
      const known = others.length > 0 ? await findRuns(transaction, others) : new Map<FoldedRun, string>();
      if (known.size > 0) await updateRuns(transaction, known);
      await insertStates(transaction, new Map([...runs.map((run) => [run, run.ids[0]] as const), ...known]));
    }
    return events.filter((event) => !isRecordable(event));
  });
}
