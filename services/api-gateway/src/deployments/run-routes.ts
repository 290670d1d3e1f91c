import { sql } from 'kysely';
import { z } from 'zod';
import type { Condition } from '@praetor/database/filter';
import { change } from '@praetor/orchestration/changes';
import { findRunPattern } from '@praetor/orchestration/deployment-runs';
import { markDeploymentsPolled } from '@praetor/orchestration/readiness';
import { deploymentFlowRunCreate, flowRunBulkCreateResponse } from '@praetor/schema/deployment';
import { BadRequestError, NotFoundError } from '@praetor/schema/errors';
import { flowRun } from '@praetor/schema/flow-run';
import { timestamp, uuid } from '@praetor/schema/primitives';
import { plainWorkQueue } from '@praetor/schema/work-queue';
import { findFlowRun, selectFlowRuns } from '../flow-runs/queries.ts';
import { bodyParameters } from '../http/body.ts';
import { automationHeaders, causingAutomation } from '../http/client.ts';
import { page, readPage } from '../http/pagination.ts';
import { Reply, type Route, route } from '../http/route.ts';
import { listFilteringQueues } from '../work-queues/queries.ts';
import { createRunOf, tryCreateRunOf } from './flow-runs.ts';

const byId = { id: uuid() };

/** Runs that one request may create (facts/rules.md §4). */
const BULK_CREATE_LIMIT = 100;

/* Creating runs of a deployment, and handing them to a process that serves it. */
export const runRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/get_scheduled_flow_runs',
    name: 'get_scheduled_flow_runs_for_deployments',
    body: bodyParameters({ limit: page.limit, deployment_ids: z.array(uuid()), scheduled_before: timestamp().optional() }),
    response: z.array(flowRun),
    status: 200,
    handler: async ({ body: { deployment_ids, scheduled_before, limit } }, context) => {
      const { kysely } = context.database;
      const due: Condition = scheduled_before ? sql`flow_run.next_scheduled_start_time <= ${scheduled_before}` : sql`true`;
      const condition: Condition = sql`flow_run.deployment_id = any(${deployment_ids}) and flow_run.state_type = 'SCHEDULED' and ${due}`;
      const runs = await selectFlowRuns(kysely, condition, 'NEXT_SCHEDULED_START_TIME_ASC', readPage({ limit, offset: 0 }, context));
      await change(context, async (db, emit) => {
        for (const event of await markDeploymentsPolled(db, { deploymentIds: deployment_ids })) emit(event);
      });
      return runs;
    },
  }),
  route({
    method: 'post',
    path: '/{id}/create_flow_run',
    name: 'create_flow_run_from_deployment',
    params: byId,
    headerParameters: automationHeaders,
    body: deploymentFlowRunCreate,
    response: flowRun,
    status: 200,
    otherStatuses: [201],
    handler: async ({ params, body, headers }, context) => {
      const { kysely } = context.database;
      const { id, created } = await createRunOf(context, await findRunPattern(kysely, params.id), body, causingAutomation(headers));
      const run = await findFlowRun(kysely, id);
      if (run === undefined) throw new NotFoundError('Flow run not found');
      return new Reply(created ? 201 : 200, run);
    },
  }),
  route({
    method: 'post',
    path: '/{id}/create_flow_run/bulk',
    name: 'bulk_create_flow_runs_from_deployment',
    params: byId,
    headerParameters: automationHeaders,
    body: z.array(deploymentFlowRunCreate),
    response: flowRunBulkCreateResponse,
    status: 200,
    handler: async ({ params, body, headers }, context) => {
      if (body.length > BULK_CREATE_LIMIT) throw new BadRequestError(`Cannot create more than ${BULK_CREATE_LIMIT} flow runs at once.`);
      const pattern = await findRunPattern(context.database.kysely, params.id);
      const createdBy = causingAutomation(headers);
      return { results: await Promise.all(body.map((run) => tryCreateRunOf(context, pattern, run, createdBy))) };
    },
  }),
  route({
    method: 'get',
    path: '/{id}/work_queue_check',
    name: 'work_queue_check_for_deployment',
    deprecated: true,
    params: byId,
    response: z.array(plainWorkQueue),
    status: 200,
    handler: async ({ params }, { database: { kysely } }) => {
      await findRunPattern(kysely, params.id);
      return listFilteringQueues(kysely, params.id);
    },
  }),
];
