import assert from 'node:assert/strict';
import { flow } from '@praetor/schema/flow';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

const UNKNOWN = '00000000-0000-0000-0000-000000000000';

test('flows', async (t) => {
  await using gateway = await startGateway();
  const { api, published } = gateway;

  await t.test('are created once per name, and read by both addresses', async () => {
    const created = await api.expect(201, 'POST', '/flows/', { name: 'etl', tags: ['b', 'a', 'a'], labels: { team: 'x', size: 1 } });
    assert.deepEqual(Object.keys(created), flow.keyof().options);
    assert.deepEqual([created.tags, created.labels], [['b', 'a', 'a'], { team: 'x', size: 1 }]);
    assert.deepEqual(await api.expect(200, 'POST', '/flows/', { name: 'etl', tags: ['other'] }), created);
    assert.deepEqual(await api.expect(200, 'GET', `/flows/${created.id}`), created);
    assert.deepEqual(await api.expect(200, 'GET', '/flows/name/etl'), created);
    assert.deepEqual(await api.expect(404, 'GET', `/flows/${UNKNOWN}`), { detail: 'Flow not found' });
    assert.deepEqual(await api.expect(404, 'GET', '/flows/not-a-uuid'), { detail: 'Not Found' });
  });

  await t.test('created at once by many clients are one flow with one event', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.post('/flows/', { name: 'raced' })));
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 200, 200, 200, 200, 200, 200, 201]);
    const resource = { 'prefect.resource.id': `prefect.flow.${answers[0]?.body.id}`, 'prefect.resource.name': 'raced' };
    const events = published.events.filter((event) => JSON.stringify(event).includes(resource['prefect.resource.id']));
    assert.partialDeepStrictEqual(events, [{ event: 'prefect.flow.created', resource, payload: { name: 'raced', tags: [], labels: {} } }]);
  });

  await t.test('are changed and deleted with an event each', async () => {
    const { id, updated } = await api.expect(201, 'POST', '/flows/', { name: 'changing' });
    published.events.length = 0;
    await api.expect(204, 'PATCH', `/flows/${id}`, { tags: ['new'] });
    await api.expect(422, 'PATCH', `/flows/${id}`, { tags: null });
    const changed = await api.expect(200, 'GET', `/flows/${id}`);
    assert.deepEqual(changed.tags, ['new']);
    assert.ok(changed.updated > updated);
    await api.expect(204, 'DELETE', `/flows/${id}`);
    await api.expect(404, 'DELETE', `/flows/${id}`);
    await api.expect(404, 'PATCH', `/flows/${id}`, { tags: [] });
    const payload = { name: 'changing', tags: ['new'], labels: {} };
    assert.partialDeepStrictEqual(published.events, [
      { event: 'prefect.flow.updated', payload },
      { event: 'prefect.flow.deleted', payload },
    ]);
  });

  await t.test('refuse what does not fit', async () => {
    for (const body of [{ name: 'a/b' }, { name: '' }, {}, { name: 'x', extra: 1 }, { name: 'x', labels: { nested: {} } }]) await api.expect(422, 'POST', '/flows/', body);
  });

  await t.test('are listed, counted and paged', async () => {
    for (const name of ['page-1', 'page-2', 'page-3']) await api.expect(201, 'POST', '/flows/', { name, tags: ['paged', name] });
    const flows = { tags: { all_: ['paged'] } };
    const names = (list: { name: string }[]) => list.map(({ name }) => name);
    assert.deepEqual(names(await api.expect(200, 'POST', '/flows/filter', { flows })), ['page-1', 'page-2', 'page-3']);
    assert.deepEqual(names(await api.expect(200, 'POST', '/flows/filter', { flows, sort: 'NAME_DESC', limit: 1, offset: 1 })), ['page-2']);
    assert.deepEqual(await api.expect(200, 'POST', '/flows/filter', { flows, limit: 0 }), []);
    assert.equal((await api.expect(200, 'POST', '/flows/filter', { flows, flow_runs: null, sort: null, limit: null, offset: null })).length, 3);
    assert.equal(await api.expect(200, 'POST', '/flows/count', { flows, limit: 0 }), 3);
    const second = await api.expect(200, 'POST', '/flows/paginate', { flows, limit: 2, page: 2 });
    assert.deepEqual([names(second.results), second.count, second.limit, second.pages, second.page], [['page-3'], 3, 2, 2, 2]);
    assert.partialDeepStrictEqual(await api.expect(200, 'POST', '/flows/paginate', { flows, limit: 0 }), { results: [], count: 3, pages: 0 });
    assert.match((await api.expect(422, 'POST', '/flows/filter', { limit: 201 })).detail, /Invalid limit/);
    await api.expect(422, 'POST', '/flows/filter', { flows: { unknown: 1 } });
  });

  await t.test('are deleted in bulk', async () => {
    const { deleted } = await api.expect(200, 'POST', '/flows/bulk_delete', { flows: { name: { like_: 'page-' } }, limit: 2 });
    assert.equal(deleted.length, 2);
    assert.equal(await api.expect(200, 'POST', '/flows/count', { flows: { name: { like_: 'page-' } } }), 1);
    assert.deepEqual(await api.expect(200, 'POST', '/flows/bulk_delete', { flows: { name: { any_: [] } } }), { deleted: [] });
    await api.expect(422, 'POST', '/flows/bulk_delete', { limit: 51 });
  });
});
