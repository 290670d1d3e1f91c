import assert from 'node:assert/strict';
import { deployment } from '@praetor/schema/deployment';
import { deploymentSchedule } from '@praetor/schema/schedule';
import { test } from '@praetor/test/support/postgres-test';
import { type TestGateway, startGateway } from './support.ts';

interface Event {
  event: string;
  related: Record<string, string>[];
  payload: { updated_fields?: string[] };
}

/** The events about deployments that were published since the last call. */
function takeEvents({ published }: TestGateway): Event[] {
  return (published.events.splice(0) as Event[]).filter(({ event }) => event.startsWith('prefect.deployment.'));
}

const UNKNOWN = '11111111-1111-1111-1111-111111111111';
const SCHEMA = { type: 'object', properties: { n: { type: 'integer', default: 1 }, s: { type: 'string' } }, required: ['s'] };
const TEMPLATE = {
  job_configuration: { command: '{{ command }}' },
  variables: { type: 'object', properties: { command: { type: 'string', default: 'run' }, image: { type: 'string' }, count: { type: 'integer' } }, required: ['image'] },
};
const hourly = { schedule: { interval: 3600, anchor_date: '2026-01-01T00:00:00Z' } };

async function createFlow({ api }: TestGateway, labels = {}): Promise<string> {
  return (await api.expect([200, 201], 'POST', '/flows/', { name: 'etl', labels })).id;
}

/** Inserts runs as the scheduler does. */
async function insertScheduledRuns({ database }: TestGateway, deploymentId: string): Promise<void> {
  await database.sql`
    insert into flow_run (name, flow_id, deployment_id, state_type, state_name, auto_scheduled, next_scheduled_start_time)
    select kind.name, deployment.flow_id, deployment.id, 'SCHEDULED', kind.state, kind.auto, now() + kind.delay::interval
    from deployment cross join (values ('future', 'Scheduled', true, '1 hour'), ('past', 'Late', true, '-1 hour'), ('manual', 'Scheduled', false, '1 hour'), ('waiting', 'AwaitingConcurrencySlot', true, '1 hour'))
      as kind (name, state, auto, delay) where deployment.id = ${deploymentId}`;
}

async function remainingRuns({ database }: TestGateway): Promise<string[]> {
  const rows = await database.sql<{ name: string }[]>`delete from flow_run returning name`;
  return rows.map(({ name }) => name).toSorted();
}

test('deployments', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const flow_id = await createFlow(gateway, { team: 'a' });
  await api.expect(201, 'POST', '/work_pools/', { name: 'p', type: 'process', base_job_template: TEMPLATE });
  takeEvents(gateway);

  await t.test('are created with defaults, and told', async () => {
    const created = await api.expect(201, 'POST', '/deployments/', { name: 'd', flow_id });
    assert.deepEqual(Object.keys(created), deployment.keyof().options);
    assert.partialDeepStrictEqual(created, {
      status: 'NOT_READY',
      paused: false,
      enforce_parameter_schema: true,
      parameter_openapi_schema: {},
      pull_steps: [],
      job_variables: {},
      concurrency_limit: null,
      global_concurrency_limit: null,
      labels: { team: 'a', 'prefect.flow.id': flow_id },
      work_queue_id: null,
    });
    assert.deepEqual(await api.expect(200, 'GET', `/deployments/${created.id}`), created);
    assert.deepEqual(await api.expect(200, 'GET', '/deployments/name/etl/d'), created);
    const [event] = takeEvents(gateway);
    assert.equal(event?.event, 'prefect.deployment.created');
    assert.deepEqual(event?.related.map((resource) => resource['prefect.resource.role']), ['flow']);
  });

  await t.test('are laid over by the next POST: only schedules, parameters and labels start anew', async () => {
    const given = {
      name: 'd',
      flow_id,
      description: 'x',
      tags: ['b', 'a'],
      version: '1',
      parameters: { s: 'x' },
      parameter_openapi_schema: SCHEMA,
      labels: { k: 1 },
      work_pool_name: 'p',
      job_variables: { image: 'y', free: 1 },
      paused: true,
      concurrency_limit: 3,
      concurrency_options: { collision_strategy: 'CANCEL_NEW' },
      pull_steps: [{ clone: { repository: 'r' } }],
      schedules: [{ ...hourly, slug: 'a', max_scheduled_runs: 4, parameters: { n: 2 } }, { schedule: { cron: '0 0 * * *' }, active: false }],
    };
    const full = await api.expect(200, 'POST', '/deployments/', given);
    const { schedules: _schedules, labels, concurrency_limit: _limit, work_pool_name, ...same } = given;
    assert.partialDeepStrictEqual(full, { ...same, concurrency_options: { collision_strategy: 'CANCEL_NEW', grace_period_seconds: null }, labels: { team: 'a', ...labels, 'prefect.flow.id': flow_id }, work_pool_name, work_queue_name: 'default' });
    assert.partialDeepStrictEqual(full.global_concurrency_limit, { name: `deployment:${full.id}`, limit: 3, active: true, active_slots: 0 });
    assert.deepEqual(full.schedules.map(({ slug, active, max_scheduled_runs, parameters }: Record<string, unknown>) => [slug, active, max_scheduled_runs, parameters]), [[null, false, null, {}], ['a', true, null, { n: 2 }]]);
    const [event] = takeEvents(gateway);
    assert.equal(event?.event, 'prefect.deployment.updated');
    assert.deepEqual(event?.related.map((resource) => resource['prefect.resource.role']), ['flow', 'work-queue', 'work-pool', 'concurrency-limit']);

    const bare = await api.expect(200, 'POST', '/deployments/', { name: 'd', flow_id });
    assert.partialDeepStrictEqual(bare, { ...same, concurrency_options: full.concurrency_options, parameters: {}, work_pool_name });
    assert.deepEqual(bare.schedules, []);
    assert.deepEqual(bare.labels, { team: 'a', 'prefect.flow.id': flow_id });
    assert.deepEqual(takeEvents(gateway).map(({ payload }) => payload.updated_fields), [['parameters', 'labels']]);
    await api.expect(200, 'POST', '/deployments/', { name: 'd', flow_id });
    assert.deepEqual(takeEvents(gateway), []);
    assert.equal((await api.expect(200, 'POST', '/deployments/', { name: 'd', flow_id, concurrency_limit: null })).global_concurrency_limit, null);
  });

  await t.test('bring the queue they name', async () => {
    const placed = await api.expect(201, 'POST', '/deployments/', { name: 'queued', flow_id, work_pool_name: 'p', work_queue_name: 'new' });
    assert.equal((await api.expect(200, 'GET', '/work_pools/p/queues/new')).id, placed.work_queue_id);
    const legacy = await api.expect(201, 'POST', '/deployments/', { name: 'legacy', flow_id, work_queue_name: 'old' });
    assert.equal(legacy.work_pool_name, 'default-agent-pool');
  });

  const refused: [name: string, status: number, body: object][] = [
    ['an unknown pool', 404, { work_pool_name: 'nope' }],
    ['an unknown flow', 409, { flow_id: UNKNOWN }],
    ['an unknown storage block', 409, { storage_document_id: UNKNOWN }],
    ['an unknown global limit', 404, { global_concurrency_limit_id: UNKNOWN }],
    ['a limit of 0', 422, { concurrency_limit: 0 }],
    ['an unknown field', 422, { nope: 1 }],
    ['job variables that do not fit', 422, { work_pool_name: 'p', job_variables: { count: 'x' } }],
    ['parameters that do not fit', 422, { enforce_parameter_schema: true, parameter_openapi_schema: SCHEMA, parameters: { n: 'x' } }],
    ['a faulty schema', 422, { enforce_parameter_schema: true, parameter_openapi_schema: { type: 'strung' } }],
    ['two schedules of one slug', 409, { schedules: [{ ...hourly, slug: 'a' }, { ...hourly, slug: 'a' }] }],
    ['too many scheduled runs', 422, { schedules: [{ ...hourly, max_scheduled_runs: 51 }] }],
  ];
  for (const [name, status, body] of refused)
    await t.test(`are not created with ${name}`, async () => {
      await api.expect(status, 'POST', '/deployments/', { name: 'refused', flow_id, ...body });
      await api.expect(404, 'GET', '/deployments/name/etl/refused');
    });

  await t.test('of one name created at once are one, with the schedules of one body', async () => {
    const body = { name: 'raced', flow_id, work_pool_name: 'p', work_queue_name: 'raced', concurrency_limit: 2, schedules: [{ ...hourly, slug: 'a' }] };
    const answers = await Promise.all(Array.from({ length: 6 }, () => api.request('POST', '/deployments/', body)));
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 200, 200, 200, 200, 201]);
    const { id, schedules } = await api.expect(200, 'GET', '/deployments/name/etl/raced');
    assert.deepEqual(new Set(answers.map(({ body }) => body.id)), new Set([id]));
    assert.equal(schedules.length, 1);
    await api.expect(204, 'DELETE', `/deployments/${id}`);
  });

  await t.test('share a global limit without owning it', async () => {
    const { id: limit } = await gateway.database.kysely
      .insertInto('concurrency_limit_v2')
      .values({ name: 'shared', limit: 2, active: true, active_slots: 0, denied_slots: 0, slot_decay_per_second: 0, avg_slot_occupancy_seconds: 2 })
      .returning('id')
      .executeTakeFirstOrThrow();
    const shared = await api.expect(201, 'POST', '/deployments/', { name: 'shared', flow_id, global_concurrency_limit_id: limit });
    assert.partialDeepStrictEqual(shared.global_concurrency_limit, { id: limit, name: 'shared', limit: 2 });
    await api.expect(204, 'DELETE', `/deployments/${shared.id}`);
    assert.equal((await gateway.database.sql`select from concurrency_limit_v2 where id = ${limit}`).length, 1);
  });

  await t.test('are listed, counted and paged', async () => {
    const filters = { flows: { id: { any_: [flow_id] } } };
    const list = async (body: object) => (await api.expect(200, 'POST', '/deployments/filter', { ...filters, ...body })).map(({ name }: { name: string }) => name);
    assert.deepEqual(await list({ sort: null }), ['d', 'legacy', 'queued']);
    assert.deepEqual(await list({ sort: 'NAME_DESC', limit: 1, offset: 1 }), ['legacy']);
    assert.deepEqual(await list({ work_pools: { name: { any_: ['p'] } } }), ['d', 'queued']);
    assert.deepEqual(await list({ deployments: { paused: { eq_: true } } }), ['d']);
    assert.equal(await api.expect(200, 'POST', '/deployments/count', filters), 3);
    assert.partialDeepStrictEqual(await api.expect(200, 'POST', '/deployments/paginate', { ...filters, limit: 2, page: 2 }), { results: [{ name: 'queued' }], count: 3, limit: 2, pages: 2, page: 2 });
  });
});

test('a deployment changes', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const flow_id = await createFlow(gateway);
  await api.expect(201, 'POST', '/work_pools/', { name: 'p', type: 'process', base_job_template: TEMPLATE });
  const { id } = await api.expect(201, 'POST', '/deployments/', { name: 'd', flow_id, parameter_openapi_schema: SCHEMA, parameters: { n: 3 }, description: 'd' });
  const patch = (status: number, body: object) => api.expect(status, 'PATCH', `/deployments/${id}`, body);
  const read = () => api.expect(200, 'GET', `/deployments/${id}`);
  takeEvents(gateway);

  await t.test('where the body mentions it', async () => {
    await patch(204, { version: 'v', tags: ['t'], description: null });
    assert.partialDeepStrictEqual(await read(), { version: 'v', tags: ['t'], description: null, parameters: { n: 3 } });
    assert.deepEqual(takeEvents(gateway).map(({ payload }) => payload.updated_fields), [['description', 'tags', 'version']]);
    await patch(204, {});
    assert.deepEqual(takeEvents(gateway), []);
  });

  await t.test('to parameters that fit, with placeholders filled in', async () => {
    await patch(409, { parameters: { n: 'x' } });
    await patch(204, { parameters: { n: { __prefect_kind: 'json', value: '5' }, s: { __prefect_kind: 'jinja', template: 'a{{ 1 + 1 }}' } } });
    assert.deepEqual((await read()).parameters, { n: 5, s: 'a2' });
    await patch(400, { parameters: { n: { __prefect_kind: 'workspace_variable', variable_name: 'nope' } } });
    await api.expect(201, 'POST', '/variables/', { name: 'seven', value: 7 });
    await patch(204, { parameters: { n: { __prefect_kind: 'workspace_variable', variable_name: 'seven' } } });
    assert.deepEqual((await read()).parameters, { n: 7 });
    await patch(409, { parameter_openapi_schema: { type: 'object', properties: { n: { type: 'string' } } } });
    await patch(204, { enforce_parameter_schema: false, parameters: { n: 'x' } });
  });

  await t.test('into a pool and out of it', async () => {
    await patch(404, { work_pool_name: 'nope' });
    await patch(409, { work_pool_name: 'p', job_variables: { count: 'x' } });
    await patch(204, { work_pool_name: 'p', work_queue_name: 'q', job_variables: { count: 1 } });
    assert.partialDeepStrictEqual(await read(), { work_pool_name: 'p', work_queue_name: 'q', job_variables: { count: 1 } });
    await patch(204, { work_pool_name: null });
    assert.partialDeepStrictEqual(await read(), { work_pool_name: null, work_queue_id: null });
  });

  await t.test('its limit', async () => {
    await patch(204, { concurrency_limit: 3 });
    const { global_concurrency_limit: limit } = await read();
    await patch(204, { concurrency_limit: 5 });
    assert.partialDeepStrictEqual((await read()).global_concurrency_limit, { id: limit.id, limit: 5, name: `deployment:${id}` });
    await patch(422, { concurrency_limit: 5, global_concurrency_limit_id: limit.id });
    await patch(404, { global_concurrency_limit_id: UNKNOWN });
    await patch(204, { concurrency_limit: null });
    assert.equal((await read()).global_concurrency_limit, null);
  });

  await t.test('and refuses what does not belong there', async () => {
    await patch(422, { name: 'x' });
    await patch(422, { paused: null });
    await api.expect(404, 'PATCH', `/deployments/${UNKNOWN}`, {});
    await api.expect(404, 'PATCH', '/deployments/x', {});
  });
});

test('schedules of a deployment', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const { id } = await api.expect(201, 'POST', '/deployments/', { name: 'd', flow_id: await createFlow(gateway) });
  const path = `/deployments/${id}/schedules`;

  await t.test('are added as a list or one by one', async () => {
    const [schedule] = await api.expect(201, 'POST', path, [{ ...hourly, slug: 'x', max_scheduled_runs: 5, parameters: { a: 1 } }]);
    assert.deepEqual(Object.keys(schedule), deploymentSchedule.keyof().options);
    assert.partialDeepStrictEqual(schedule, { deployment_id: id, active: true, max_scheduled_runs: 5, parameters: { a: 1 }, slug: 'x' });
    const single = await api.expect(201, 'POST', path, { schedule: { cron: '0 0 * * *' }, active: false });
    assert.equal(single.length, 1);
    assert.deepEqual(await api.expect(200, 'GET', path), [...single, schedule]);
    await api.expect(409, 'POST', path, [{ ...hourly, slug: 'x' }]);
    await api.expect(422, 'POST', path, [{ schedule: { cron: 'x' } }]);
    await api.expect(404, 'POST', `/deployments/${UNKNOWN}/schedules`, []);
    await api.expect(404, 'GET', `/deployments/${UNKNOWN}/schedules`);
  });

  await t.test('change where the body mentions it', async () => {
    const find = async () => (await api.expect(200, 'GET', path)).find(({ slug }: { slug: string }) => slug === 'x');
    const { id: scheduleId } = await find();
    await api.expect(204, 'PATCH', `${path}/${scheduleId}`, { active: false, max_scheduled_runs: null });
    assert.partialDeepStrictEqual(await find(), { id: scheduleId, active: false, max_scheduled_runs: 5, parameters: { a: 1 } });
    await api.expect(404, 'PATCH', `${path}/${UNKNOWN}`, { active: false });
    await api.expect(404, 'PATCH', `/deployments/${UNKNOWN}/schedules/${scheduleId}`, { active: false });
    await api.expect(204, 'DELETE', `${path}/${scheduleId}`);
    await api.expect(404, 'DELETE', `${path}/${scheduleId}`);
  });

  await t.test('are matched by slug when the deployment is patched', async () => {
    const patch = (status: number, schedules: object[]) => api.expect(status, 'PATCH', `/deployments/${id}`, { schedules });
    const list = async () => (await api.expect(200, 'GET', path)).map((schedule: { slug: string; active: boolean }) => `${schedule.slug} ${schedule.active}`).toSorted();
    await patch(204, [{ ...hourly, slug: 'a' }, { ...hourly, slug: 'b' }]);
    assert.deepEqual(await list(), ['a true', 'b true']);
    await patch(204, [{ slug: 'b', active: false }]);
    assert.deepEqual(await list(), ['a true', 'b false']);
    await patch(204, [{ slug: 'a', replaces: 'b' }, { slug: 'b', replaces: 'a' }]);
    assert.deepEqual(await list(), ['a false', 'b true']);
    await patch(422, [{ ...hourly }]);
    assert.deepEqual(await list(), ['a false', 'b true']);
    await patch(204, []);
    assert.equal((await list()).length, 2);
  });

  await t.test('make runs when asked', async () => {
    await api.expect(204, 'PATCH', `/deployments/${id}`, { schedules: [{ slug: 'a', active: false }, { slug: 'b', active: true }] });
    assert.equal(await api.expect(200, 'POST', `/deployments/${id}/schedule`, { min_runs: 4, min_time: 60 }), null);
    const runs = await api.expect(200, 'POST', '/deployments/get_scheduled_flow_runs', { deployment_ids: [id] });
    assert.equal(runs.length, 4);
    assert.ok(runs.every((run: { auto_scheduled: boolean }) => run.auto_scheduled));
    assert.equal(await api.expect(200, 'POST', `/deployments/${UNKNOWN}/schedule`), null);
    await gateway.database.sql`delete from flow_run`;
  });

  const changes: [name: string, change: () => Promise<unknown>, remaining: string[]][] = [
    ['a PATCH', () => api.expect(204, 'PATCH', `/deployments/${id}`, { description: 'x' }), ['manual', 'past', 'waiting']],
    ['a change of a schedule', async () => api.expect(204, 'PATCH', `${path}/${(await api.expect(200, 'GET', path))[0].id}`, { active: true }), ['manual', 'past', 'waiting']],
    ['the end of a schedule', async () => api.expect(204, 'DELETE', `${path}/${(await api.expect(200, 'GET', path))[0].id}`), ['manual', 'waiting']],
    ['a pause', () => api.expect(204, 'POST', `/deployments/${id}/pause_deployment`, {}), ['manual', 'waiting']],
    ['a resume', () => api.expect(204, 'POST', `/deployments/${id}/resume_deployment`, {}), ['future', 'manual', 'past', 'waiting']],
    ['deletion of the deployment', () => api.expect(204, 'DELETE', `/deployments/${id}`), ['waiting']],
  ];
  for (const [name, change, remaining] of changes)
    await t.test(`leave the right runs after ${name}`, async () => {
      await insertScheduledRuns(gateway, id);
      await change();
      assert.deepEqual(await remainingRuns(gateway), remaining);
    });

  await t.test('end with their deployment', async () => {
    await api.expect(404, 'DELETE', `/deployments/${id}`);
    for (const happening of ['pause_deployment', 'resume_deployment']) await api.expect(404, 'POST', `/deployments/${id}/${happening}`);
    assert.equal((await gateway.database.sql`select from deployment_schedule`).length, 0);
  });
});

test('deployments are deleted in bulk', async () => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const flow_id = await createFlow(gateway);
  const ids = await Promise.all(['a', 'b', 'c'].map(async (name) => (await api.expect(201, 'POST', '/deployments/', { name, flow_id, concurrency_limit: 1 })).id));
  takeEvents(gateway);
  const { deleted } = await api.expect(200, 'POST', '/deployments/bulk_delete', { deployments: { id: { any_: [ids[0], ids[1], UNKNOWN] } } });
  assert.deepEqual(deleted.toSorted(), ids.slice(0, 2).toSorted());
  assert.deepEqual(takeEvents(gateway).map(({ event }) => event), ['prefect.deployment.deleted', 'prefect.deployment.deleted']);
  assert.deepEqual(await api.expect(200, 'POST', '/deployments/bulk_delete', { deployments: { id: { any_: [UNKNOWN] } } }), { deleted: [] });
  await api.expect(422, 'POST', '/deployments/bulk_delete', { limit: 51 });
  assert.equal((await gateway.database.sql`select from concurrency_limit_v2`).length, 1);
});
