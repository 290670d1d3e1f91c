import { type State, isTerminal } from '@praetor/schema/state';
import { ANY, type Rule, TERMINAL, abort, reject, types } from '../engine.ts';
import type { FlowTransition, TaskTransition } from '../transition.ts';
import { knowsPauses } from '../version.ts';

const REFUSED_WHEN_TERMINAL = types('CANCELLING', 'PAUSED', 'CRASHED');

/** The state carries metadata of a result that was stored somewhere. */
function hasPersistedResult({ data }: State): boolean {
  return typeof data === 'object' && data !== null && !Array.isArray(data) && 'type' in data ? data.type !== 'unpersisted' : isFilledObject(data);
}

function isFilledObject(data: unknown): boolean {
  return typeof data === 'object' && data !== null && !Array.isArray(data) && Object.keys(data).length > 0;
}

function wouldLoseResult(initial: State, proposed: State): boolean {
  return initial.type === 'COMPLETED' && proposed.type === 'COMPLETED' && hasPersistedResult(initial) && !hasPersistedResult(proposed);
}

/** A finished flow run may be run again, but not by accident and not at the price of its result. */
export const handleFlowTerminalStateTransitions: Rule<FlowTransition> = {
  name: 'HandleFlowTerminalStateTransitions',
  from: TERMINAL,
  to: ANY,
  before({ initial, proposed, run, apiVersion }) {
    if (!initial || !proposed) return undefined;
    if (REFUSED_WHEN_TERMINAL.has(proposed.type)) return abort(`The run has already ended as ${initial.type}.`);
    const isFinal = isTerminal(proposed.type);
    if (initial.type === 'COMPLETED' && !isFinal && hasPersistedResult(initial)) return reject(null, 'The run is already COMPLETED and has a result.');
    if (wouldLoseResult(initial, proposed)) return reject(null, 'The run has a result that the proposed COMPLETED state lacks.');
    if (proposed.type === 'SCHEDULED' && run.deployment_id === null) return abort('A run without a deployment cannot be scheduled again.');
    if (!isFinal && knowsPauses(apiVersion)) {
      run.empirical_policy = { ...run.empirical_policy, resuming: false, pause_keys: [], retry_type: proposed.type === 'SCHEDULED' ? 'reschedule' : null };
    }
    return undefined;
  },
  cleanup({ run, stored }) {
    run.empirical_policy = stored.empirical_policy;
  },
};

/** Not even force may replace a COMPLETED state that has a result by one that has none. */
export const preventResultDataLoss: Rule<FlowTransition> = {
  name: 'PreventResultDataLoss',
  from: TERMINAL,
  to: TERMINAL,
  before({ initial, proposed }) {
    if (initial && proposed && wouldLoseResult(initial, proposed)) return reject(null, 'The run has a result that the proposed COMPLETED state lacks.');
    return undefined;
  },
};

/** A finished task run that runs again starts counting its retries anew. */
export const handleTaskTerminalStateTransitions: Rule<TaskTransition> = {
  name: 'HandleTaskTerminalStateTransitions',
  from: TERMINAL,
  to: ANY,
  before({ initial, proposed, run, facts }) {
    if (!initial || !proposed) return undefined;
    if (REFUSED_WHEN_TERMINAL.has(proposed.type)) return abort(`The run has already ended as ${initial.type}.`);
    if (initial.type === 'COMPLETED' && hasPersistedResult(initial)) return reject(null, 'The run is already COMPLETED and has a result.');
    if (!isTerminal(proposed.type)) run.run_count = 0;
    // The whole flow run is being retried, not this task alone.
    if (proposed.type === 'RUNNING' && facts.flowRun && run.flow_run_run_count < facts.flowRun.run_count) proposed.name = 'Retrying';
    return undefined;
  },
  cleanup({ run, stored }) {
    run.run_count = stored.run_count;
  },
};
