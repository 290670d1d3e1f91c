import { z } from 'zod';
import { taskRunConditions } from '@praetor/database/filter/related';
import { sqlOf } from '@praetor/database/sql';
import { change, publishEvents } from '@praetor/orchestration/changes';
import { createTaskRun } from '@praetor/orchestration/create-task-run';
import { releaseLeases } from '@praetor/orchestration/leases';
import { randomRunName } from '@praetor/orchestration/names';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import { setTaskRunState } from '@praetor/orchestration/set-state';
import { NotFoundError, ValidationError } from '@praetor/schema/errors';
import { taskRunSort } from '@praetor/schema/filters/task-run';
import { uuid } from '@praetor/schema/primitives';
import { historyInterval, historyRange } from '@praetor/schema/run-history';
import { orchestrationResult, proposeState, stateProposal } from '@praetor/schema/state';
import { type TaskRun, type TaskRunCreate, taskRun, taskRunCreate, taskRunSummary, taskRunUpdate } from '@praetor/schema/task-run';
import type { GatewayContext } from '../context.ts';
import { bodyParameters } from '../http/body.ts';
import { numberedPage, page, pageOf, paginate, readPage } from '../http/pagination.ts';
import { Reply, type Resource, route } from '../http/route.ts';
import { optionalRunFilters, runFilters } from '../runs/filters.ts';
import { readHistory } from '../runs/history.ts';
import { countTaskRuns, deleteTaskRun, findTaskRun, listHeldLeases, listTaskRuns, toSummary, updateTaskRun } from './queries.ts';

const byId = { id: uuid() };
const sort = taskRunSort.default('ID_DESC');

function found(run: TaskRun | undefined): TaskRun {
  if (run === undefined) throw new NotFoundError('Task not found');
  return run;
}

/** Throws ValidationError (facts/rules.md §6). */
function checkCacheKey({ cache_key: key }: TaskRunCreate, sent: unknown, { settings }: GatewayContext): void {
  const maximum = settings.tasks.maxCacheKeyLength;
  if (!key || key.length <= maximum) return;
  const msg = `Value error, a cache key has at most ${maximum} characters.`;
  throw new ValidationError([{ type: 'value_error', loc: ['body', 'cache_key'], msg, input: key, ctx: { error: {} } }], sent);
}

async function create(body: TaskRunCreate, sent: unknown, context: GatewayContext): Promise<Reply> {
  checkCacheKey(body, sent, context);
  const run = { ...body, state: body.state ?? proposeState('PENDING') };
  const { id, created, events } = await createTaskRun(context.database, run, orchestrationSettings(context.settings));
  publishEvents(context, events);
  return new Reply(created ? 201 : 200, found(await findTaskRun(context.database.kysely, id)));
}

const remove = (id: string, context: GatewayContext) =>
  change(context, async (db) => {
    await releaseLeases(sqlOf(db), await listHeldLeases(db, id), orchestrationSettings(context.settings));
    if (!(await deleteTaskRun(db, id))) throw new NotFoundError('Task not found');
  });

export const taskRuns: Resource = {
  prefix: '/task_runs',
  tag: 'Task Runs',
  routes: [
    route({ method: 'post', path: '/', name: 'create_task_run', body: taskRunCreate, response: taskRun, status: 200, otherStatuses: [201], handler: ({ body, sent }, context) => create(body, sent, context) }),
    route({
      method: 'patch',
      path: '/{id}',
      name: 'update_task_run',
      params: byId,
      body: taskRunUpdate,
      status: 204,
      handler: async ({ params, body: { name } }, { database }) => {
        const isUpdated = await updateTaskRun(database.kysely, params.id, name === undefined ? undefined : name || randomRunName());
        if (!isUpdated) throw new NotFoundError('Task run not found');
      },
    }),
    route({
      method: 'post',
      path: '/count',
      name: 'count_task_runs',
      body: bodyParameters(optionalRunFilters),
      response: z.int(),
      status: 200,
      handler: ({ body }, { database }) => countTaskRuns(database.kysely, body),
    }),
    route({
      method: 'post',
      path: '/history',
      name: 'task_run_history',
      body: bodyParameters({ ...historyRange, ...optionalRunFilters }),
      response: z.array(historyInterval),
      status: 200,
      handler: ({ body }, { database }) => readHistory(database.kysely, 'task_run', taskRunConditions(body), body),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_task_run',
      params: byId,
      response: taskRun,
      status: 200,
      handler: async ({ params }, { database }) => found(await findTaskRun(database.kysely, params.id)),
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_task_runs',
      body: bodyParameters({ limit: page.limit, sort, offset: page.offset, ...runFilters }),
      response: z.array(taskRun),
      status: 200,
      handler: ({ body }, context) => listTaskRuns(context.database.kysely, body, body.sort, readPage(body, context)),
    }),
    route({
      method: 'post',
      path: '/paginate',
      name: 'paginate_task_runs',
      body: bodyParameters({ limit: numberedPage.limit, sort, page: numberedPage.page, ...runFilters }),
      response: pageOf('TaskRunPaginationResponse', taskRunSummary),
      status: 200,
      handler: ({ body }, context) => {
        const { kysely } = context.database;
        const list = async (page: Parameters<typeof listTaskRuns>[3]) => (await listTaskRuns(kysely, body, body.sort, page)).map(toSummary);
        return paginate(body, context, list, () => countTaskRuns(kysely, body));
      },
    }),
    route({ method: 'delete', path: '/{id}', name: 'delete_task_run', params: byId, status: 204, handler: ({ params }, context) => remove(params.id, context) }),
    route({
      method: 'post',
      path: '/{id}/set_state',
      name: 'set_task_run_state',
      params: byId,
      body: bodyParameters(stateProposal),
      response: orchestrationResult,
      status: 200,
      otherStatuses: [201],
      handler: async ({ params, body: { state, force } }, context) => {
        const proposal = { taskRunId: params.id, state, policy: force ? 'minimal' : 'core' } as const;
        const { result, isNew, events } = await setTaskRunState(context.database, proposal, orchestrationSettings(context.settings));
        publishEvents(context, events);
        return new Reply(isNew ? 201 : 200, result);
      },
    }),
  ],
};
