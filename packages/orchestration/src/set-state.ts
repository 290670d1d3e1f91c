import type { Database } from '@praetor/database/connect';
import type { OrchestrationResult, StateCreate } from '@praetor/schema/state';
import type { OutboxEvent } from './lifecycle-events.ts';
import type { FlowPolicyName, TaskPolicyName } from './policies.ts';
import type { OrchestrationSettings } from './settings.ts';

/** A state proposed for a flow run. */
export interface FlowRunProposal {
  flowRunId: string;
  state: StateCreate;
  /** Default `core`. The API's `force: true` is `minimal`. */
  policy?: FlowPolicyName;
  /** `X-PREFECT-API-VERSION` of the request, if any. */
  apiVersion?: string | null;
  /** Version of the Prefect client, read from its User-Agent (facts/orchestration.md §2), if any. */
  clientVersion?: string | null;
  /** Only while this is still the run's current state; otherwise the answer is ABORT. */
  onlyFromStateId?: string;
}

/** A state proposed for a task run. A `deferred` state always follows the policy of background tasks. */
export interface TaskRunProposal {
  taskRunId: string;
  state: StateCreate;
  /** Default `core`. The API's `force: true` is `minimal`. */
  policy?: TaskPolicyName;
}

/** What became of a proposal. */
export interface StateChange {
  /** The answer for the client. */
  result: OrchestrationResult;
  /** True where a new state was stored: HTTP 201 instead of 200. */
  isNew: boolean;
  /** Events written to the outbox with the change, to be published now that it is committed. */
  events: OutboxEvent[];
}

/**
 * Proposes a state for a flow run and stores what the rules make of it, in one atomic step that is safe under concurrent
 * proposals from any number of processes. Throws NotFoundError where there is no such run, and database errors.
 */
export declare function setFlowRunState(database: Database, proposal: FlowRunProposal, settings?: OrchestrationSettings): Promise<StateChange>;

/** The same for a task run. */
export declare function setTaskRunState(database: Database, proposal: TaskRunProposal, settings?: OrchestrationSettings): Promise<StateChange>;
