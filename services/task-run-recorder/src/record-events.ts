import type { Sql } from '@praetor/database/sql';
import { toJson } from '@praetor/schema/json';
import { compactStateDetails } from '@praetor/schema/state';
import { type FoldedRun, foldEvents } from './fold-events.ts';
import type { TaskRunEvent } from './task-run-event.ts';

/*
 * Any number of recorders, with the same events in any order, end at the same rows: a run's columns change only with a
 * newer state. Every statement is whole in itself (a run is never there without its state), can be repeated, and takes its
 * rows in one order, so that recorders wait for each other but never in a circle.
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

const rowsOf = (sql: Sql, runs: ReadonlyMap<FoldedRun, string>) => sql`
  jsonb_to_recordset(${toJson(Array.from(runs, ([run, id]) => toRow(run, id)))}::jsonb) as r (
    id uuid, flow_run_id uuid, state_id uuid, state_type state_type, state_name text, state_timestamp timestamptz, sent jsonb),
  jsonb_to_record(r.sent) as c (
    name text, task_key text, dynamic_key text, cache_key text, cache_expiration timestamptz, task_version text, empirical_policy jsonb,
    task_inputs jsonb, tags jsonb, labels jsonb, run_count integer, flow_run_run_count integer, expected_start_time timestamptz,
    next_scheduled_start_time timestamptz, start_time timestamptz, end_time timestamptz, total_run_time double precision)`;

/** Adds every state of the runs to their history, where `settled` (a part of the statement) has their ids; those that are there stay as they are. */
const insertStates = (sql: Sql, runs: ReadonlyMap<FoldedRun, string>, settled: 'inserted' | 'locked') => {
  const states = Array.from(runs).flatMap(([run, id]) =>
    run.events.map(({ state, flowRunId }) => ({ ...state, task_run_id: id, state_details: compactStateDetails({ ...state.state_details, task_run_id: id, flow_run_id: flowRunId }) })),
  );
  return sql`
    insert into task_run_state (id, task_run_id, type, name, timestamp, message, state_details, data)
    select id, task_run_id, type, name, timestamp, message, state_details, data
    from jsonb_to_recordset(${toJson(states)}::jsonb) as s (
      id uuid, task_run_id uuid, type state_type, name text, timestamp timestamptz, message text, state_details jsonb, data jsonb)
    where task_run_id in (select id from ${sql.unsafe(settled)})
    order by id
    on conflict do nothing`;
};

/** Inserts runs with their states, under the ids given; gives the ids of those that nobody else has recorded meanwhile. */
async function insertRuns(sql: Sql, runs: ReadonlyMap<FoldedRun, string>): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    with inserted as (
      insert into task_run (id, flow_run_id, name, task_key, dynamic_key, cache_key, cache_expiration, task_version, empirical_policy, task_inputs,
        tags, labels, run_count, flow_run_run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time,
        state_id, state_type, state_name, state_timestamp)
      select r.id, r.flow_run_id, c.name, c.task_key, c.dynamic_key, c.cache_key, c.cache_expiration, c.task_version,
        coalesce(c.empirical_policy, '{}'), coalesce(c.task_inputs, '{}'), coalesce(c.tags, '[]'), c.labels,
        coalesce(c.run_count, 0), coalesce(c.flow_run_run_count, 0), c.expected_start_time, c.next_scheduled_start_time, c.start_time, c.end_time,
        make_interval(secs => coalesce(c.total_run_time, 0)), r.state_id, r.state_type, r.state_name, r.state_timestamp
      from ${rowsOf(sql, runs)}
      order by r.flow_run_id, c.task_key, c.dynamic_key, r.id
      on conflict do nothing
      returning id
    ), states as (${insertStates(sql, runs, 'inserted')})
    select id from inserted`;
  return rows.map((row) => row.id);
}

/**
 * Adds states to known runs, and brings those up to date whose stored state is older. A column whose key no event sent
 * keeps its value. Gives the ids of the runs that are still there.
 */
async function updateRuns(sql: Sql, runs: ReadonlyMap<FoldedRun, string>): Promise<string[]> {
  const nullable = (column: string) => sql.unsafe(`${column} = case when r.sent ? '${column}' then c.${column} else t.${column} end`);
  const rows = await sql<{ id: string }[]>`
    with locked as materialized (
      select id from task_run where id = any(${[...runs.values()]}::uuid[]) order by id for no key update
    ), updated as (
      update task_run t set
        updated = now(), flow_run_id = r.flow_run_id, name = c.name, task_key = c.task_key, dynamic_key = c.dynamic_key,
        ${nullable('cache_key')}, ${nullable('cache_expiration')}, ${nullable('task_version')}, ${nullable('labels')},
        ${nullable('expected_start_time')}, ${nullable('next_scheduled_start_time')}, ${nullable('start_time')}, ${nullable('end_time')},
        empirical_policy = coalesce(c.empirical_policy, t.empirical_policy), task_inputs = coalesce(c.task_inputs, t.task_inputs),
        tags = coalesce(c.tags, t.tags), run_count = coalesce(c.run_count, t.run_count),
        flow_run_run_count = coalesce(c.flow_run_run_count, t.flow_run_run_count),
        total_run_time = coalesce(make_interval(secs => c.total_run_time), t.total_run_time),
        state_id = r.state_id, state_type = r.state_type, state_name = r.state_name, state_timestamp = r.state_timestamp
      from ${rowsOf(sql, runs)}
      where t.id = r.id and t.id = any(array(select id from locked)) and (t.state_timestamp is null or t.state_timestamp < r.state_timestamp)
    ), states as (${insertStates(sql, runs, 'locked')})
    select id from locked`;
  return rows.map((row) => row.id);
}

interface KnownRun {
  id: string;
  flow_run_id: string | null;
  task_key: string;
  dynamic_key: string;
}

/** The flow runs that the events name, as far as they exist, and the task runs that they may be about. */
async function findRows(sql: Sql, events: readonly TaskRunEvent[]): Promise<{ flowRunIds: Set<string>; taskRuns: KnownRun[] }> {
  const keyed = events.filter((event) => event.flowRunId !== null);
  // Two searches and not one with `or`, for which Postgres would read the whole table.
  const [found] = await sql<{ flow_runs: string[]; task_runs: KnownRun[] }[]>`
    select
      array(select id from flow_run where id = any(${[...new Set(keyed.map((event) => event.flowRunId))]}::uuid[])) as flow_runs,
      (select coalesce(jsonb_agg(t), '[]') from (
        select id, flow_run_id, task_key, dynamic_key from task_run where id = any(${events.map((event) => event.taskRunId)}::uuid[])
        union
        select id, flow_run_id, t.task_key, t.dynamic_key from task_run t
        join unnest(${keyed.map((event) => event.flowRunId)}::uuid[], ${keyed.map((event) => event.columns.task_key)}::text[],
          ${keyed.map((event) => event.columns.dynamic_key)}::text[]) as k (flow_run, task_key, dynamic_key)
        on (t.flow_run_id, t.task_key, t.dynamic_key) = (k.flow_run, k.task_key, k.dynamic_key)) as t) as task_runs`;
  return { flowRunIds: new Set(found?.flow_runs), taskRuns: found?.task_runs ?? [] };
}

/** Which of the runs are there, under which id: by flow run, task and dynamic key first, since ids of a retried run differ. */
function matchRuns(runs: readonly FoldedRun[], rows: readonly KnownRun[]): Map<FoldedRun, string> {
  const byKey = new Map(rows.map((row) => [`${row.flow_run_id} ${row.task_key} ${row.dynamic_key}`, row.id]));
  const ids = new Set(rows.map((row) => row.id));
  return new Map(
    runs.flatMap((run) => {
      const newestFirst = run.events.toReversed();
      const byKeys = newestFirst.map(({ flowRunId, columns }) => byKey.get(`${flowRunId} ${columns.task_key} ${columns.dynamic_key}`));
      const id = byKeys.find((found) => found !== undefined) ?? run.ids.find((candidate) => ids.has(candidate));
      return id === undefined ? [] : [[run, id]];
    }),
  );
}

/** Records events (facts/events.md §4, "Recorder"). Gives those that could not be, because their flow run does not exist (any more). */
export async function recordEvents(sql: Sql, events: readonly TaskRunEvent[]): Promise<TaskRunEvent[]> {
  const { flowRunIds, taskRuns } = await findRows(sql, events);
  const isRecordable = ({ flowRunId }: TaskRunEvent) => flowRunId === null || flowRunIds.has(flowRunId);
  const orphans = events.filter((event) => !isRecordable(event));
  const runs = foldEvents(events.filter(isRecordable));

  const known = matchRuns(runs, taskRuns);
  const fresh = new Map(runs.filter((run) => !known.has(run)).map((run) => [run, run.ids[0]]));
  const settled = new Set([...(fresh.size > 0 ? await insertRuns(sql, fresh) : []), ...(known.size > 0 ? await updateRuns(sql, known) : [])]);
  // Somebody else inserted or deleted the others since they were looked for.
  const overtaken = [...fresh, ...known].filter(([, id]) => !settled.has(id)).flatMap(([run]) => run.events);
  return overtaken.length === 0 ? orphans : [...orphans, ...(await recordEvents(sql, overtaken))];
}
