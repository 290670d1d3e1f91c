import type { Sql } from '@praetor/database/connect';
import { type StateCreate, proposeState } from '@praetor/schema/state';
import { enqueueTaskRun } from './background-tasks.ts';
import { enqueueCleanup } from './cleanup-messages.ts';
import { forgetLease, releaseLeases, releaseUnleasedSlot, renewLease } from './leases.ts';
import { takeSlots } from './slots.ts';
import type { AnyTransition } from './store.ts';
import type { Effect } from './transition.ts';

/** What a decision was based on is no longer so: read again, decide again. */
export class StaleError extends Error {
  override readonly name = 'StaleError';
}

function stillHolds(holds: boolean): void {
  if (!holds) throw new StaleError('the run, a slot or a lease has changed meanwhile');
}

/** Forces a state upon another run within the same transaction. */
type ForceTaskRunState = (taskRunId: string, state: StateCreate) => Promise<unknown>;

async function takeLegacySlots(sql: Sql, limitIds: string[], runId: string): Promise<boolean> {
  const taken = await sql`
    update concurrency_limit set active_slots = active_slots || to_jsonb(${runId}::text), updated = now()
    where id = any(${limitIds}::uuid[]) and jsonb_array_length(active_slots) < concurrency_limit returning id`;
  return taken.length === limitIds.length;
}

async function retryFailedTaskRuns(sql: Sql, flowRunId: string, scheduledTime: string, forceState: ForceTaskRunState): Promise<void> {
  const failed = await sql<{ id: string }[]>`select id from task_run where flow_run_id = ${flowRunId}::uuid and state_type = 'FAILED' order by id`;
  const state = proposeState('SCHEDULED', { name: 'AwaitingRetry', details: { scheduled_time: scheduledTime } });
  for (const { id } of failed) await forceState(id, state);
  await sql`update task_run set run_count = 0, updated = now() where id = any(${failed.map(({ id }) => id)}::uuid[])`;
}

/** The effect changes other runs. */
export const touchesRuns = ({ type }: Effect): boolean => type === 'copy_to_parent_task' || type === 'retry_failed_task_runs';

/**
 * Carries out one side effect of a transition, within its transaction. Rows are always locked in the same order: runs,
 * leases, limits. Throws StaleError where something that was free or alive when it was read is so no more.
 */
export async function applyEffect(sql: Sql, effect: Effect, { run, proposed, settings }: AnyTransition, forceState: ForceTaskRunState): Promise<void> {
  switch (effect.type) {
    case 'emit':
      return; // stored with the state
    case 'take_slots':
      return stillHolds(await takeSlots(sql, effect.limitIds, 1, effect.lease, settings));
    case 'renew_lease':
      return stillHolds(await renewLease(sql, effect.leaseId, effect.seconds));
    case 'release_lease':
      if ((await releaseLeases(sql, [effect.leaseId], settings)) === 0 && effect.limitId !== null) await releaseUnleasedSlot(sql, effect.limitId);
      return;
    case 'release_unleased_slot':
      return await releaseUnleasedSlot(sql, effect.limitId);
    case 'release_held_leases':
      await releaseLeases(sql, effect.leaseIds, settings);
      return;
    case 'forget_lease':
      return await forgetLease(sql, effect.leaseId);
    case 'take_legacy_slots':
      return stillHolds(await takeLegacySlots(sql, effect.limitIds, run.id));
    case 'release_legacy_slots':
      await sql`update concurrency_limit set active_slots = active_slots - ${run.id}, updated = now() where id = any(${effect.limitIds}::uuid[])`;
      return;
    case 'delete_inputs':
      await sql`delete from flow_run_input where flow_run_id = ${run.id}::uuid and key = any(${effect.keys}::text[])`;
      return;
    case 'retry_failed_task_runs':
      return await retryFailedTaskRuns(sql, run.id, effect.scheduledTime, forceState);
    case 'copy_to_parent_task':
      await forceState(effect.taskRunId, effect.state);
      return;
    case 'cache_state':
      await sql`
        insert into task_run_state_cache (cache_key, cache_expiration, task_run_state_id)
        values (${effect.key}, ${effect.expiration}::timestamptz, ${proposed?.id ?? null}::uuid)`;
      return;
    case 'enqueue':
      if ('task_key' in run) await enqueueTaskRun(sql, run.id, run.task_key, effect.isRetry);
      return;
    case 'enqueue_cleanup':
      return await enqueueCleanup(sql, effect.message);
  }
}
