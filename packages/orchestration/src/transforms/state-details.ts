import type { Transform } from '../engine.ts';
import { type FlowTransition, type TaskTransition, copyState } from '../transition.ts';

/* A stored state knows its run; the states of a sub-flow also show on the task run that stands for it in the parent. */

export const updateFlowStateDetails: Transform<FlowTransition> = {
  name: 'UpdateStateDetails',
  before({ proposed, run }) {
    if (proposed) proposed.state_details.flow_run_id = run.id;
  },
};

export const updateTaskStateDetails: Transform<TaskTransition> = {
  name: 'UpdateStateDetails',
  before({ proposed, run }) {
    if (!proposed) return;
    proposed.state_details.flow_run_id = run.flow_run_id;
    proposed.state_details.task_run_id = run.id;
  },
};

export const updateSubflowParentTask: Transform<FlowTransition> = {
  name: 'UpdateSubflowParentTask',
  after({ proposed, run, effects }) {
    if (!proposed || run.parent_task_run_id === null) return;
    const state = copyState(proposed, { state_details: { ...proposed.state_details, child_flow_run_id: run.id } });
    effects.push({ type: 'copy_to_parent_task', taskRunId: run.parent_task_run_id, state });
  },
};

export const updateSubflowStateDetails: Transform<FlowTransition> = {
  name: 'UpdateSubflowStateDetails',
  before({ proposed, run }) {
    if (proposed && run.parent_task_run_id !== null) proposed.state_details.task_run_id = run.parent_task_run_id;
  },
};
