import { proposeState } from '@praetor/schema/state';
import { type Timestamp, addSeconds } from '@praetor/schema/timestamps';
import { ANY, type Rule, reject, types } from '../engine.ts';
import { clampedPoissonInterval } from '../poisson.ts';
import type { FlowTransition, TaskTransition, Transition } from '../transition.ts';
import { isAtLeast, knowsPauses } from '../version.ts';

/** The state in which a failed run waits for its next attempt, with what the failure had to say. */
function awaitingRetry({ proposed }: Transition, scheduledTime: Timestamp, leaseId: string | null) {
  const details = { scheduled_time: scheduledTime, deployment_concurrency_lease_id: leaseId };
  return reject(proposeState('SCHEDULED', { name: 'AwaitingRetry', message: proposed?.message ?? null, data: proposed?.data ?? null, details }), 'Retrying');
}

/** A failed flow run that has retries left waits and runs again in the same process, which keeps its lease. */
export const retryFailedFlows: Rule<FlowTransition> = {
  name: 'RetryFailedFlows',
  from: types('RUNNING'),
  to: types('FAILED'),
  before(transition) {
    const { initial, run, now, apiVersion, effects } = transition;
    const { retries, retry_delay } = run.empirical_policy;
    if (retries === null || run.run_count > retries) {
      run.empirical_policy = { ...run.empirical_policy, retry_type: null };
      return undefined;
    }
    const scheduledTime = addSeconds(now, retry_delay ?? 0);
    // Clients before 0.8.3 loop over their failed task runs.
    if (apiVersion !== null && !isAtLeast(apiVersion, '0.8.3')) effects.push({ type: 'retry_failed_task_runs', scheduledTime });
    if (knowsPauses(apiVersion)) run.empirical_policy = { ...run.empirical_policy, resuming: false, pause_keys: [], retry_type: 'in_process' };
    return awaitingRetry(transition, scheduledTime, initial?.state_details.deployment_concurrency_lease_id ?? null);
  },
};

/** Seconds before the next attempt of a task: one delay, or one per attempt, spread by the jitter factor. */
function retryDelay({ run, random }: TaskTransition): number {
  const { retry_delay, retry_jitter_factor } = run.empirical_policy;
  const delay = Array.isArray(retry_delay) ? (retry_delay.at(Math.min(run.run_count, retry_delay.length) - 1) ?? 0) : (retry_delay ?? 0);
  return retry_jitter_factor ? clampedPoissonInterval(delay, random, retry_jitter_factor) : delay;
}

/** A failed task run that has retries left waits and runs again, unless its own condition says otherwise. */
export const retryFailedTasks: Rule<TaskTransition> = {
  name: 'RetryFailedTasks',
  from: types('RUNNING'),
  to: types('FAILED'),
  before(transition) {
    const { proposed, run, now } = transition;
    const { retries } = run.empirical_policy;
    if (proposed?.state_details.retriable === false || retries === null || run.run_count > retries) return undefined;
    return awaitingRetry(transition, addSeconds(now, retryDelay(transition)), null);
  },
};

/** A task that runs once more says so in the name of its state. */
export const renameReruns: Rule<TaskTransition> = {
  name: 'RenameReruns',
  from: ANY,
  to: types('RUNNING'),
  before({ initial, proposed, run }) {
    if (initial && proposed && run.run_count > 0) proposed.name = initial.name === 'AwaitingRetry' ? 'Retrying' : 'Rerunning';
    return undefined;
  },
};
