import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { sqlOf } from '@praetor/database/sql';
import { change } from '@praetor/orchestration/changes';
import { releaseLeases } from '@praetor/orchestration/leases';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import { takeSlots } from '@praetor/orchestration/slots';
import { type TagLimit, type TagLimitCreate, minimalConcurrencyLimit, tagLimit, tagLimitCreate } from '@praetor/schema/concurrency-limit';
import { LockedError, NotFoundError } from '@praetor/schema/errors';
import { uuid } from '@praetor/schema/primitives';
import { type LimitKey, deleteLimit, insertLimit, updateLimit } from '../concurrency-limits-v2/queries.ts';
import { toLimitEvent } from '../concurrency-limits-v2/routes.ts';
import type { GatewayContext } from '../context.ts';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { Reply, type Resource, route } from '../http/route.ts';
import { LEASE_SECONDS, findLeases, findLimitsOfTags, findTagLimit, holdSlots, listTagLimits, toLimitName } from './queries.ts';

/* Limits on task runs by tag: an older view of the global limits `tag:{tag}`, in terms of tags and task runs. */

function found(limit: TagLimit | undefined): TagLimit {
  if (limit === undefined) throw new NotFoundError('Concurrency limit not found');
  return limit;
}

const upsert = ({ tag, concurrency_limit: limit }: TagLimitCreate, context: GatewayContext): Promise<Reply> =>
  change(context, async (db, emit) => {
    const updated = await updateLimit(db, { name: toLimitName(tag) }, { limit });
    const stored = updated ?? (await insertLimit(db, { name: toLimitName(tag), limit, active: true, active_slots: 0, denied_slots: 0, slot_decay_per_second: 0 }));
    emit(toLimitEvent(updated ? 'updated' : 'created', stored));
    return new Reply(updated ? 200 : 201, found(await findTagLimit(db, { tag })));
  });

/** By its id even a limit goes that is none on a tag, as with Prefect. */
const remove = (key: LimitKey, context: GatewayContext): Promise<null> =>
  change(context, async (db, emit) => {
    const deleted = await deleteLimit(db, key);
    if (deleted === undefined) throw new NotFoundError('Concurrency limit not found');
    const sql = sqlOf(db);
    await releaseLeases(sql, await findLeases(sql, [deleted.id]), orchestrationSettings(context.settings));
    emit(toLimitEvent('deleted', deleted));
    return null;
  });

/** Takes a slot of each tag's limit for a task run, or of none. Throws LockedError. */
async function increment(tags: string[], taskRunId: string, { database, settings }: GatewayContext) {
  const limits = await findLimitsOfTags(database.kysely, tags);
  const waitSeconds = settings.tasks.tagConcurrencySlotWaitSeconds;
  const tagOf = (name: string) => name.slice(toLimitName('').length);
  const closed = limits.find(({ limit }) => limit === 0);
  if (closed) throw new LockedError(null, `The limit of the tag "${tagOf(closed.name)}" is 0: no task run with it can start.`);
  const active = limits.filter((limit) => limit.active);
  const lease = { id: uuidv7(), seconds: LEASE_SECONDS, holder: { type: 'task_run' as const, id: taskRunId } };
  const ids = active.map(({ id }) => id);
  if (active.length > 0 && !(await takeSlots(database.sql, ids, 1, lease, orchestrationSettings(settings))))
    throw new LockedError(waitSeconds, `No slot is free for the tags ${active.map(({ name }) => tagOf(name)).join(', ')}.`);
  return active.map(({ id, name, limit }) => ({ id, name: tagOf(name), limit }));
}

async function decrement(tags: string[], taskRunId: string, { database, settings }: GatewayContext) {
  const limits = await findLimitsOfTags(database.kysely, tags);
  const ids = limits.map(({ id }) => id);
  await releaseLeases(database.sql, await findLeases(database.sql, ids, taskRunId), orchestrationSettings(settings));
  return limits.map(({ id, name, limit }) => ({ id, name, limit }));
}

const byId = { id: uuid() };
const byTag = { tag: z.string() };
const slots = bodyParameters({ names: z.array(z.string()), task_run_id: uuid() });

export const concurrencyLimits: Resource = {
  prefix: '/concurrency_limits',
  tag: 'Concurrency Limits',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_concurrency_limit',
      body: tagLimitCreate,
      response: tagLimit,
      status: 200,
      otherStatuses: [201],
      handler: ({ body }, context) => upsert(body, context),
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_concurrency_limits',
      body: bodyParameters(page),
      response: z.array(tagLimit),
      status: 200,
      handler: ({ body }, context) => listTagLimits(context.database.kysely, readPage(body, context)),
    }),
    route({
      method: 'post',
      path: '/increment',
      name: 'increment_concurrency_limits_v1',
      body: slots,
      response: z.array(minimalConcurrencyLimit),
      status: 200,
      otherStatuses: [423],
      handler: ({ body }, context) => increment(body.names, body.task_run_id, context),
    }),
    route({
      method: 'post',
      path: '/decrement',
      name: 'decrement_concurrency_limits_v1',
      body: slots,
      response: z.array(minimalConcurrencyLimit),
      status: 200,
      handler: ({ body }, context) => decrement(body.names, body.task_run_id, context),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_concurrency_limit',
      params: byId,
      response: tagLimit,
      status: 200,
      handler: async ({ params }, { database }) => found(await findTagLimit(database.kysely, params)),
    }),
    route({
      method: 'get',
      path: '/tag/{tag}',
      name: 'read_concurrency_limit_by_tag',
      params: byTag,
      response: tagLimit,
      status: 200,
      handler: async ({ params }, { database }) => found(await findTagLimit(database.kysely, params)),
    }),
    route({
      method: 'post',
      path: '/tag/{tag}/reset',
      name: 'reset_concurrency_limit_by_tag',
      params: byTag,
      body: bodyParameters({ slot_override: z.array(uuid()).nullish() }),
      status: 200,
      handler: ({ params, body }, context) =>
        change(context, async (db) => {
          const { id } = found(await findTagLimit(db, params));
          const sql = sqlOf(db);
          await releaseLeases(sql, await findLeases(sql, [id]), orchestrationSettings(context.settings));
          await holdSlots(sql, id, (body.slot_override ?? []).map((taskRunId) => ({ id: uuidv7(), taskRunId })));
        }),
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_concurrency_limit',
      params: byId,
      status: 200,
      handler: ({ params }, context) => remove(params, context),
    }),
    route({
      method: 'delete',
      path: '/tag/{tag}',
      name: 'delete_concurrency_limit_by_tag',
      params: byTag,
      status: 200,
      handler: ({ params }, context) => remove({ name: toLimitName(params.tag) }, context),
    }),
  ],
};
