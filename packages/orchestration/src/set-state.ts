import type { Database, Sql } from '@praetor/database/connect';
import { classifyDatabaseError, violatedConstraint } from '@praetor/database/errors';
import { NotFoundError } from '@praetor/schema/errors';
import type { OrchestrationResult, StateCreate } from '@praetor/schema/state';
import { v7 as uuidv7 } from 'uuid';
import { StaleError, applyEffect, touchesRuns } from './effects.ts';
import { ANY, type Rule, type Step, abort, orchestrate } from './engine.ts';
import { type OutboxEvent, toOutboxEvent } from './lifecycle-events.ts';
import { FLOW_POLICIES, type FlowPolicyName, TASK_POLICIES, type TaskPolicyName } from './policies.ts';
import { readFlowRun } from './read-flow-run.ts';
import { cacheKeyOf, readTaskRun } from './read-task-run.ts';
import type { OrchestrationSettings } from './settings.ts';
import { type AnyTransition, type RunKind, answeredState, storeTransition } from './store.ts';
import { type FlowTransition, type TaskTransition, type Transition, beginTransition } from './transition.ts';

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
  /** Only while this is still the run's current state; otherwise the answer is ABORT. */
  onlyFromStateId?: string;
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

/** Reads a run and decides what becomes of a proposal, without writing anything. */
type Decide = (sql: Sql) => Promise<AnyTransition>;

const onlyFrom = (stateId: string): Rule<Transition> => ({
  name: 'OnlyFromState',
  from: ANY,
  to: ANY,
  before: ({ initial }) => (initial?.id === stateId ? undefined : abort('The run is no longer in the state that this was proposed for.')),
});

function decideFlowRun(proposal: FlowRunProposal, settings: OrchestrationSettings): Decide {
  const { flowRunId, state, policy = 'core', apiVersion = null, clientVersion = null, onlyFromStateId } = proposal;
  const steps: Step<FlowTransition>[] = onlyFromStateId === undefined ? FLOW_POLICIES[policy] : [onlyFrom(onlyFromStateId), ...FLOW_POLICIES[policy]];
  return async (sql) => {
    const snapshot = await readFlowRun(sql, flowRunId);
    if (!snapshot) throw new NotFoundError(`Flow run with id ${flowRunId} not found`, 'exception_message');
    return orchestrate(steps, beginTransition({ ...snapshot, proposal: state, settings, apiVersion, clientVersion, newId: uuidv7, random: Math.random }));
  };
}

function decideTaskRun({ taskRunId, state, policy = 'core', onlyFromStateId }: TaskRunProposal, settings: OrchestrationSettings): Decide {
  const rules = TASK_POLICIES[state.state_details.deferred ? 'background' : policy];
  const steps: Step<TaskTransition>[] = onlyFromStateId === undefined ? rules : [onlyFrom(onlyFromStateId), ...rules];
  const cacheKey = cacheKeyOf(state);
  return async (sql) => {
    const snapshot = await readTaskRun(sql, { id: taskRunId, cache_key: cacheKey });
    if (!snapshot) throw new NotFoundError(`Task run with id ${taskRunId} not found`, 'exception_message');
    const surroundings = { settings, apiVersion: null, clientVersion: null, newId: uuidv7, random: Math.random };
    return orchestrate(steps, beginTransition({ ...snapshot, ...surroundings, proposal: state }));
  };
}

/** Writes the outcome of a transition with its side effects; StaleError where the run has changed since it was read. */
async function store(sql: Sql, transition: AnyTransition): Promise<StateChange> {
  const events = transition.effects.flatMap((effect) => (effect.type === 'emit' ? [toOutboxEvent(effect.event)] : []));
  if (!(await storeTransition(sql, transition, events[0]))) throw new StaleError('the run has changed meanwhile');
  await applyEffects(sql, transition);
  const { proposed, initial, status, details } = transition;
  return { result: { state: proposed ? answeredState(proposed) : initial, status, details }, isNew: proposed !== null, events };
}

/** Carries out the side effects of a transition that is being stored in the same transaction. */
export async function applyEffects(sql: Sql, transition: AnyTransition): Promise<void> {
  const forceState = (taskRunId: string, state: StateCreate) =>
    changeLocked(sql, 'task_run', taskRunId, decideTaskRun({ taskRunId, state, policy: 'minimal' }, transition.settings));
  // Runs before slots, or two transactions could wait for each other's rows.
  const effects = transition.effects.toSorted((one, other) => Number(touchesRuns(other)) - Number(touchesRuns(one)));
  for (const effect of effects) await applyEffect(sql, effect, transition, forceState);
}

/** Decides and writes while holding the run's row, within a transaction. */
async function changeLocked(sql: Sql, kind: RunKind, runId: string, decide: Decide): Promise<StateChange> {
  await sql`select from ${sql.unsafe(kind)} where id = ${runId}::uuid for no key update`;
  return await store(sql, await decide(sql));
}

/** An event goes with the state in one statement; everything else needs a transaction. */
export const needsTransaction = ({ effects }: AnyTransition): boolean => effects.some((effect) => effect.type !== 'emit');

/** Attempts that trust what they read. Later ones take the run's row first, so that no proposal starves in a crowd. */
const OPTIMISTIC_ATTEMPTS = 3;
const MAXIMUM_ATTEMPTS = 20;

/** Somebody else was faster, or two states of the run would share a microsecond: read again and decide again. */
function isWorthAnotherTry(error: unknown): boolean {
  if (error instanceof StaleError || classifyDatabaseError(error) === 'retryable') return true;
  return violatedConstraint(error)?.endsWith('_run_id_timestamp_desc') ?? false;
}

async function settle(sql: Sql, kind: RunKind, runId: string, decide: Decide): Promise<StateChange> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (attempt > OPTIMISTIC_ATTEMPTS) return await sql.begin((transaction) => changeLocked(transaction, kind, runId, decide));
      const transition = await decide(sql);
      return needsTransaction(transition) ? await sql.begin((transaction) => store(transaction, transition)) : await store(sql, transition);
    } catch (error) {
      if (attempt === MAXIMUM_ATTEMPTS || !isWorthAnotherTry(error)) throw error;
    }
  }
}

/**
 * Proposes a state for a flow run and stores what the rules make of it, in one atomic step that is safe under concurrent
 * proposals from any number of processes. Throws NotFoundError where there is no such run, and database errors.
 */
export function setFlowRunState(database: Database, proposal: FlowRunProposal, settings: OrchestrationSettings): Promise<StateChange> {
  return settle(database.sql, 'flow_run', proposal.flowRunId, decideFlowRun(proposal, settings));
}

/** The same for a task run. */
export function setTaskRunState(database: Database, proposal: TaskRunProposal, settings: OrchestrationSettings): Promise<StateChange> {
  return settle(database.sql, 'task_run', proposal.taskRunId, decideTaskRun(proposal, settings));
}
