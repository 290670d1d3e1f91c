import type { Step } from './engine.ts';
import { copyTaskParametersId, enqueueScheduledTasks } from './rules/background-tasks.ts';
import { bypassCancellingFlowRunsWithNoInfra, enforceCancellingToCancelled, tearDownUnconfirmedCancellation } from './rules/cancelling.ts';
import {
  preserveDeploymentConcurrencyLeaseId,
  releaseFlowConcurrencySlots,
  removeDeploymentConcurrencyLeaseForOldClients,
  secureFlowConcurrencySlots,
  validateDeploymentConcurrencyAtRunning,
} from './rules/deployment-concurrency.ts';
import { preventDuplicateTransitions, preventPendingTransitions } from './rules/duplicates.ts';
import { enforceDeploymentConcurrencyOnLate, ensureOnlyScheduledFlowsMarkedLate } from './rules/late-runs.ts';
import { handlePausingFlows, handleResumingPausedFlows } from './rules/pausing.ts';
import { renameReruns, retryFailedFlows, retryFailedTasks } from './rules/retries.ts';
import { copyScheduledTime, waitForScheduledTime } from './rules/scheduled-time.ts';
import { instrumentFlowRunStateTransitions } from './rules/state-events.ts';
import { cacheInsertion, cacheRetrieval } from './rules/task-caching.ts';
import { releaseTaskConcurrencySlots, secureTaskConcurrencySlots } from './rules/task-concurrency.ts';
import { preventRunningTasksFromStoppedFlows, updateFlowRunTrackerOnTasks } from './rules/task-flow-run.ts';
import { handleFlowTerminalStateTransitions, handleTaskTerminalStateTransitions, preventResultDataLoss } from './rules/terminal-states.ts';
import { incrementFlowRunCount, incrementTaskRunCount, removeResumingIndicator } from './transforms/run-count.ts';
import {
  ensureStateTimestampIsUnique,
  incrementRunTime,
  setEndTime,
  setExpectedStartTime,
  setNextScheduledStartTime,
  setRunState,
  setStartTime,
} from './transforms/run-columns.ts';
import { updateFlowStateDetails, updateSubflowParentTask, updateSubflowStateDetails, updateTaskStateDetails } from './transforms/state-details.ts';
import type { FlowTransition, TaskTransition } from './transition.ts';

/* Which rules govern whom, in order (facts/orchestration.md §4; the minimal policy as of facts/prefect-3.9.1.md §2). */

const columns = [ensureStateTimestampIsUnique, setRunState, setStartTime, setEndTime, incrementRunTime, setExpectedStartTime, setNextScheduledStartTime];

const flowTransforms: Step<FlowTransition>[] = [
  ...columns,
  updateFlowStateDetails,
  updateSubflowParentTask,
  updateSubflowStateDetails,
  incrementFlowRunCount,
  removeResumingIndicator,
];

const taskTransforms: Step<TaskTransition>[] = [...columns, updateTaskStateDetails, incrementTaskRunCount];

const flowCore: Step<FlowTransition>[] = [
  preserveDeploymentConcurrencyLeaseId,
  preventDuplicateTransitions,
  handleFlowTerminalStateTransitions,
  enforceCancellingToCancelled,
  bypassCancellingFlowRunsWithNoInfra,
  preventPendingTransitions,
  validateDeploymentConcurrencyAtRunning,
  secureFlowConcurrencySlots,
  removeDeploymentConcurrencyLeaseForOldClients,
  ensureOnlyScheduledFlowsMarkedLate,
  handlePausingFlows,
  handleResumingPausedFlows,
  copyScheduledTime,
  waitForScheduledTime,
  retryFailedFlows,
  instrumentFlowRunStateTransitions,
  releaseFlowConcurrencySlots,
  ...flowTransforms,
];

/** Policies of flow runs: `core` for clients, `minimal` for force and creation, the others for the late-runs service. */
export const FLOW_POLICIES = {
  core: flowCore,
  minimal: [
    preserveDeploymentConcurrencyLeaseId,
    preventResultDataLoss,
    bypassCancellingFlowRunsWithNoInfra,
    instrumentFlowRunStateTransitions,
    releaseFlowConcurrencySlots,
    ...flowTransforms,
  ],
  'cancelling-timeout': [tearDownUnconfirmedCancellation, ...flowCore],
  'mark-late': [ensureOnlyScheduledFlowsMarkedLate, enforceDeploymentConcurrencyOnLate, instrumentFlowRunStateTransitions, ...flowTransforms],
} satisfies Record<string, Step<FlowTransition>[]>;
export type FlowPolicyName = keyof typeof FLOW_POLICIES;

/** Policies of task runs: `core` for clients, `minimal` for force, creation and sub-flows, `background` for deferred states. */
export const TASK_POLICIES = {
  core: [
    cacheRetrieval,
    handleTaskTerminalStateTransitions,
    preventRunningTasksFromStoppedFlows,
    secureTaskConcurrencySlots,
    copyScheduledTime,
    waitForScheduledTime,
    retryFailedTasks,
    renameReruns,
    updateFlowRunTrackerOnTasks,
    cacheInsertion,
    releaseTaskConcurrencySlots,
    ...taskTransforms,
  ],
  background: [
    preventPendingTransitions,
    cacheRetrieval,
    handleTaskTerminalStateTransitions,
    copyScheduledTime,
    copyTaskParametersId,
    waitForScheduledTime,
    retryFailedTasks,
    renameReruns,
    updateFlowRunTrackerOnTasks,
    cacheInsertion,
    releaseTaskConcurrencySlots,
    enqueueScheduledTasks,
    ...taskTransforms,
  ],
  minimal: [releaseTaskConcurrencySlots, ...taskTransforms],
} satisfies Record<string, Step<TaskTransition>[]>;
export type TaskPolicyName = Exclude<keyof typeof TASK_POLICIES, 'background'>;
