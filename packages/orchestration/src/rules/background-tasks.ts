import { ANY, type Rule, types } from '../engine.ts';
import type { TaskTransition } from '../transition.ts';

/** The parameters of a background task are stored once and found by this id until it runs. */
export const copyTaskParametersId: Rule<TaskTransition> = {
  name: 'CopyTaskParametersID',
  from: types('SCHEDULED', 'PENDING'),
  to: types('PENDING', 'RUNNING'),
  before({ initial, proposed }) {
    if (initial && proposed) proposed.state_details.task_parameters_id ??= initial.state_details.task_parameters_id;
    return undefined;
  },
};

/** A scheduled background task waits in a queue for a task worker. */
export const enqueueScheduledTasks: Rule<TaskTransition> = {
  name: 'EnqueueScheduledTasks',
  from: ANY,
  to: types('SCHEDULED'),
  after({ proposed, effects }) {
    if (proposed?.state_details.deferred) effects.push({ type: 'enqueue', isRetry: proposed.name === 'AwaitingRetry' });
  },
};
