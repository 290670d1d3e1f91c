import { entries, inBatches } from '@praetor/database/batches';
import type { Sql } from '@praetor/database/connect';
import { type Json, unwrapNumber } from '@praetor/schema/json';
import { taskRunPolicy } from '@praetor/schema/run-policy';
import { type StateCreate, type StateDetails, type StateType, completeStateDetails } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';
import { RUN_COLUMNS, type RunSnapshot, STATE_COLUMNS, type StateColumns, toRunFields, toState } from './read-flow-run.ts';
import { ACTIVE_SLOTS } from './slots.ts';
import type { LegacyLimitFacts, LimitFacts, TaskFacts, TaskRunFields } from './transition.ts';

/** The columns that say what surrounds a task run. */
export interface TaskFactColumns {
  flow_run_id: string | null;
  flow_run_count: number | null;
  flow_state_type: StateType | null;
  flow_state_details: Partial<StateDetails>;
  tag_limits: (Omit<LimitFacts, 'averageOccupancySeconds'> & { averageOccupancySeconds: unknown })[] | null;
  legacy_limits: LegacyLimitFacts[] | null;
  held_lease_ids: string[] | null;
  cached_type: StateType | null;
  cached_name: string;
  cached_message: string | null;
  cached_details: Partial<StateDetails>;
  cached_data: Json;
}

const TAG_NAMES = `any (select 'tag:' || tag from jsonb_array_elements_text(r.tags) tag)`;

export const TASK_FACT_COLUMNS = `g.run_count as flow_run_count, h.type as flow_state_type, h.state_details as flow_state_details,
  (select json_agg(json_build_object('id', l.id, 'name', l.name, 'active', l.active, 'limit', l."limit", 'activeSlots', ${ACTIVE_SLOTS},
      'averageOccupancySeconds', l.avg_slot_occupancy_seconds) order by l.name)
    from concurrency_limit_v2 l where l.name = ${TAG_NAMES}) as tag_limits,
  (select json_agg(json_build_object('id', c.id, 'tag', c.tag, 'limit', c.concurrency_limit, 'holders', c.active_slots) order by c.tag)
    from concurrency_limit c where r.tags ? c.tag) as legacy_limits,
  (select json_agg(e.id) from praetor.lease e
    where e.holder_id = r.id and exists (select from concurrency_limit_v2 l where l.id = any (e.resource_ids) and l.name = ${TAG_NAMES})) as held_lease_ids,
  k.type as cached_type, k.name as cached_name, k.message as cached_message, k.state_details as cached_details, k.data as cached_data`;

/** SQL: joins what surrounds a row `r` with a task run's id, tags and flow_run_id, and the state cached under `asked.cache_key` (null for none). */
export const TASK_FACT_JOINS = `left join flow_run g on g.id = r.flow_run_id
  left join flow_run_state h on h.id = g.state_id
  left join lateral (
    select z.type, z.name, z.message, z.state_details, b.data from task_run_state_cache c
    join task_run_state z on z.id = c.task_run_state_id
    left join artifact b on b.id = z.result_artifact_id
    where c.cache_key = asked.cache_key and (c.cache_expiration is null or c.cache_expiration > now())
    order by c.created desc limit 1
  ) k on true`;

export function toTaskFacts(row: TaskFactColumns): TaskFacts {
  return {
    flowRun:
      row.flow_run_id === null || row.flow_run_count === null
        ? null
        : {
            id: row.flow_run_id,
            run_count: row.flow_run_count,
            state: row.flow_state_type && { type: row.flow_state_type, state_details: completeStateDetails(row.flow_state_details) },
          },
    tagLimits: (row.tag_limits ?? []).map((limit) => ({ ...limit, averageOccupancySeconds: Number(unwrapNumber(limit.averageOccupancySeconds)) })),
    legacyLimits: row.legacy_limits ?? [],
    heldLeaseIds: row.held_lease_ids ?? [],
    cachedState: row.cached_type && {
      type: row.cached_type,
      name: row.cached_name,
      message: row.cached_message,
      data: row.cached_data,
      state_details: completeStateDetails(row.cached_details),
    },
  };
}

/** The key under which a proposed state may be found in the cache, if it is one that the cache can answer. */
export function cacheKeyOf({ type, state_details }: StateCreate): string | null {
  return type === 'RUNNING' && !state_details.refresh_cache ? state_details.cache_key : null;
}

type TaskRunRow = Omit<TaskRunFields, 'empirical_policy'> & StateColumns & TaskFactColumns & { position: number; empirical_policy: unknown; now: Timestamp };

type TaskRunSnapshot = RunSnapshot<TaskRunFields, TaskFacts>;

interface AskedTaskRun {
  id: string;
  cache_key: string | null;
}

/** Reads a task run with all that its rules may ask for. Undefined where there is no such run. */
export const readTaskRun = inBatches(async (sql: Sql, asked: readonly AskedTaskRun[]): Promise<(TaskRunSnapshot | undefined)[]> => {
  const rows = await sql<TaskRunRow[]>`
    select asked.position, ${sql.unsafe(RUN_COLUMNS)}, r.flow_run_id, r.task_key, r.flow_run_run_count, ${sql.unsafe(STATE_COLUMNS)},
      ${sql.unsafe(TASK_FACT_COLUMNS)}, clock_timestamp() as now
    from ${entries(sql, { position: 'integer', id: 'uuid', cache_key: 'text' }, asked.map((one, position) => ({ position, ...one })))} asked
    join task_run r on r.id = asked.id
    left join task_run_state s on s.id = r.state_id
    left join artifact a on a.id = s.result_artifact_id
    ${sql.unsafe(TASK_FACT_JOINS)}`;
  const snapshots = new Map(rows.map((row) => [row.position, toSnapshot(row)]));
  return asked.map((_, position) => snapshots.get(position));
});

function toSnapshot(row: TaskRunRow): TaskRunSnapshot {
  const run: TaskRunFields = {
    ...toRunFields(row),
    empirical_policy: taskRunPolicy.parse(row.empirical_policy),
    flow_run_id: row.flow_run_id,
    task_key: row.task_key,
    flow_run_run_count: row.flow_run_run_count,
  };
  return { run, initial: toState(row), facts: toTaskFacts(row), now: row.now };
}
