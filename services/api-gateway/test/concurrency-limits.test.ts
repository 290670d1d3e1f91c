import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

const LIMITS = '/v2/concurrency_limits';

test('global concurrency limits', async (t) => {
  await using gateway = await startGateway();
  const { api, published } = gateway;
  const create = (name: string, limit: number, more: object = {}) => api.expect(201, 'POST', `${LIMITS}/`, { name, limit, ...more });
  const activeSlots = async (name: string) => (await api.expect(200, 'GET', `${LIMITS}/${name}`)).active_slots;

  await t.test('are created, read by id or name, changed and deleted, each with its event', async () => {
    const created = await create('one', 2);
    assert.deepEqual(
      { ...created, id: '', created: '', updated: '' },
      { id: '', created: '', updated: '', active: true, name: 'one', limit: 2, active_slots: 0, denied_slots: 0, slot_decay_per_second: 0, avg_slot_occupancy_seconds: 2 },
    );
    const { denied_slots: _, avg_slot_occupancy_seconds: __, ...shown } = created;
    assert.deepEqual(await api.expect(200, 'GET', `${LIMITS}/one`), shown);
    assert.deepEqual(await api.expect(200, 'GET', `${LIMITS}/${created.id}`), shown);
    assert.deepEqual(await api.expect(200, 'POST', `${LIMITS}/filter`, {}), [shown]);
    await api.expect(409, 'POST', `${LIMITS}/`, { name: 'one', limit: 1 });
    await api.expect(204, 'PATCH', `${LIMITS}/one`, { name: 'renamed', active_slots: 1 });
    assert.equal(await activeSlots('renamed'), 1);
    await api.expect(204, 'DELETE', `${LIMITS}/${created.id}`);
    assert.deepEqual(await api.expect(404, 'GET', `${LIMITS}/renamed`), { detail: 'Concurrency Limit not found' });
    await api.expect(404, 'PATCH', `${LIMITS}/renamed`, { limit: 1 });
    await api.expect(404, 'DELETE', `${LIMITS}/renamed`);
    const event = (action: string, name: string) => ({
      event: `prefect.concurrency-limit.${action}`,
      resource: { 'prefect.resource.id': `prefect.concurrency-limit.${created.id}`, 'prefect.resource.name': name },
      payload: { name, limit: 2, active: true, slot_decay_per_second: 0 },
    });
    assert.partialDeepStrictEqual(published.events, [event('created', 'one'), event('updated', 'renamed'), event('deleted', 'renamed')]);
    for (const body of [{ name: 'a/b', limit: 1 }, { name: 'x', limit: -1 }, { name: 'x' }, { name: 'x', limit: 1, avg_slot_occupancy_seconds: 1 }])
      await api.expect(422, 'POST', `${LIMITS}/`, body);
  });

  await t.test('can all be read, however fast one of them forgets its slots', async () => {
    const { id } = await create('fast', 1, { slot_decay_per_second: 1e308, active_slots: 1 });
    assert.equal(await activeSlots('fast'), 0);
    await api.expect(200, 'POST', `${LIMITS}/filter`, {});
    await api.expect(200, 'POST', `${LIMITS}/increment`, { names: ['fast'], slots: 1, mode: 'rate_limit' });
    await api.expect(204, 'DELETE', `${LIMITS}/${id}`);
  });

  await t.test('give slots of all of them or of none', async () => {
    await create('two', 2);
    await create('single', 1);
    await create('off', 1, { active: false });
    const names = ['two', 'single', 'off', 'unknown'];
    const taken = await api.expect(200, 'POST', `${LIMITS}/increment`, { names, slots: 1 });
    assert.deepEqual(taken.map(({ name }: { name: string }) => name).sort(), ['off', 'single', 'two']);
    assert.deepEqual(Object.keys(taken[0]), ['id', 'name', 'limit']);
    assert.equal(await activeSlots('off'), 0);

    const refused = await api.post(`${LIMITS}/increment`, { names: ['two', 'single'], slots: 1 });
    assert.equal(refused.status, 423);
    assert.deepEqual(refused.body, { detail: 'Locked' });
    const wait = Number(refused.headers.get('retry-after'));
    assert.ok(wait > 0 && wait < 40 && !Number.isInteger(wait), `retry-after ${wait}`);
    assert.equal(await activeSlots('two'), 1);

    await api.expect(200, 'POST', `${LIMITS}/decrement`, { names, slots: 5, occupancy_seconds: 3.5 });
    assert.deepEqual([await activeSlots('two'), await activeSlots('single')], [0, 0]);
    assert.deepEqual(await api.expect(200, 'POST', `${LIMITS}/increment`, { names: ['unknown'], slots: 1 }), []);
  });

  await t.test('refuse what can never succeed', async () => {
    await create('closed', 0);
    for (const names of [['single'], ['closed']]) {
      const { detail } = await api.expect(422, 'POST', `${LIMITS}/increment`, { names, slots: names[0] === 'closed' ? 1 : 2 });
      assert.equal(typeof detail, 'string');
    }
    await api.expect(422, 'POST', `${LIMITS}/increment`, { names: ['two'], slots: 1, mode: 'rate_limit' });
    for (const body of [{ names: [], slots: 1 }, { names: ['two'], slots: 0 }, { names: ['two'] }, { slots: 1 }, { names: ['two'], slots: 1, mode: 'other' }])
      await api.expect(422, 'POST', `${LIMITS}/increment`, body);
    await api.expect(422, 'POST', `${LIMITS}/increment-with-lease`, { names: ['two'], slots: 1, lease_duration: 59 });
  });

  await t.test('give rate-limited slots back with time', async () => {
    await create('rate', 2, { slot_decay_per_second: 4 });
    await api.expect(200, 'POST', `${LIMITS}/increment`, { names: ['rate'], slots: 2, mode: 'rate_limit' });
    await api.expect(423, 'POST', `${LIMITS}/increment`, { names: ['rate'], slots: 1, mode: 'rate_limit' });
    await sleep(600);
    assert.equal(await activeSlots('rate'), 0);
    await api.expect(200, 'POST', `${LIMITS}/increment`, { names: ['rate'], slots: 1, mode: 'rate_limit' });
  });

  await t.test('lend slots by leases that are renewed and given back once', async () => {
    const holder = { type: 'flow_run', id: randomUUID() };
    const { lease_id, limits } = await api.expect(200, 'POST', `${LIMITS}/increment-with-lease`, { names: ['single', 'two'], slots: 1, holder });
    assert.equal(limits.length, 2);
    await api.expect(423, 'POST', `${LIMITS}/increment-with-lease`, { names: ['single'], slots: 1 });
    await api.expect(204, 'POST', `${LIMITS}/leases/${lease_id}/renew`, { lease_duration: 100 });
    await api.expect(204, 'POST', `${LIMITS}/leases/${lease_id}/renew`);
    await api.expect(204, 'POST', `${LIMITS}/decrement-with-lease`, { lease_id });
    assert.deepEqual([await activeSlots('single'), await activeSlots('two')], [0, 0]);

    await api.expect(200, 'POST', `${LIMITS}/increment`, { names: ['single'], slots: 1 });
    await api.expect(204, 'POST', `${LIMITS}/decrement-with-lease`, { lease_id });
    assert.equal(await activeSlots('single'), 1);
    assert.equal(typeof (await api.expect(410, 'POST', `${LIMITS}/leases/${lease_id}/renew`, {})).detail, 'string');
    const empty = await api.expect(200, 'POST', `${LIMITS}/increment-with-lease`, { names: ['unknown'], slots: 1 });
    assert.deepEqual(empty.limits, []);
    await api.expect(204, 'POST', `${LIMITS}/leases/${empty.lease_id}/renew`, {});
  });

  await t.test('never lend more than there is to many at once', async () => {
    await create('few', 5);
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.post(`${LIMITS}/increment-with-lease`, { names: ['few'], slots: 1 })));
    const leases = answers.filter(({ status }) => status === 200).map(({ body }) => body.lease_id);
    assert.equal(leases.length, 5);
    assert.equal(answers.filter(({ status }) => status === 423).length, 15);
    await Promise.all([...leases, ...leases].map((lease_id) => api.expect(204, 'POST', `${LIMITS}/decrement-with-lease`, { lease_id })));
    assert.equal(await activeSlots('few'), 0);
  });
});

test('limits by tag are a view of the global ones', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
  const holders = async (tag: string) => (await api.expect(200, 'GET', `/concurrency_limits/tag/${tag}`)).active_slots;
  const activeSlots = async (tag: string) => (await api.expect(200, 'GET', `${LIMITS}/tag:${tag}`)).active_slots;

  await t.test('created once, then changed', async () => {
    const created = await api.expect(201, 'POST', '/concurrency_limits/', { tag: 'slow', concurrency_limit: 1 });
    assert.deepEqual({ ...created, id: '', created: '', updated: '' }, { id: '', created: '', updated: '', tag: 'slow', concurrency_limit: 1, active_slots: [] });
    const changed = await api.expect(200, 'POST', '/concurrency_limits/', { tag: 'slow', concurrency_limit: 2 });
    assert.equal(changed.concurrency_limit, 2);
    assert.deepEqual(await api.expect(200, 'GET', `/concurrency_limits/${created.id}`), changed);
    const other = await api.expect(201, 'POST', `${LIMITS}/`, { name: 'global', limit: 1 });
    await api.expect(404, 'GET', `/concurrency_limits/${other.id}`);
    assert.deepEqual(await api.expect(200, 'POST', '/concurrency_limits/filter', {}), [changed]);
  });

  await t.test('held by task runs', async () => {
    const body = (task_run_id: string) => ({ names: ['slow', 'unlimited'], task_run_id });
    const [taken] = await api.expect(200, 'POST', '/concurrency_limits/increment', body(first));
    assert.equal(taken.name, 'slow');
    await api.expect(200, 'POST', '/concurrency_limits/increment', body(second));
    assert.deepEqual(await holders('slow'), [first, second]);
    const refused = await api.post('/concurrency_limits/increment', body(third));
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [423, '10']);
    const [freed] = await api.expect(200, 'POST', '/concurrency_limits/decrement', body(first));
    assert.equal(freed.name, 'tag:slow');
    await api.expect(200, 'POST', '/concurrency_limits/decrement', body(first));
    assert.deepEqual([await holders('slow'), await activeSlots('slow')], [[second], 1]);
    await api.expect(201, 'POST', '/concurrency_limits/', { tag: 'closed', concurrency_limit: 0 });
    const impossible = await api.post('/concurrency_limits/increment', { names: ['closed'], task_run_id: first });
    assert.deepEqual([impossible.status, impossible.headers.get('retry-after')], [423, null]);
  });

  await t.test('reset to nobody or to given task runs, and deleted', async () => {
    assert.equal(await api.expect(200, 'POST', '/concurrency_limits/tag/slow/reset', { slot_override: [third] }), null);
    assert.deepEqual([await holders('slow'), await activeSlots('slow')], [[third], 1]);
    await api.expect(200, 'POST', '/concurrency_limits/tag/slow/reset', {});
    assert.deepEqual([await holders('slow'), await activeSlots('slow')], [[], 0]);
    assert.equal(await api.expect(200, 'DELETE', '/concurrency_limits/tag/slow'), null);
    for (const path of ['/concurrency_limits/tag/slow', `/concurrency_limits/${randomUUID()}`]) await api.expect(404, 'DELETE', path);
    await api.expect(404, 'POST', '/concurrency_limits/tag/slow/reset', {});
  });
});
