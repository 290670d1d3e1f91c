import { z } from 'zod';
import { float, json, timestamp, uuid } from './primitives.ts';
import { state, stateType } from './state.ts';
import { taskRunResult } from './task-run.ts';

/* What a flow run consists of, and what depends on what, as the web UIs draw it. */

const graphState = z.object({ id: uuid(), timestamp: timestamp(), type: stateType, name: z.string() }).meta({ id: 'GraphState' });

const graphArtifact = z
  .object({
    id: uuid(),
    created: timestamp(),
    key: z.string().nullable(),
    type: z.string().nullable(),
    /** Of its key; an artifact without a key always is. */
    is_latest: z.boolean(),
    /** Of a progress alone; null for the others. */
    data: json().nullable(),
  })
  .meta({ id: 'GraphArtifact' });
export type GraphArtifact = z.output<typeof graphArtifact>;

const edge = z.object({ id: uuid() }).meta({ id: 'Edge' });

const node = z
  .object({
    kind: z.enum(['flow-run', 'task-run']),
    id: uuid(),
    label: z.string(),
    state_type: stateType,
    start_time: timestamp(),
    end_time: timestamp().nullable(),
    parents: z.array(edge),
    children: z.array(edge),
    /** The task runs inside which this one was called. */
    encapsulating: z.array(edge),
    artifacts: z.array(graphArtifact),
  })
  .meta({ id: 'Node' });
export type GraphNode = z.output<typeof node>;

export const graph = z
  .object({
    start_time: timestamp().nullable().meta({ required: true }),
    end_time: timestamp().nullable().meta({ required: true }),
    root_node_ids: z.array(uuid()),
    nodes: z.array(z.tuple([uuid(), node])),
    artifacts: z.array(graphArtifact),
    states: z.array(graphState),
  })
  .meta({ id: 'Graph' });
export type Graph = z.output<typeof graph>;

/** A task run with those whose results it took: the first form of the graph. */
export const dependencyResult = z
  .object({
    id: uuid(),
    name: z.string(),
    upstream_dependencies: z.array(taskRunResult),
    state: state.nullable(),
    expected_start_time: timestamp().nullable(),
    start_time: timestamp().nullable(),
    end_time: timestamp().nullable(),
    /** Seconds, as the next one. */
    total_run_time: float().nullable(),
    estimated_run_time: float().nullable(),
    untrackable_result: z.boolean(),
  })
  .meta({ id: 'DependencyResult' });
export type DependencyResult = z.output<typeof dependencyResult>;
