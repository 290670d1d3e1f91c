import type { FlowRunPolicy, TaskRunPolicy } from '@praetor/schema/run-policy';
import { type OrchestrationDetails, type SetStateStatus, type State, type StateCreate, type StateType, proposeState } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';
import type { NewCleanupMessage } from './cleanup-messages.ts';
import type { ServerEvent } from './lifecycle-events.ts';
import type { OrchestrationSettings } from './settings.ts';
import type { NewLease } from './slots.ts';

/*
 * A transition is everything that rules may know and change: what was read from the database before (facts, stored run),
 * the draft of what will be written (run, proposed), and side effects as data. Rules touch nothing else.
 */

/** Columns that orchestration reads and writes on either kind of run. Durations are seconds. */
export interface RunFields {
  id: string;
  name: string;
  tags: string[];
  state_type: StateType | null;
  state_name: string | null;
  state_timestamp: Timestamp | null;
  run_count: number;
  start_time: Timestamp | null;
  end_time: Timestamp | null;
  expected_start_time: Timestamp | null;
  next_scheduled_start_time: Timestamp | null;
  total_run_time: number;
}

export interface FlowRunFields extends RunFields {
  empirical_policy: FlowRunPolicy;
  flow_id: string;
  deployment_id: string | null;
  parent_task_run_id: string | null;
  infrastructure_pid: string | null;
  created_by: { id?: string | null; type?: string | null; display_value?: string | null } | null;
}

export interface TaskRunFields extends RunFields {
  empirical_policy: TaskRunPolicy;
  flow_run_id: string | null;
  task_key: string;
  flow_run_run_count: number;
}

/** Something that belongs to a run and shows up in its events. */
export interface NamedResource {
  id: string;
  name: string;
  tags: string[];
}

/** A concurrency limit as it stood when the transition was read; `activeSlots` after decay. */
export interface LimitFacts {
  id: string;
  name: string;
  active: boolean;
  limit: number;
  activeSlots: number;
  averageOccupancySeconds: number;
}

export interface DeploymentFacts extends NamedResource {
  collisionStrategy: 'ENQUEUE' | 'CANCEL_NEW';
  gracePeriodSeconds: number | null;
  limit: LimitFacts | null;
}

export interface FlowFacts {
  flow: NamedResource | null;
  deployment: DeploymentFacts | null;
  workQueue: { id: string; name: string } | null;
  workPool: { id: string; name: string; type: string } | null;
  parentTaskRun: NamedResource | null;
  /** The lease named in the current state exists. */
  hasLease: boolean;
}

/** A limit of the first generation (table concurrency_limit): the runs that hold its slots are listed in the row. */
export interface LegacyLimitFacts {
  id: string;
  tag: string;
  limit: number;
  holders: string[];
}

export interface TaskFacts {
  flowRun: { id: string; run_count: number; state: Pick<State, 'type' | 'state_details'> | null } | null;
  /** Limits `tag:<tag>` of the run's tags. */
  tagLimits: LimitFacts[];
  /** First-generation limits of the run's tags. */
  legacyLimits: LegacyLimitFacts[];
  /** Leases on the tag limits that this run holds. */
  heldLeaseIds: string[];
  /** The newest unexpired state cached under the proposed cache key. */
  cachedState: StateCreate | null;
}

/** What must happen in the database together with the change of state. */
export type Effect =
  | { type: 'emit'; event: ServerEvent }
  | { type: 'take_slots'; limitIds: string[]; lease: NewLease }
  | { type: 'renew_lease'; leaseId: string; seconds: number }
  | { type: 'release_lease'; leaseId: string; limitId: string | null }
  | { type: 'release_unleased_slot'; limitId: string }
  | { type: 'release_held_leases'; leaseIds: string[] }
  | { type: 'forget_lease'; leaseId: string }
  | { type: 'take_legacy_slots'; limitIds: string[] }
  | { type: 'release_legacy_slots'; limitIds: string[] }
  | { type: 'delete_inputs'; keys: string[] }
  | { type: 'retry_failed_task_runs'; scheduledTime: Timestamp }
  | { type: 'copy_to_parent_task'; taskRunId: string; state: StateCreate }
  | { type: 'cache_state'; key: string; expiration: Timestamp | null }
  | { type: 'enqueue'; isRetry: boolean }
  | { type: 'enqueue_cleanup'; message: NewCleanupMessage };

/** What a decision depends on beside the database. */
export interface Surroundings {
  now: Timestamp;
  settings: OrchestrationSettings;
  apiVersion: string | null;
  clientVersion: string | null;
  newId: () => string;
  random: () => number;
}

export interface Transition<Run extends RunFields = RunFields, Facts = unknown> extends Readonly<Surroundings> {
  readonly facts: Facts;
  /** The current state, null for a run that has none yet. */
  readonly initial: State | null;
  /** The state as it was proposed. */
  readonly intended: State;
  /** The state that will be stored; null once a rule has decided that none will be. */
  proposed: State | null;
  /** The run as it was read. */
  readonly stored: Readonly<Run>;
  /** The run as it will be written. */
  readonly run: Run;
  status: SetStateStatus;
  details: OrchestrationDetails;
  effects: Effect[];
}

export type FlowTransition = Transition<FlowRunFields, FlowFacts>;
export type TaskTransition = Transition<TaskRunFields, TaskFacts>;

/** Gives a proposal its identity: a new id, and the moment of the decision. */
export function stamp({ newId, now }: Pick<Surroundings, 'newId' | 'now'>, { type, name, message, data, state_details }: StateCreate): State {
  return { id: newId(), type, name, timestamp: now, message, data, state_details: { ...state_details } };
}

/** A state as a new proposal, for a copy under another id. */
export function copyState(state: State, changes: Partial<StateCreate> = {}): StateCreate {
  const { type, name, message, data, state_details } = state;
  return { ...proposeState(type, { message, data, details: state_details, ...(name !== null && { name }) }), ...changes };
}

export interface TransitionInput<Run extends RunFields, Facts> extends Surroundings {
  run: Run;
  initial: State | null;
  proposal: StateCreate;
  facts: Facts;
}

/** Begins a transition in which nothing has been decided: unless a rule objects, the proposal is accepted. */
export function beginTransition<Run extends RunFields, Facts>({ run, proposal, ...input }: TransitionInput<Run, Facts>): Transition<Run, Facts> {
  const intended = stamp(input, proposal);
  return {
    ...input,
    intended,
    proposed: { ...intended, state_details: { ...intended.state_details } },
    stored: run,
    run: { ...run },
    status: 'ACCEPT',
    details: { type: 'accept_details' },
    effects: [],
  };
}
