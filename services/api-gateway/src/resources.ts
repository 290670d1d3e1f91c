import { admin, root } from './admin/routes.ts';
import { artifacts } from './artifacts/routes.ts';
import { automations } from './automations/routes.ts';
import { blockDocuments, blockDocumentsOfType } from './block-documents/routes.ts';
import { blockCapabilities, blockSchemas } from './block-schemas/routes.ts';
import { blockTypes } from './block-types/routes.ts';
import { collections } from './collections/routes.ts';
import { concurrencyLimits } from './concurrency-limits/routes.ts';
import { concurrencyLimitsV2 } from './concurrency-limits-v2/routes.ts';
import { csrfToken } from './csrf-token/routes.ts';
import { deadLetters } from './dead-letters/routes.ts';
import { deployments } from './deployments/routes.ts';
import { events } from './events/routes.ts';
import { flowRunStates } from './flow-run-states/routes.ts';
import { flowRuns } from './flow-runs/routes.ts';
import { flows } from './flows/routes.ts';
import type { Resource } from './http/route.ts';
import { logs } from './logs/routes.ts';
import { observedStates } from './observed-states/routes.ts';
import { savedSearches } from './saved-searches/routes.ts';
import { taskRunStates } from './task-run-states/routes.ts';
import { taskRuns } from './task-runs/routes.ts';
import { taskWorkers } from './task-workers/routes.ts';
import { uiFlowRuns } from './ui/flow-runs/routes.ts';
import { uiFlows } from './ui/flows/routes.ts';
import { uiSchemas } from './ui/schemas/routes.ts';
import { uiTaskRuns } from './ui/task-runs/routes.ts';
import { templates } from './templates/routes.ts';
import { variables } from './variables/routes.ts';
import { workPools } from './work-pools/routes.ts';
import { workQueues } from './work-queues/routes.ts';

/** Every resource of the API in the order of its document. */
export const resources: readonly Resource[] = [
  root,
  admin,
  deadLetters,
  csrfToken,
  flows,
  flowRuns,
  taskRuns,
  flowRunStates,
  taskRunStates,
  observedStates,
  deployments,
  workPools,
  workQueues,
  collections,
  variables,
  logs,
  artifacts,
  blockTypes,
  blockDocumentsOfType,
  blockSchemas,
  blockDocuments,
  blockCapabilities,
  concurrencyLimits,
  concurrencyLimitsV2,
  events,
  automations,
  templates,
  savedSearches,
  taskWorkers,
  uiFlows,
  uiFlowRuns,
  uiTaskRuns,
  uiSchemas,
];
