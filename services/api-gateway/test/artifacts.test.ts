import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

test('artifacts', async (t) => {
  await using gateway = await startGateway();
  const { api, published } = gateway;

  await t.test('without a key are only stored', async () => {
    const created = await api.expect(201, 'POST', '/artifacts/', { type: 'result', data: { x: [1, null] } });
    assert.deepEqual(Object.keys(created), ['id', 'created', 'updated', 'key', 'type', 'description', 'data', 'metadata_', 'flow_run_id', 'task_run_id']);
    assert.equal(created.description, null);
    assert.deepEqual(await api.expect(200, 'GET', `/artifacts/${created.id}`), created);
    assert.equal(await api.expect(200, 'POST', '/artifacts/latest/count', {}), 0);
    assert.deepEqual(published.events, []);
  });

  await t.test('with a key form a collection that shows the latest', async () => {
    const flow_run_id = randomUUID();
    const task_run_id = randomUUID();
    const first = await api.expect(201, 'POST', '/artifacts/', { key: 'report', type: 'markdown', data: '# one', description: 'd', flow_run_id, task_run_id });
    const second = await api.expect(201, 'POST', '/artifacts/', { key: 'report', data: '# two' });
    const latest = await api.expect(200, 'GET', '/artifacts/report/latest');
    assert.deepEqual(Object.keys(latest), Object.keys(first));
    assert.deepEqual({ ...latest, id: '' }, { ...second, created: first.created, id: '' });
    const [collection] = await api.expect(200, 'POST', '/artifacts/latest/filter', { artifacts: { key: { any_: ['report'] } } });
    assert.equal(collection.id, latest.id);
    assert.equal(collection.latest_id, second.id);

    await api.expect(204, 'PATCH', `/artifacts/${second.id}`, { data: 3 });
    await api.expect(204, 'PATCH', `/artifacts/${first.id}`, { description: null });
    assert.partialDeepStrictEqual(await api.expect(200, 'GET', '/artifacts/report/latest'), { data: 3, description: null });

    await api.expect(204, 'DELETE', `/artifacts/${second.id}`);
    assert.partialDeepStrictEqual(await api.expect(200, 'GET', '/artifacts/report/latest'), { id: latest.id, data: '# one', flow_run_id });
    await api.expect(204, 'DELETE', `/artifacts/${first.id}`);
    assert.deepEqual(await api.expect(404, 'GET', '/artifacts/report/latest'), { detail: 'Artifact not found.' });

    const resource = { 'prefect.resource.id': `prefect.artifact-collection.${latest.id}`, 'prefect.resource.name': 'report' };
    const latestIs = (id: string) => ({ 'prefect.resource.id': `prefect.artifact.${id}`, 'prefect.resource.role': 'latest' });
    const runs = [
      { 'prefect.resource.id': `prefect.flow-run.${flow_run_id}`, 'prefect.resource.role': 'flow-run' },
      { 'prefect.resource.id': `prefect.task-run.${task_run_id}`, 'prefect.resource.role': 'task-run' },
    ];
    const payload = { key: 'report', type: 'markdown', data: '# one', description: 'd' };
    assert.partialDeepStrictEqual(published.events, [
      { event: 'prefect.artifact-collection.created', resource, related: [latestIs(first.id), ...runs], payload },
      { event: 'prefect.artifact-collection.updated', resource, related: [latestIs(second.id)], payload: { key: 'report', type: null, data: '# two', description: null } },
      { event: 'prefect.artifact-collection.updated', resource, related: [latestIs(first.id), ...runs], payload: { ...payload, description: null } },
      { event: 'prefect.artifact-collection.deleted', resource, related: [latestIs(first.id), ...runs] },
    ]);
  });

  await t.test('keep their numbers and cut long metadata', async () => {
    const { id, metadata_ } = await api.expect(201, 'POST', '/artifacts/', '{"key":"m","data":50.0,"metadata_":{"long":"' + 'x'.repeat(501) + '","short":"y"}}');
    assert.deepEqual(metadata_, { long: `${'x'.repeat(500)}...`, short: 'y' });
    // A character counts as one, however it is coded.
    const emoji = await api.expect(201, 'POST', '/artifacts/', { key: 'm', metadata_: { fits: '😀'.repeat(500), long: `${'x'.repeat(499)}😀y` } });
    assert.deepEqual(emoji.metadata_, { fits: '😀'.repeat(500), long: `${'x'.repeat(499)}😀...` });
    assert.match(await (await fetch(`${api.url}/artifacts/${id}`)).text(), /"data":50\.0,/);
  });

  await t.test('are filtered, sorted and counted', async () => {
    for (const [key, type] of [['a', 'table'], ['b', 'markdown'], ['c', null]]) await api.expect(201, 'POST', '/artifacts/', { key, type });
    const keys = async (path: string, body: object) => (await api.expect(200, 'POST', path, body)).map(({ key }: { key: string | null }) => key);
    const abc = { key: { any_: ['a', 'b', 'c'] } };
    assert.deepEqual(await keys('/artifacts/filter', { artifacts: abc, sort: 'KEY_ASC', limit: 2 }), ['a', 'b']);
    assert.deepEqual(await keys('/artifacts/latest/filter', { artifacts: { ...abc, type: { not_any_: ['table'] } }, sort: 'KEY_DESC' }), ['b']);
    assert.deepEqual(await keys('/artifacts/filter', { artifacts: { key: { exists_: false } } }), [null]);
    assert.equal(await api.expect(200, 'POST', '/artifacts/count', { artifacts: { type: { any_: ['table', 'markdown'] } } }), 2);
    assert.equal(await api.expect(200, 'POST', '/artifacts/latest/count', { flow_runs: { name: { any_: ['none'] } } }), 0);
  });

  await t.test('may be empty', async () => {
    const { id, created, updated, ...nothing } = await api.expect(201, 'POST', '/artifacts/', {});
    assert.deepEqual(new Set(Object.values(nothing)), new Set([null]));
    assert.deepEqual(await api.expect(200, 'GET', `/artifacts/${id}`), { id, created, updated, ...nothing });
  });

  await t.test('refuse what does not fit', async () => {
    await api.expect(422, 'POST', '/artifacts/', { key: 'Bad Key' });
    await api.expect(422, 'POST', '/artifacts/', { metadata_: { a: 1 } });
    await api.expect(422, 'POST', '/artifacts/', { metadata: {} });
    await api.expect(404, 'PATCH', `/artifacts/${randomUUID()}`, { data: 1 });
    await api.expect(404, 'DELETE', `/artifacts/${randomUUID()}`);
  });
});
