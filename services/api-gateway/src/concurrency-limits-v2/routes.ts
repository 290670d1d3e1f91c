import { z } from 'zod';
import { change } from '@praetor/orchestration/changes';
import { releaseLeases, renewLease } from '@praetor/orchestration/leases';
import { eventResource, type ServerEvent } from '@praetor/orchestration/lifecycle-events';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import { acquireSlots, releaseSlots } from '@praetor/orchestration/slots';
import {
  type ConcurrencyLimitV2,
  concurrencyLeaseHolder,
  concurrencyLimitV2,
  concurrencyLimitV2Create,
  concurrencyLimitV2Update,
  concurrencyLimitWithLease,
  globalConcurrencyLimit,
  leaseDuration,
  minimalConcurrencyLimit,
} from '@praetor/schema/concurrency-limit';
import { GoneError, NotFoundError } from '@praetor/schema/errors';
import { boolean, float, integer, uuid } from '@praetor/schema/primitives';
import { refuseNulls } from '../errors.ts';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { type Resource, route } from '../http/route.ts';
import { deleteLimit, findLimit, insertLimit, listLimits, toLimitKey, updateLimit } from './queries.ts';

export function toLimitEvent(action: 'created' | 'updated' | 'deleted', limit: ConcurrencyLimitV2): ServerEvent {
  const { id, name, limit: slots, active, slot_decay_per_second } = limit;
  return {
    event: `prefect.concurrency-limit.${action}`,
    resource: eventResource('concurrency-limit', id, name),
    payload: { name, limit: slots, active, slot_decay_per_second },
  };
}

function found<T>(limit: T | undefined): T {
  if (limit === undefined) throw new NotFoundError('Concurrency Limit not found');
  return limit;
}

const byIdOrName = { id_or_name: z.string().meta({ describedAs: z.union([uuid(), z.string()]) }) };
const request = { slots: integer((slots) => slots.positive()), names: z.array(z.string()).min(1) };
/** Of older clients. */
const ignored = () => boolean().optional().meta({ deprecated: true });
const mode = z.literal(['concurrency', 'rate_limit']).default('concurrency');

export const concurrencyLimitsV2: Resource = {
  prefix: '/v2/concurrency_limits',
  tag: 'Concurrency Limits V2',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_concurrency_limit_v2',
      body: concurrencyLimitV2Create,
      response: concurrencyLimitV2,
      status: 201,
      handler: ({ body }, context) =>
        change(context, async (db, emit) => {
          const created = await insertLimit(db, body);
          emit(toLimitEvent('created', created));
          return created;
        }),
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_all_concurrency_limits_v2',
      body: bodyParameters(page),
      response: z.array(globalConcurrencyLimit),
      status: 200,
      handler: ({ body }, context) => listLimits(context.database.kysely, readPage(body, context)),
    }),
    route({
      method: 'post',
      path: '/increment',
      name: 'bulk_increment_active_slots',
      body: bodyParameters({ ...request, mode, create_if_missing: boolean().nullish().meta({ deprecated: true }) }),
      response: z.array(minimalConcurrencyLimit),
      status: 200,
      otherStatuses: [423],
      handler: async ({ body }, { database, settings }) => (await acquireSlots(database, body, orchestrationSettings(settings))).limits,
    }),
    route({
      method: 'post',
      path: '/increment-with-lease',
      name: 'bulk_increment_active_slots_with_lease',
      body: bodyParameters({ ...request, mode, lease_duration: leaseDuration(), holder: concurrencyLeaseHolder.nullish() }),
      response: concurrencyLimitWithLease,
      status: 200,
      otherStatuses: [423],
      handler: async ({ body: { lease_duration, holder = null, ...wanted } }, { database, settings }) => {
        const lease = { seconds: lease_duration, holder };
        const { leaseId, limits } = await acquireSlots(database, { ...wanted, lease }, orchestrationSettings(settings));
        return { lease_id: leaseId, limits };
      },
    }),
    route({
      method: 'post',
      path: '/decrement',
      name: 'bulk_decrement_active_slots',
      body: bodyParameters({ ...request, occupancy_seconds: float((seconds) => seconds.positive()).nullish(), create_if_missing: ignored() }),
      response: z.array(minimalConcurrencyLimit),
      status: 200,
      handler: ({ body: { names, slots, occupancy_seconds = null } }, { database, settings }) =>
        releaseSlots(database, { names, slots, occupancySeconds: occupancy_seconds }, orchestrationSettings(settings)),
    }),
    route({
      method: 'post',
      path: '/decrement-with-lease',
      name: 'bulk_decrement_active_slots_with_lease',
      body: bodyParameters({ lease_id: uuid() }),
      status: 204,
      handler: async ({ body }, { database, settings }) => {
        // A lease that is gone has given its slots back already.
        await releaseLeases(database.sql, [body.lease_id], orchestrationSettings(settings));
      },
    }),
    route({
      method: 'post',
      path: '/leases/{lease_id}/renew',
      name: 'renew_concurrency_lease',
      params: { lease_id: uuid().meta({ converted: false }) },
      body: bodyParameters({ lease_duration: leaseDuration() }),
      status: 204,
      otherStatuses: [410],
      handler: async ({ params, body }, { database }) => {
        if (!(await renewLease(database.sql, params.lease_id, body.lease_duration))) throw new GoneError('The lease has expired or was given back.');
      },
    }),
    route({
      method: 'get',
      path: '/{id_or_name}',
      name: 'read_concurrency_limit_v2',
      params: byIdOrName,
      response: globalConcurrencyLimit,
      status: 200,
      handler: async ({ params }, { database }) => found(await findLimit(database.kysely, toLimitKey(params.id_or_name))),
    }),
    route({
      method: 'patch',
      path: '/{id_or_name}',
      name: 'update_concurrency_limit_v2',
      params: byIdOrName,
      body: concurrencyLimitV2Update,
      status: 204,
      handler: ({ params, body }, context) =>
        change(context, async (db, emit) => emit(toLimitEvent('updated', found(await updateLimit(db, toLimitKey(params.id_or_name), refuseNulls(body)))))),
    }),
    route({
      method: 'delete',
      path: '/{id_or_name}',
      name: 'delete_concurrency_limit_v2',
      params: byIdOrName,
      status: 204,
      handler: ({ params }, context) =>
        change(context, async (db, emit) => emit(toLimitEvent('deleted', found(await deleteLimit(db, toLimitKey(params.id_or_name)))))),
    }),
  ],
};
