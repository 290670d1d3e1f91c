import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Tables } from '@praetor/database/tables';
import { change } from '@praetor/orchestration/changes';
import { deleteScheduledRuns } from '@praetor/orchestration/delete-runs';
import { setDeploymentPaused } from '@praetor/orchestration/pauses';
import { scheduleRuns } from '@praetor/orchestration/scheduled-runs';
import { NotFoundError } from '@praetor/schema/errors';
import { isJsonObject } from '@praetor/schema/json';
import { duration, integer, timestamp, uuid } from '@praetor/schema/primitives';
import { deploymentSchedule, deploymentScheduleCreate, deploymentScheduleUpdate } from '@praetor/schema/schedule';
import type { GatewayContext } from '../context.ts';
import { bodyParameters } from '../http/body.ts';
import { type Route, route } from '../http/route.ts';
import { updateDeployment } from './queries.ts';
import { checkMaximumRuns, deleteSchedule, insertSchedules, listSchedules, updateSchedule } from './schedules.ts';

const byId = { id: uuid() };
const bySchedule = { ...byId, schedule_id: uuid() };

/** Locks the deployment, so that no scheduler makes runs of schedules about to change, and notes the change, so that it looks at them soon. */
async function touchDeployment(db: Kysely<Tables>, id: string): Promise<void> {
  if ((await updateDeployment(db, id, {})) === undefined) throw new NotFoundError('Deployment not found.');
}

function requireSchedule(exists: boolean): void {
  if (!exists) throw new NotFoundError('Schedule not found.');
}

async function setPaused(context: GatewayContext, id: string, isPaused: boolean): Promise<void> {
  if ((await change(context, (db) => setDeploymentPaused(db, id, isPaused))) === undefined) throw new NotFoundError('Deployment not found');
}

/** Prefect takes a list; one schedule by itself is welcome too (README, deliberate differences). */
const oneOrMore = z.preprocess((body) => (isJsonObject(body) ? [body] : body), z.array(deploymentScheduleCreate));

/* The schedules of a deployment, and its pause. */
export const scheduleRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/{id}/schedules',
    name: 'read_deployment_schedules',
    params: byId,
    response: z.array(deploymentSchedule),
    status: 200,
    handler: async ({ params }, { database: { kysely } }) => {
      const deployment = await kysely.selectFrom('deployment').select('id').where('id', '=', params.id).executeTakeFirst();
      if (deployment === undefined) throw new NotFoundError('Deployment not found.');
      return listSchedules(kysely, [params.id]);
    },
  }),
  route({
    method: 'post',
    path: '/{id}/schedules',
    name: 'create_deployment_schedules',
    params: byId,
    body: oneOrMore,
    response: z.array(deploymentSchedule),
    status: 201,
    handler: ({ params, body, sent }, context) => {
      for (const [index, schedule] of body.entries()) checkMaximumRuns(schedule, [index], sent, context);
      return change(context, async (db) => {
        await touchDeployment(db, params.id);
        return insertSchedules(db, params.id, body);
      });
    },
  }),
  route({
    method: 'patch',
    path: '/{id}/schedules/{schedule_id}',
    name: 'update_deployment_schedule',
    params: bySchedule,
    body: deploymentScheduleUpdate,
    status: 204,
    handler: ({ params, body, sent }, context) => {
      checkMaximumRuns(body, [], sent, context);
      return change(context, async (db) => {
        await touchDeployment(db, params.id);
        requireSchedule(await updateSchedule(db, params.id, params.schedule_id, body));
        await deleteScheduledRuns(db, [params.id], { autoScheduledOnly: true, futureOnly: true });
      });
    },
  }),
  route({
    method: 'delete',
    path: '/{id}/schedules/{schedule_id}',
    name: 'delete_deployment_schedule',
    params: bySchedule,
    status: 204,
    handler: ({ params }, context) =>
      change(context, async (db) => {
        await touchDeployment(db, params.id);
        requireSchedule(await deleteSchedule(db, params.id, params.schedule_id));
        await deleteScheduledRuns(db, [params.id], { autoScheduledOnly: true, futureOnly: false });
      }),
  }),
  route({
    method: 'post',
    path: '/{id}/schedule',
    name: 'schedule_deployment',
    params: byId,
    body: bodyParameters({
      start_time: timestamp().optional(),
      end_time: timestamp().optional(),
      /** Seconds. */
      min_time: duration().meta({ format: 'time-delta' }).optional(),
      min_runs: integer().optional(),
      max_runs: integer().optional(),
    }),
    status: 200,
    handler: async ({ params, body }, { database, settings }) => {
      const { minRuns, maxRuns, minScheduledTimeSeconds, maxScheduledTimeSeconds } = settings.services.scheduler;
      const horizon = {
        minimumRuns: body.min_runs ?? minRuns,
        maximumRuns: body.max_runs ?? maxRuns,
        minimumSeconds: body.min_time ?? minScheduledTimeSeconds,
        maximumSeconds: maxScheduledTimeSeconds,
      };
      await scheduleRuns(database, params.id, { horizon, evenPaused: true, ...(body.start_time && { start: body.start_time }), ...(body.end_time && { end: body.end_time }) });
    },
  }),
  route({
    method: 'post',
    path: '/{id}/pause_deployment',
    name: 'pause_deployment',
    params: byId,
    status: 204,
    handler: ({ params }, context) => setPaused(context, params.id, true),
  }),
  route({
    method: 'post',
    path: '/{id}/resume_deployment',
    name: 'resume_deployment',
    params: byId,
    status: 204,
    handler: ({ params }, context) => setPaused(context, params.id, false),
  }),
];
