import type { Sequences } from '../twin-client.ts';
import { artifacts } from './artifacts.ts';
import { automations } from './automations.ts';
import { blocks } from './blocks.ts';
import { collections } from './collections.ts';
import { concurrencyLimits } from './concurrency-limits.ts';
import { deploymentSchedules } from './deployment-schedules.ts';
import { deployments } from './deployments.ts';
import { events } from './events.ts';
import { flowRunGraph } from './flow-run-graph.ts';
import { flowRuns } from './flow-runs.ts';
import { flows } from './flows.ts';
import { logs } from './logs.ts';
import { root } from './root.ts';
import { runStates } from './run-states.ts';
import { savedSearches } from './saved-searches.ts';
import { taskRuns } from './task-runs.ts';
import { ui } from './ui.ts';
import { variables } from './variables.ts';
import { workPools } from './work-pools.ts';
import { workQueues } from './work-queues.ts';

/** Every sequence, by resource. A new file is added here. */
export const resources: Record<string, Sequences> = {
  artifacts,
  automations,
  blocks,
  collections,
  'concurrency-limits': concurrencyLimits,
  'deployment-schedules': deploymentSchedules,
  deployments,
  events,
  'flow-run-graph': flowRunGraph,
  'flow-runs': flowRuns,
  flows,
  logs,
  root,
  'run-states': runStates,
  'saved-searches': savedSearches,
  'task-runs': taskRuns,
  ui,
  variables,
  'work-pools': workPools,
  'work-queues': workQueues,
};
