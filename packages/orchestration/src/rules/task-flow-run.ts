import { NotFoundError } from '@praetor/schema/errors';
import { proposeState } from '@praetor/schema/state';
import { ANY, type Rule, abort, reject, types } from '../engine.ts';
import type { TaskTransition } from '../transition.ts';

/** Tasks run only while their flow does. */
export const preventRunningTasksFromStoppedFlows: Rule<TaskTransition> = {
  name: 'PreventRunningTasksFromStoppedFlows',
  from: ANY,
  to: types('RUNNING'),
  before({ facts: { flowRun } }) {
    if (!flowRun || flowRun.state?.type === 'RUNNING') return undefined;
    if (flowRun.state?.type !== 'PAUSED') return abort('The flow run must be running before its tasks can.');
    const { pause_timeout, pause_reschedule } = flowRun.state.state_details;
    return reject(
      proposeState('PAUSED', { name: 'NotReady', details: { pause_timeout, pause_reschedule } }),
      'The flow run is paused; its tasks can run once it is resumed.',
    );
  },
};

/** Notes in which attempt of the flow run the task ran. */
export const updateFlowRunTrackerOnTasks: Rule<TaskTransition> = {
  name: 'UpdateFlowRunTrackerOnTasks',
  from: ANY,
  to: types('RUNNING'),
  after({ run, facts }) {
    if (run.flow_run_id === null) return;
    if (!facts.flowRun) throw new NotFoundError(`The flow run ${run.flow_run_id} of task run ${run.id} does not exist.`, 'exception_message');
    run.flow_run_run_count = facts.flowRun.run_count;
  },
};
