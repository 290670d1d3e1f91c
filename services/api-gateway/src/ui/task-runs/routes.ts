import { z } from 'zod';
import { NotFoundError, UnprocessableError } from '@praetor/schema/errors';
import { type TaskRunFilter, taskRunFilter } from '@praetor/schema/filters/task-run';
import { workPoolFilter, workQueueFilter } from '@praetor/schema/filters/work-pool';
import { uuid } from '@praetor/schema/primitives';
import { nowMicroseconds, toMicroseconds } from '@praetor/schema/timestamps';
import { countByState, taskRunCount, uiTaskRun } from '@praetor/schema/ui';
import { bodyParameters } from '../../http/body.ts';
import { type Resource, route } from '../../http/route.ts';
import { runFilters } from '../../runs/filters.ts';
import { countOutcomes, countTaskRunsByState, findTaskRunWithFlowRunName } from './queries.ts';

const tags = ['Task Runs', 'UI'];
const { task_runs: _, ...filters } = runFilters;
const BUCKETS = 20;
const MINUTE = 60_000_000;

/** The span that the dashboard asks for, in whole minutes, in microseconds since 1970. Throws UnprocessableError where it has no beginning. */
function spanOf({ start_time }: TaskRunFilter): { start: number; end: number } {
  if (!start_time?.after_) throw new UnprocessableError('task_runs.start_time.after_ is required');
  const before = start_time.before_ ? toMicroseconds(start_time.before_) : nowMicroseconds();
  return { start: Math.floor(toMicroseconds(start_time.after_) / MINUTE) * MINUTE, end: (Math.floor(before / MINUTE) + 1) * MINUTE - 1 };
}

/** What the web UIs show of task runs beside the runs themselves. */
export const uiTaskRuns: Resource = {
  prefix: '/ui/task_runs',
  tag: 'Task Runs',
  routes: [
    route({
      method: 'post',
      path: '/dashboard/counts',
      name: 'read_dashboard_task_run_counts',
      tags,
      // Here alone the filter on queues is called `work_queues`.
      body: bodyParameters({ task_runs: taskRunFilter, ...filters, work_pools: workPoolFilter.nullish(), work_queues: workQueueFilter.nullish() }),
      response: z.array(taskRunCount),
      status: 200,
      handler: ({ body: { work_queues, task_runs, ...others } }, { database }) => {
        const { start, end } = spanOf(task_runs);
        // Which states are counted is not for the filter to say.
        return countOutcomes(database.kysely, { ...others, work_pool_queues: work_queues, task_runs: { ...task_runs, state: undefined } }, start, end, BUCKETS);
      },
    }),
    route({
      method: 'post',
      path: '/count',
      name: 'read_task_run_counts_by_state',
      tags,
      body: bodyParameters(runFilters),
      response: countByState,
      status: 200,
      handler: ({ body }, { database }) => countTaskRunsByState(database.kysely, body),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_task_run_with_flow_run_name',
      tags,
      params: { id: uuid() },
      response: uiTaskRun,
      status: 200,
      handler: async ({ params }, { database }) => {
        const run = await findTaskRunWithFlowRunName(database.kysely, params.id);
        if (run === undefined) throw new NotFoundError('Task not found');
        return run;
      },
    }),
  ],
};
