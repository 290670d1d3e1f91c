import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { NotFoundError } from '@praetor/schema/errors';
import { taskRunFilter } from '@praetor/schema/filters/task-run';
import type { DependencyResult } from '@praetor/schema/flow-run-graph';
import type { TaskRun } from '@praetor/schema/task-run';
import { listTaskRuns } from '../task-runs/queries.ts';

/** The task runs whose results a task run took, each once. */
function upstreamOf({ task_inputs }: TaskRun): DependencyResult['upstream_dependencies'] {
  const ids = Object.values(task_inputs).flatMap((inputs) => inputs.flatMap((input) => ('id' in input && input.input_type === 'task_run' ? input.id : [])));
  return [...new Set(ids)].map((id) => ({ input_type: 'task_run', id }));
}

/** The task runs of a flow run, the one with the greatest id first, with what they depend on. Throws NotFoundError. */
export async function listDependencies(db: Kysely<Tables>, flowRunId: string): Promise<DependencyResult[]> {
  const run = await db.selectFrom('flow_run').select('id').where('id', '=', flowRunId).executeTakeFirst();
  if (run === undefined) throw new NotFoundError(`Flow run with id ${flowRunId} not found`, 'exception_message');
  const task_runs = taskRunFilter.parse({ flow_run_id: { any_: [flowRunId] } });
  const taskRuns = await listTaskRuns(db, { task_runs }, 'ID_DESC', { limit: Number.MAX_SAFE_INTEGER, offset: 0 });
  return taskRuns.map((taskRun) => ({
    id: taskRun.id,
    name: taskRun.name,
    upstream_dependencies: upstreamOf(taskRun),
    state: taskRun.state,
    expected_start_time: taskRun.expected_start_time,
    start_time: taskRun.start_time,
    end_time: taskRun.end_time,
    total_run_time: taskRun.total_run_time,
    estimated_run_time: taskRun.estimated_run_time,
    untrackable_result: taskRun.state?.state_details.untrackable_result ?? false,
  }));
}
