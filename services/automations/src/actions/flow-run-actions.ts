import { publishEvents } from '@praetor/orchestration/changes';
import { deleteFlowRuns } from '@praetor/orchestration/delete-runs';
import { resumeFlowRun } from '@praetor/orchestration/resume-flow-run';
import { type StateChange, setFlowRunState } from '@praetor/orchestration/set-state';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import type { ServiceContext } from '@praetor/runtime/service';
import { type StateCreate, proposeState } from '@praetor/schema/state';
import { addSeconds, now } from '@praetor/schema/timestamps';
import type { TriggeredAction } from '../triggered-action.ts';
import { ActionFailedError, type Outcome } from './outcome.ts';
import { refusing } from './refusals.ts';
import { findFlowRun, targetResource } from './targets.ts';
import type { Attempt } from './worker.ts';

/* Actions on the flow run that an event is about. */

type Context = Pick<ServiceContext, 'database' | 'broker' | 'logger' | 'settings'>;

/** A suspended run that nobody resumes fails after this time, as with Prefect. */
const SUSPENSION_SECONDS = 3600;

/** The state that an action proposes, marked by its invocation, so that a repeated attempt knows it again. */
function stateFor({ id, automation, action }: TriggeredAction): { state: StateCreate; force: boolean } | undefined {
  const details = { transition_id: id };
  switch (action.type) {
    case 'cancel-flow-run':
      return { state: proposeState('CANCELLING', { message: `Cancelled by automation ${automation.id}`, details }), force: false };
    case 'suspend-flow-run': {
      const pause = { pause_timeout: addSeconds(now(), SUSPENSION_SECONDS), pause_reschedule: true };
      return { state: proposeState('PAUSED', { name: 'Suspended', message: `Suspended by automation ${automation.id}`, details: { ...details, ...pause } }), force: false };
    }
    case 'change-flow-run-state': {
      const { name, state, message, force } = action;
      return { state: proposeState(state, { ...(name !== null && { name }), message: message || `State changed by automation ${automation.id}`, details }), force };
    }
    default:
      return undefined;
  }
}

/** Gives what to tell of a change that was accepted. Throws ActionFailedError for any other. */
function judge({ result, isNew }: StateChange, invocation: string, outcome: Outcome): Outcome {
  const isDone = result.status === 'ACCEPT' || (!isNew && result.state?.state_details.transition_id === invocation);
  const reason = 'reason' in result.details ? result.details.reason : null;
  if (!isDone) throw new ActionFailedError(`The state could not be set: ${reason ?? result.status}`, outcome);
  return outcome;
}

/** Proposes the state that an action asks for. */
export async function changeState(context: Context, triggered: TriggeredAction): Promise<Outcome> {
  const proposal = stateFor(triggered);
  if (proposal === undefined) throw new Error(`${triggered.action.type} sets no state`);
  const flowRunId = findFlowRun(triggered);
  const related = [targetResource('flow-run', flowRunId)];
  const { state, force } = proposal;
  const change = await refusing(related, () =>
    setFlowRunState(context.database, { flowRunId, state, policy: force ? 'minimal' : 'core' }, orchestrationSettings(context.settings)),
  );
  publishEvents(context, change.events);
  return judge(change, triggered.id, { related, details: { status_code: change.isNew ? 201 : 200 } });
}

/** Resumes a paused or suspended run that waits for no input. */
export async function resume(context: Context, triggered: TriggeredAction, { isRepeated }: Attempt): Promise<Outcome> {
  const flowRunId = findFlowRun(triggered);
  const related = [targetResource('flow-run', flowRunId)];
  const change = await refusing(related, () => resumeFlowRun(context.database, { flowRunId }, orchestrationSettings(context.settings)));
  publishEvents(context, change.events);
  // An attempt before this one may have resumed it.
  if (isRepeated && change.result.state?.type !== 'PAUSED') return { related };
  return judge(change, triggered.id, { related });
}

/** Deletes a run with all that belongs to it. */
export async function remove({ database, settings }: Context, triggered: TriggeredAction, { isRepeated }: Attempt): Promise<Outcome> {
  const flowRunId = findFlowRun(triggered);
  const related = [targetResource('flow-run', flowRunId)];
  const deleted = await deleteFlowRuns(database, [flowRunId], orchestrationSettings(settings));
  // An attempt before this one may have deleted it.
  if (deleted.length === 0 && !isRepeated) throw new ActionFailedError('Flow run not found', { related, details: { status_code: 404 } });
  return { related, details: { status_code: 204 } };
}
