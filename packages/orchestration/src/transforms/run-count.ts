import { isTerminal } from '@praetor/schema/state';
import type { Transform } from '../engine.ts';
import type { FlowTransition, TaskTransition } from '../transition.ts';
import { knowsPauses } from '../version.ts';

/** Each RUNNING is another attempt, unless a paused flow goes on. */
export const incrementFlowRunCount: Transform<FlowTransition> = {
  name: 'IncrementFlowRunCount',
  before({ proposed, run, apiVersion }) {
    if (proposed?.type === 'RUNNING' && !(knowsPauses(apiVersion) && run.empirical_policy.resuming)) run.run_count += 1;
  },
};

export const removeResumingIndicator: Transform<FlowTransition> = {
  name: 'RemoveResumingIndicator',
  before({ proposed, run, apiVersion }) {
    if (!proposed || !knowsPauses(apiVersion) || !run.empirical_policy.resuming) return;
    if (proposed.type === 'RUNNING' || isTerminal(proposed.type)) run.empirical_policy = { ...run.empirical_policy, resuming: false };
  },
};

export const incrementTaskRunCount: Transform<TaskTransition> = {
  name: 'IncrementTaskRunCount',
  before({ proposed, run }) {
    if (proposed?.type === 'RUNNING') run.run_count += 1;
  },
};
