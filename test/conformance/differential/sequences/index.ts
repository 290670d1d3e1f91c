import type { Sequences } from '../twin-client.ts';
import { admin } from './admin.ts';
import { artifacts } from './artifacts.ts';
import { automations } from './automations.ts';
import { blocks } from './blocks.ts';
import { collections } from './collections.ts';
import { concurrencyLimits } from './concurrency-limits.ts';
import { deletion } from './deletion.ts';
import { deploymentLimits } from './deployment-limits.ts';
import { deploymentSchedules } from './deployment-schedules.ts';
import { deployments } from './deployments.ts';
import { events } from './events.ts';
import { flowRunGraph } from './flow-run-graph.ts';
import { flowRuns } from './flow-runs.ts';
import { flows } from './flows.ts';
import { logs } from './logs.ts';
import { objectEvents } from './object-events.ts';
import { refusals } from './refusals.ts';
import { root } from './root.ts';
import { runOrigins } from './run-origins.ts';
import { runSlots } from './run-slots.ts';
import { runStates } from './run-states.ts';
import { savedSearches } from './saved-searches.ts';
import { taskRuns } from './task-runs.ts';
import { ui } from './ui.ts';
import { variables } from './variables.ts';
import { workPools } from './work-pools.ts';
import { workQueues } from './work-queues.ts';

/** Every sequence, by resource. A new file is added here. */
export const resources: Record<string, Sequences> = {
  admin,
  artifacts,
  automations,
  blocks,
  collections,
  'concurrency-limits': concurrencyLimits,
  deletion,
  'deployment-limits': deploymentLimits,
  'deployment-schedules': deploymentSchedules,
  deployments,
  events,
  'flow-run-graph': flowRunGraph,
  'flow-runs': flowRuns,
  flows,
  logs,
  'object-events': objectEvents,
  refusals,
  root,
  'run-origins': runOrigins,
  'run-slots': runSlots,
  'run-states': runStates,
  'saved-searches': savedSearches,
  'task-runs': taskRuns,
  ui,
  variables,
  'work-pools': workPools,
  'work-queues': workQueues,
};
