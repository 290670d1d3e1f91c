import { entries, inBatches } from '@praetor/database/batches';
import type { Sql } from '@praetor/database/connect';
import type { Json } from '@praetor/schema/json';
import { flowRunPolicy } from '@praetor/schema/run-policy';
import { type State, type StateDetails, type StateType, completeStateDetails } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';
import { ACTIVE_SLOTS } from './slots.ts';
import type { FlowFacts, FlowRunFields, RunFields } from './transition.ts';

/** Columns of the current state as both kinds of run select them, prefixed `state_`; all null for a run without one. */
export interface StateColumns {
  state_id: string | null;
  state_kind: StateType;
  state_called: string;
  state_time: Timestamp;
  state_message: string | null;
  state_data: Json;
  state_details: Partial<StateDetails>;
}

export const STATE_COLUMNS = `s.id as state_id, s.type as state_kind, s.name as state_called, s.timestamp as state_time,
  s.message as state_message, s.state_details, coalesce(a.data, s.data::json) as state_data`;

export const RUN_COLUMNS = `r.id, r.name, r.tags, r.state_type, r.state_name, r.state_timestamp, r.run_count, r.start_time, r.end_time,
  r.expected_start_time, r.next_scheduled_start_time, r.total_run_time, r.empirical_policy`;

/** The columns that both kinds of run have, out of a row that holds more. */
export function toRunFields(row: RunFields): RunFields {
  return {
    id: row.id,
    name: row.name,
    tags: row.tags,
    state_type: row.state_type,
    state_name: row.state_name,
    state_timestamp: row.state_timestamp,
    run_count: row.run_count,
    start_time: row.start_time,
    end_time: row.end_time,
    expected_start_time: row.expected_start_time,
    next_scheduled_start_time: row.next_scheduled_start_time,
    total_run_time: row.total_run_time,
  };
}

export function toState(row: StateColumns): State | null {
  if (row.state_id === null) return null;
  return {
    id: row.state_id,
    type: row.state_kind,
    name: row.state_called,
    timestamp: row.state_time,
    message: row.state_message,
    data: row.state_data,
    state_details: completeStateDetails(row.state_details),
  };
}

/** The columns that say what surrounds a flow run; the names of a resource are null where it has none. */
export interface FlowFactColumns {
  flow_id: string;
  deployment_id: string | null;
  parent_task_run_id: string | null;
  work_queue_id: string | null;
  flow_name: string | null;
  flow_tags: string[];
  deployment_name: string | null;
  deployment_tags: string[];
  concurrency_options: { collision_strategy?: 'ENQUEUE' | 'CANCEL_NEW'; grace_period_seconds?: number | null } | null;
  limit_id: string | null;
  limit_name: string;
  limit_active: boolean;
  limit_size: number;
  limit_slots: number;
  limit_occupancy: number;
  work_queue: string | null;
  work_pool_id: string;
  work_pool: string;
  work_pool_type: string;
  parent_name: string | null;
  parent_tags: string[];
}

export const FLOW_FACT_COLUMNS = `f.name as flow_name, f.tags as flow_tags, d.name as deployment_name, d.tags as deployment_tags, d.concurrency_options,
  l.id as limit_id, l.name as limit_name, l.active as limit_active, l."limit" as limit_size, ${ACTIVE_SLOTS} as limit_slots,
  l.avg_slot_occupancy_seconds as limit_occupancy, q.name as work_queue, p.id as work_pool_id, p.name as work_pool, p.type as work_pool_type,
  t.name as parent_name, t.tags as parent_tags`;

/** Joins what surrounds a row `r` with the four ids of a flow run. */
export const FLOW_FACT_JOINS = `left join flow f on f.id = r.flow_id
  left join deployment d on d.id = r.deployment_id
  left join concurrency_limit_v2 l on l.id = d.concurrency_limit_id
  left join work_queue q on q.id = r.work_queue_id
  left join work_pool p on p.id = q.work_pool_id
  left join task_run t on t.id = r.parent_task_run_id`;

export function toFlowFacts(row: FlowFactColumns, hasLease: boolean): FlowFacts {
  const limit = row.limit_id !== null && {
    id: row.limit_id,
    name: row.limit_name,
    active: row.limit_active,
    limit: row.limit_size,
    activeSlots: row.limit_slots,
    averageOccupancySeconds: row.limit_occupancy,
  };
  return {
    flow: row.flow_name === null ? null : { id: row.flow_id, name: row.flow_name, tags: row.flow_tags },
    deployment:
      row.deployment_id === null || row.deployment_name === null
        ? null
        : {
            id: row.deployment_id,
            name: row.deployment_name,
            tags: row.deployment_tags,
            collisionStrategy: row.concurrency_options?.collision_strategy ?? 'ENQUEUE',
            gracePeriodSeconds: row.concurrency_options?.grace_period_seconds ?? null,
            limit: limit || null,
          },
    workQueue: row.work_queue_id === null || row.work_queue === null ? null : { id: row.work_queue_id, name: row.work_queue },
    workPool: row.work_queue === null ? null : { id: row.work_pool_id, name: row.work_pool, type: row.work_pool_type },
    parentTaskRun:
      row.parent_task_run_id === null || row.parent_name === null ? null : { id: row.parent_task_run_id, name: row.parent_name, tags: row.parent_tags },
    hasLease,
  };
}

type FlowRunRow = Omit<FlowRunFields, 'empirical_policy'> &
  StateColumns &
  FlowFactColumns & { empirical_policy: unknown; lease_id: string | null; now: Timestamp };

export interface RunSnapshot<Run extends RunFields, Facts> {
  run: Run;
  initial: State | null;
  facts: Facts;
  /** The clock of the database, one for all gateways. */
  now: Timestamp;
}

type FlowRunSnapshot = RunSnapshot<FlowRunFields, FlowFacts>;

/** Reads a flow run with all that its rules may ask for. Undefined where there is no such run. */
export const readFlowRun = inBatches(async (sql: Sql, ids: readonly string[]): Promise<(FlowRunSnapshot | undefined)[]> => {
  const rows = await sql<FlowRunRow[]>`
    select ${sql.unsafe(RUN_COLUMNS)}, r.flow_id, r.deployment_id, r.parent_task_run_id, r.work_queue_id, r.infrastructure_pid, r.created_by,
      ${sql.unsafe(STATE_COLUMNS)}, ${sql.unsafe(FLOW_FACT_COLUMNS)}, e.id as lease_id, clock_timestamp() as now
    from ${entries(sql, { id: 'uuid' }, ids.map((id) => ({ id })))} asked
    join flow_run r on r.id = asked.id
    left join flow_run_state s on s.id = r.state_id
    left join artifact a on a.id = s.result_artifact_id
    left join praetor.lease e on e.id = (s.state_details ->> 'deployment_concurrency_lease_id')::uuid
    ${sql.unsafe(FLOW_FACT_JOINS)}`;
  const snapshots = new Map(rows.map((row) => [row.id, toSnapshot(row)]));
  return ids.map((id) => snapshots.get(id));
});

function toSnapshot(row: FlowRunRow): FlowRunSnapshot {
  const run: FlowRunFields = {
    ...toRunFields(row),
    empirical_policy: flowRunPolicy.parse(row.empirical_policy),
    flow_id: row.flow_id,
    deployment_id: row.deployment_id,
    parent_task_run_id: row.parent_task_run_id,
    infrastructure_pid: row.infrastructure_pid,
    created_by: row.created_by,
  };
  return { run, initial: toState(row), facts: toFlowFacts(row, row.lease_id !== null), now: row.now };
}
