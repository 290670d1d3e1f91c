import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { change } from '@praetor/orchestration/changes';
import type { ServerEvent } from '@praetor/orchestration/lifecycle-events';
import { setAutomationEnabled, setDeploymentPaused, setWorkPoolPaused, setWorkQueuePaused } from '@praetor/orchestration/pauses';
import type { ServiceContext } from '@praetor/runtime/service';
import type { Action } from '@praetor/schema/automation/action';
import type { TriggeredAction } from '../triggered-action.ts';
import { ActionFailedError, type Outcome } from './outcome.ts';
import { findTarget, targetResource } from './targets.ts';

/* Actions that pause and resume what takes or gives work. To repeat one changes nothing. */

interface Pause {
  /** Kind of the target, as in the ids of resources. */
  kind: string;
  selected: string | null;
  /** What the API answers. */
  status: number;
  apply: (db: Kysely<Tables>, id: string) => Promise<ServerEvent[] | undefined>;
}

export type PauseAction = Extract<Action, { type: `${'pause' | 'resume'}-${'deployment' | 'work-pool' | 'work-queue' | 'automation'}` }>;

function toPause(action: PauseAction): Pause {
  const isPaused = action.type.startsWith('pause-');
  switch (action.type) {
    case 'pause-deployment':
    case 'resume-deployment':
      return { kind: 'deployment', selected: action.deployment_id, status: 200, apply: (db, id) => setDeploymentPaused(db, id, isPaused) };
    case 'pause-work-pool':
    case 'resume-work-pool':
      return { kind: 'work-pool', selected: action.work_pool_id, status: 204, apply: (db, id) => setWorkPoolPaused(db, id, isPaused) };
    case 'pause-work-queue':
    case 'resume-work-queue':
      return { kind: 'work-queue', selected: action.work_queue_id, status: 204, apply: (db, id) => setWorkQueuePaused(db, id, isPaused) };
    default:
      return { kind: 'automation', selected: action.automation_id, status: 204, apply: (db, id) => setAutomationEnabled(db, id, !isPaused) };
  }
}

async function findPoolName(db: Kysely<Tables>, id: string): Promise<string | undefined> {
  return (await db.selectFrom('work_pool').select('name').where('id', '=', id).executeTakeFirst())?.name;
}

/** Pauses or resumes the target of an action. */
export async function pauseTarget(context: Pick<ServiceContext, 'database' | 'broker' | 'logger'>, action: PauseAction, triggered: TriggeredAction): Promise<Outcome> {
  const { kind, selected, status, apply } = toPause(action);
  const id = findTarget(triggered, kind, selected);
  const name = kind === 'work-pool' ? await findPoolName(context.database.kysely, id) : undefined;
  const related = [targetResource(kind, id, name)];
  const isFound = await change(context, async (db, emit) => {
    const events = await apply(db, id);
    for (const event of events ?? []) emit(event);
    return events !== undefined;
  });
  if (!isFound) throw new ActionFailedError(`The ${kind} ${id} was not found.`, kind === 'work-pool' ? {} : { related, details: { status_code: 404 } });
  return { related, details: { status_code: status } };
}
