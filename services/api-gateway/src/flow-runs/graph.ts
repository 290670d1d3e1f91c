import { type Kysely, sql } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { BadRequestError, NotFoundError } from '@praetor/schema/errors';
import type { Graph, GraphArtifact, GraphNode } from '@praetor/schema/flow-run-graph';
import type { TaskRun } from '@praetor/schema/task-run';
import type { Timestamp } from '@praetor/schema/timestamps';
import { connectNodes } from './graph-edges.ts';
import { listStates } from '../runs/state-history.ts';

export interface GraphRequest {
  flowRunId: string;
  /** Runs that ended before are left out. */
  since: Timestamp;
  maxNodes: number;
  maxArtifacts: number;
}

/** The task runs of a flow run; one that stands for a child flow run is shown as that. */
const NODES = (flowRunId: string) => sql`
  from task_run left join flow_run child on child.parent_task_run_id = task_run.id
  where task_run.flow_run_id = ${flowRunId}
    and coalesce(child.start_time, child.expected_start_time, task_run.start_time, task_run.expected_start_time) is not null`;

const END = sql`coalesce(child.end_time, task_run.end_time, case when task_run.state_type = 'COMPLETED' then task_run.expected_start_time end)`;

interface NodeRow extends Pick<GraphNode, 'kind' | 'id' | 'label' | 'state_type' | 'start_time' | 'end_time'> {
  is_recent: boolean;
  task_inputs: TaskRun['task_inputs'];
}

/** All nodes in the order of the answer: those left out of it are still named as parents and children. */
async function listNodes(db: Kysely<Tables>, { flowRunId, since }: GraphRequest): Promise<NodeRow[]> {
  const { rows } = await sql<NodeRow>`
    select case when child.id is null then 'task-run' else 'flow-run' end as kind, coalesce(child.id, task_run.id) as id,
      coalesce((select flow.name from flow where flow.id = child.flow_id) || ' / ' || child.name, task_run.name) as label,
      coalesce(child.state_type, task_run.state_type, 'PENDING') as state_type,
      coalesce(child.start_time, child.expected_start_time, task_run.start_time, task_run.expected_start_time) as start_time,
      ${END} as end_time, coalesce(${END} >= ${since}, true) as is_recent, task_run.task_inputs
    ${NODES(flowRunId)} order by start_time, end_time, id`.execute(db);
  return rows;
}

interface GraphArtifactRow extends GraphArtifact {
  task_run_id: string | null;
}

/** The artifacts of a run without those that hold results, oldest first. */
async function listGraphArtifacts(db: Kysely<Tables>, { flowRunId, maxArtifacts }: GraphRequest): Promise<GraphArtifactRow[]> {
  const { rows } = await sql<GraphArtifactRow>`
    select id, created, key, type,
      key is null or exists (select from artifact_collection latest where latest.key = artifact.key and latest.latest_id = artifact.id) as is_latest,
      case when type = 'progress' then data end as data, task_run_id
    from artifact where flow_run_id = ${flowRunId} and type <> 'result' order by created limit ${maxArtifacts}`.execute(db);
  return rows;
}

/** The times of the run, and how many nodes its graph has as far as the limit. */
async function readSize(db: Kysely<Tables>, { flowRunId, since, maxNodes }: GraphRequest) {
  const { rows } = await sql<Pick<Graph, 'start_time' | 'end_time'> & { size: number }>`
    select coalesce(start_time, expected_start_time) as start_time, end_time,
      (select count(*) from (select ${NODES(flowRunId)} and coalesce(${END} >= ${since}, true) limit ${maxNodes + 1}) node) as size
    from flow_run where id = ${flowRunId}`.execute(db);
  return rows[0];
}

/**
 * What a flow run consists of, and what depends on what. Throws NotFoundError, or BadRequestError where more nodes than
 * `maxNodes` would have to be shown.
 */
export async function readGraph(db: Kysely<Tables>, request: GraphRequest): Promise<Graph> {
  const { flowRunId, maxNodes } = request;
  const run = await readSize(db, request);
  if (run === undefined) throw new NotFoundError(`Flow run ${flowRunId} not found`, 'exception_message');
  if (run.size > maxNodes) throw new BadRequestError(`The graph of flow run ${flowRunId} has more than ${maxNodes} nodes.`);
  const [rows, artifacts, states] = await Promise.all([listNodes(db, request), listGraphArtifacts(db, request), listStates(db, 'flow_run_state', flowRunId)]);

  const edges = connectNodes(rows);
  const artifactsOf = Map.groupBy(artifacts, ({ task_run_id }) => task_run_id);
  const shown = (taskRunId: string | null) => artifactsOf.get(taskRunId)?.map(({ task_run_id: _, ...artifact }) => artifact) ?? [];
  const nodes = rows.flatMap(({ is_recent, task_inputs: _, ...row }): GraphNode[] => {
    const own = edges.get(row.id);
    return is_recent && own ? [{ ...row, ...own, artifacts: shown(row.id) }] : [];
  });
  return {
    start_time: run.start_time,
    end_time: run.end_time,
    root_node_ids: nodes.filter(({ parents }) => parents.length === 0).map(({ id }) => id),
    nodes: nodes.map((node) => [node.id, node]),
    artifacts: shown(null),
    states: states.map(({ id, timestamp, type, name }) => ({ id, timestamp, type, name: name ?? type })),
  };
}
