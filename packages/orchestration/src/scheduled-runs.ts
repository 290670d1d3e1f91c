import { v7 as uuidv7 } from 'uuid';
import type { Database, Sql } from '@praetor/database/connect';
import { retryOnce } from '@praetor/database/errors';
import { dates } from '@praetor/schedules/dates';
import { toJson } from '@praetor/schema/json';
import { flowRunPolicy } from '@praetor/schema/run-policy';
import type { Schedule } from '@praetor/schema/schedule';
import { type Timestamp, addSeconds, fromMicroseconds, now } from '@praetor/schema/timestamps';
import { randomRunName } from './names.ts';

/* The runs that schedules create (facts/services.md §1). They are inserted as they are: no rule, no event. */

/** How far ahead a schedule has runs: until both minimums are reached, but never beyond a maximum. */
export interface Horizon {
  minimumRuns: number;
  maximumRuns: number;
  /** From the start. */
  minimumSeconds: number;
  maximumSeconds: number;
}

export interface SchedulingOptions {
  horizon: Horizon;
  /** Default: now. */
  start?: Timestamp;
  /** Default: the horizon's furthest moment. */
  end?: Timestamp;
  /** Whether a paused deployment gets them too. */
  evenPaused?: boolean;
  /** Most runs that one statement inserts. */
  batchSize?: number;
  /** Told of a schedule that cannot be planned, while the others are. Default: nothing is planned, and the error is thrown. */
  onFault?: (scheduleId: string, error: unknown) => void;
}

interface PlannedRun {
  scheduleId: string;
  kind: string;
  date: Temporal.ZonedDateTime;
}

/** The dates of a schedule that should have a run now. */
export function planDates(schedule: Schedule, horizon: Horizon, start: Timestamp, end: Timestamp): Temporal.ZonedDateTime[] {
  const enough = Temporal.Instant.from(addSeconds(start, horizon.minimumSeconds)).epochNanoseconds;
  const planned: Temporal.ZonedDateTime[] = [];
  for (const date of dates(schedule, { start, end }).take(horizon.maximumRuns)) {
    planned.push(date);
    if (planned.length >= horizon.minimumRuns && date.epochNanoseconds >= enough) break;
  }
  return planned;
}

/** `2026-11-22T00:00:00-05:00`, as Python prints it: with six digits of the second or none. */
function toPythonText(date: Temporal.ZonedDateTime): string {
  const fractionalSecondDigits = date.millisecond === 0 && date.microsecond === 0 ? 0 : 6;
  return date.toString({ timeZoneName: 'never', fractionalSecondDigits });
}

/** Prefect's key, letter for letter: servers that take turns on one database must not create the same run twice. */
export function scheduledRunKey(deploymentId: string, scheduleId: string, date: Temporal.ZonedDateTime): string {
  return `scheduled ${deploymentId} ${scheduleId} ${toPythonText(date).replace('T', ' ')}`;
}

function kindOf(schedule: Schedule): string {
  if ('interval' in schedule) return 'IntervalSchedule';
  return 'cron' in schedule ? 'CronSchedule' : 'RRuleSchedule';
}

const DEFAULT_POLICY = toJson(flowRunPolicy.parse({}));

/** Inserts the runs that are not there yet, each with its state; returns their ids. */
async function insertRuns(sql: Sql, deploymentId: string, planned: readonly PlannedRun[]): Promise<string[]> {
  const column = <T>(value: (run: PlannedRun) => T): T[] => planned.map(value);
  const rows = await sql<{ flow_run_id: string }[]>`
    with planned as (
      select * from unnest(
        ${column(() => uuidv7())}::uuid[], ${column(() => uuidv7())}::uuid[], ${column(randomRunName)}::text[],
        ${column((run) => run.scheduleId)}::uuid[], ${column((run) => run.kind)}::text[],
        ${column((run) => scheduledRunKey(deploymentId, run.scheduleId, run.date))}::text[],
        ${column((run) => fromMicroseconds(Number(run.date.epochNanoseconds / 1000n)))}::timestamptz[],
        ${column((run) => toJson({ scheduled_time: toPythonText(run.date).replace('+00:00', 'Z') }))}::jsonb[]
      ) as planned (id, state_id, name, schedule_id, kind, idempotency_key, date, state_details)
    ), inserted as (
      insert into flow_run (id, name, flow_id, deployment_id, deployment_version, work_queue_id, work_queue_name, infrastructure_document_id,
        parameters, tags, labels, idempotency_key, auto_scheduled, created_by, empirical_policy,
        state_id, state_type, state_name, state_timestamp, expected_start_time, next_scheduled_start_time)
      select p.id, p.name, d.flow_id, d.id, d.version, d.work_queue_id, d.work_queue_name, d.infrastructure_document_id,
        d.parameters || s.parameters, '["auto-scheduled"]'::jsonb || d.tags,
        coalesce(d.labels, '{}') || jsonb_build_object('prefect.flow.id', d.flow_id, 'prefect.deployment.id', d.id),
        p.idempotency_key, true, jsonb_build_object('id', s.id, 'type', 'SCHEDULE', 'display_value', coalesce(nullif(s.slug, ''), p.kind)),
        ${DEFAULT_POLICY}::jsonb, p.state_id, 'SCHEDULED', 'Scheduled', clock_timestamp(), p.date, p.date
      from planned p
      join deployment_schedule s on s.id = p.schedule_id
      join deployment d on d.id = s.deployment_id
      on conflict (flow_id, idempotency_key) do nothing
      returning id, state_id, state_timestamp
    )
    insert into flow_run_state (id, flow_run_id, type, timestamp, name, message, state_details)
    select i.state_id, i.id, 'SCHEDULED', i.state_timestamp, 'Scheduled', 'Flow run scheduled', p.state_details
    from inserted i join planned p on p.id = i.id
    returning flow_run_id`;
  return rows.map((row) => row.flow_run_id);
}

/**
 * Creates the runs that a deployment's active schedules lack and returns their ids; none for a deployment that is gone or,
 * unless asked for, paused. Any number of callers may do so at once: a run is created once. The deployment stays locked meanwhile, and
 * whoever changes its schedules locks it too, so that no run comes from a schedule that has just vanished.
 */
export function scheduleRuns({ sql }: Database, deploymentId: string, { horizon, start = now(), end, evenPaused = false, batchSize = 500, onFault }: SchedulingOptions): Promise<string[]> {
  const latest = end ?? addSeconds(start, horizon.maximumSeconds);
  const plan = (id: string, schedule: Schedule): PlannedRun[] => {
    try {
      return planDates(schedule, horizon, start, latest).map((date) => ({ scheduleId: id, kind: kindOf(schedule), date }));
    } catch (error) {
      if (onFault === undefined) throw error;
      onFault(id, error);
      return [];
    }
  };
  return retryOnce(() =>
    sql.begin(async (transaction) => {
      const wanted = await transaction`select id from deployment where id = ${deploymentId}::uuid and (${evenPaused} or not paused) for share`;
      if (wanted.length === 0) return [];
      // Only a statement that begins under the lock is sure to see the schedules as they are.
      const schedules = await transaction<{ id: string; schedule: Schedule }[]>`
        select id, schedule from deployment_schedule where deployment_id = ${deploymentId}::uuid and active order by id`;
      const planned = schedules.flatMap(({ id, schedule }) => plan(id, schedule));
      const created: string[] = [];
      for (let first = 0; first < planned.length; first += batchSize)
        created.push(...(await insertRuns(transaction, deploymentId, planned.slice(first, first + batchSize))));
      return created;
    }),
  );
}
