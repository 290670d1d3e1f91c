import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowRunPolicy, taskRunPolicy } from '@praetor/schema/run-policy';
import { parseSettings } from '@praetor/schema/settings';
import { type State, type StateCreate, type StateDetails, type StateType, proposeState } from '@praetor/schema/state';
import { addSeconds } from '@praetor/schema/timestamps';
import { type Step, orchestrate } from '../src/engine.ts';
import { orchestrationSettings } from '../src/settings.ts';
import {
  type DeploymentFacts,
  type FlowFacts,
  type FlowRunFields,
  type FlowTransition,
  type LimitFacts,
  type TaskFacts,
  type TaskRunFields,
  type TaskTransition,
  beginTransition,
} from '../src/transition.ts';

/* Builders of transitions for the rule tables: everything has a plain default, and a case names only what it is about. */

export const NOW = '2026-11-21T12:00:00Z';
/** Prefect's defaults. */
export const SETTINGS = orchestrationSettings(parseSettings({}));
export const LATER = addSeconds(NOW, 60);
export const EARLIER = addSeconds(NOW, -60);
export const RESULT = { type: 'reference', storage_key: 'k' };

/** A state that a run is in. */
export function state(type: StateType, { name, data, ...details }: Partial<StateDetails> & { name?: string; data?: State['data'] } = {}): State {
  return {
    ...proposeState(type, { ...(name && { name }), data: data ?? null, details: { ...(type === 'SCHEDULED' && { scheduled_time: EARLIER }), ...details } }),
    id: 'initial',
    timestamp: addSeconds(NOW, -10),
  };
}

/** A state that a client proposes. */
export function proposal(
  type: StateType,
  { name, data, message, ...details }: Partial<StateDetails> & { name?: string; data?: State['data']; message?: string } = {},
): StateCreate {
  return proposeState(type, {
    ...(name && { name }),
    data: data ?? null,
    message: message ?? null,
    details: { ...(type === 'SCHEDULED' && { scheduled_time: NOW }), ...details },
  });
}

export const limit = (fields: Partial<LimitFacts> = {}): LimitFacts => ({
  id: 'limit',
  name: 'tag:x',
  active: true,
  limit: 1,
  activeSlots: 0,
  averageOccupancySeconds: 2,
  ...fields,
});

export const deployment = (fields: Partial<DeploymentFacts> = {}): DeploymentFacts => ({
  id: 'deployment',
  name: 'nightly',
  tags: [],
  collisionStrategy: 'ENQUEUE',
  gracePeriodSeconds: null,
  limit: limit(),
  ...fields,
});

const COLUMNS = {
  name: 'run',
  tags: [],
  state_type: null,
  state_name: null,
  state_timestamp: null,
  run_count: 0,
  start_time: null,
  end_time: null,
  expected_start_time: null,
  next_scheduled_start_time: null,
  total_run_time: 0,
};

const surroundings = () => {
  let ids = 0;
  return { now: NOW, settings: SETTINGS, newId: () => `id-${++ids}`, random: () => 0.5 };
};

export interface FlowCase {
  from: State | null;
  to: StateCreate;
  run?: Partial<Omit<FlowRunFields, 'empirical_policy'>>;
  policy?: Record<string, unknown>;
  facts?: Partial<FlowFacts>;
  apiVersion?: string;
  clientVersion?: string;
}

export function runFlow(
  steps: readonly Step<FlowTransition>[],
  { from, to, run, policy, facts, apiVersion = '0.8.4', clientVersion = '3.9.1' }: FlowCase,
): FlowTransition {
  return orchestrate(
    steps,
    beginTransition<FlowRunFields, FlowFacts>({
      ...surroundings(),
      apiVersion,
      clientVersion,
      initial: from,
      proposal: to,
      run: {
        ...COLUMNS,
        id: 'flow-run',
        flow_id: 'flow',
        deployment_id: null,
        parent_task_run_id: null,
        infrastructure_pid: null,
        created_by: null,
        empirical_policy: flowRunPolicy.parse(policy ?? {}),
        ...run,
      },
      facts: { flow: { id: 'flow', name: 'etl', tags: [] }, deployment: null, workQueue: null, workPool: null, parentTaskRun: null, hasLease: false, ...facts },
    }),
  );
}

export interface TaskCase {
  from: State | null;
  to: StateCreate;
  run?: Partial<Omit<TaskRunFields, 'empirical_policy'>>;
  policy?: Record<string, unknown>;
  facts?: Partial<TaskFacts>;
}

export function runTask(steps: readonly Step<TaskTransition>[], { from, to, run, policy, facts }: TaskCase): TaskTransition {
  return orchestrate(
    steps,
    beginTransition<TaskRunFields, TaskFacts>({
      ...surroundings(),
      apiVersion: null,
      clientVersion: null,
      initial: from,
      proposal: to,
      run: {
        ...COLUMNS,
        id: 'task-run',
        flow_run_id: null,
        task_key: 'task',
        flow_run_run_count: 0,
        empirical_policy: taskRunPolicy.parse(policy ?? {}),
        ...run,
      },
      facts: { flowRun: null, tagLimits: [], legacyLimits: [], heldLeaseIds: [], cachedState: null, ...facts },
    }),
  );
}

/** What a case is judged by: `ACCEPT RUNNING Running`, `REJECT` for a refusal that keeps the state, `WAIT 60`. */
export function outcome({ status, proposed, details }: FlowTransition | TaskTransition): string {
  if (details.type === 'wait_details') return `WAIT ${details.delay_seconds}`;
  return proposed ? `${status} ${proposed.type} ${proposed.name}` : status;
}

/** One transition under one rule: the outcome, and what else must hold of it. */
type Row<Case, T> = Case & { is: string; and?: (transition: T) => void };

const testTable =
  <Case, T extends FlowTransition | TaskTransition>(run: (steps: readonly Step<T>[], input: Case) => T) =>
  (rule: Step<T>, rows: Record<string, Row<Case, T>>): void => {
    for (const [title, row] of Object.entries(rows)) {
      test(`${rule.name}: ${title}`, () => {
        const transition = run([rule], row);
        assert.equal(outcome(transition), row.is);
        row.and?.(transition);
      });
    }
  };

/** Tests a rule of flow runs, row by row. */
export const flowTable = testTable(runFlow);
/** Tests a rule of task runs, row by row. */
export const taskTable = testTable(runTask);

/** The part of a flow run's policy that pauses and retries change. */
export const policyOf = ({ run: { empirical_policy: policy } }: FlowTransition) => ({
  resuming: policy.resuming,
  pause_keys: policy.pause_keys,
  retry_type: policy.retry_type,
});
export const policyIs = (expected: object) => (transition: FlowTransition) => assert.deepEqual(policyOf(transition), expected);

export const LEASE = { deployment_concurrency_lease_id: 'lease' };
export const leaseOf = ({ proposed }: FlowTransition) => proposed?.state_details.deployment_concurrency_lease_id;
export const effectsAre =
  (...expected: object[]) =>
  ({ effects }: FlowTransition | TaskTransition) =>
    assert.deepEqual(effects, expected);

/** A run of a deployment, and of one with a limit of one slot. */
export const deployed = { run: { deployment_id: 'deployment' } };
export const limited = (fields: Partial<LimitFacts> = {}, options: Partial<DeploymentFacts> = {}) => ({
  ...deployed,
  facts: { deployment: deployment({ limit: limit(fields), ...options }) },
});
