import assert from 'node:assert/strict';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

test('variables', async (t) => {
  await using gateway = await startGateway();
  const { api, published } = gateway;

  await t.test('are created, read by both addresses, changed and deleted, each with its event', async () => {
    const created = await api.expect(201, 'POST', '/variables/', { name: 'my_var', value: { a: [1, null] }, tags: ['x'] });
    assert.deepEqual(Object.keys(created), ['id', 'created', 'updated', 'name', 'value', 'tags']);
    assert.match(created.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/);
    assert.deepEqual(await api.expect(200, 'GET', '/variables/name/my_var'), created);
    assert.deepEqual(await api.expect(200, 'GET', `/variables/${created.id}`), created);

    await api.expect(204, 'PATCH', `/variables/${created.id}`, { value: 'two' });
    await api.expect(204, 'PATCH', '/variables/name/my_var', { tags: [] });
    const changed = await api.expect(200, 'GET', '/variables/name/my_var');
    assert.deepEqual({ ...changed, updated: null }, { ...created, value: 'two', tags: [], updated: null });
    assert.ok(changed.updated > created.updated);

    await api.expect(204, 'DELETE', '/variables/name/my_var');
    assert.deepEqual(await api.expect(404, 'GET', `/variables/${created.id}`), { detail: 'Variable not found.' });
    await api.expect(404, 'PATCH', `/variables/${created.id}`, { value: 1 });
    await api.expect(404, 'DELETE', '/variables/name/my_var');

    const resource = { 'prefect.resource.id': `prefect.variable.${created.id}`, 'prefect.resource.name': 'my_var' };
    const payload = { name: 'my_var', value: 'two', tags: [] };
    assert.partialDeepStrictEqual(published.events, [
      { event: 'prefect.variable.created', resource, related: [], payload: { ...payload, value: { a: [1, null] }, tags: ['x'] }, follows: null },
      { event: 'prefect.variable.updated', resource, payload: { ...payload, tags: ['x'] } },
      { event: 'prefect.variable.updated', resource, payload },
      { event: 'prefect.variable.deleted', resource, payload },
    ]);
  });

  await t.test('hold any JSON value as it was written', async () => {
    const send = async (name: string, text: string) => {
      const response = await fetch(`${api.url}/variables/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `{"name":"${name}","value":${text}}` });
      assert.equal(response.status, 201);
      const stored = await fetch(`${api.url}/variables/name/${name}`);
      return (await stored.text()).match(/"value":(.*),"tags"/)?.[1];
    };
    for (const [index, text] of ['null', 'true', '1.0', '"x"', '[1,2.50]', '{"a":{}}'].entries()) assert.equal(await send(`v${index}`, text), text);
  });

  await t.test('have unique names', async () => {
    await api.expect(201, 'POST', '/variables/', { name: 'one', value: 1 });
    await api.expect(201, 'POST', '/variables/', { name: 'other', value: 1 });
    await api.expect(409, 'POST', '/variables/', { name: 'one', value: 2 });
    await api.expect(409, 'PATCH', '/variables/name/other', { name: 'one' });
  });

  await t.test('refuse what does not fit', async () => {
    for (const body of [{ name: 'Upper', value: 1 }, { name: 'a b', value: 1 }, { name: 'x' }, { name: 'x', value: 1, extra: 1 }, { name: 'x'.repeat(256), value: 1 }])
      await api.expect(422, 'POST', '/variables/', body);
    await api.expect(422, 'POST', '/variables/', { name: 'long', value: 'x'.repeat(4999) });
    await api.expect(201, 'POST', '/variables/', { name: 'long', value: 'x'.repeat(4998) });
    const { exception_detail } = await api.expect(422, 'POST', '/variables/', { name: 'x' });
    assert.deepEqual(exception_detail, [{ type: 'missing', loc: ['body', 'value'], msg: 'Field required', input: { name: 'x' } }]);
    assert.deepEqual(await api.expect(404, 'GET', '/variables/no-uuid'), { detail: 'Not Found' });
  });

  await t.test('are filtered, sorted, paged and counted', async () => {
    await api.expect(201, 'POST', '/variables/', { name: 'tagged', value: 1, tags: ['a', 'b'] });
    const names = async (body: object) => (await api.expect(200, 'POST', '/variables/filter', body)).map((variable: { name: string }) => variable.name);
    assert.deepEqual(await names({ variables: { tags: { all_: ['b'] } } }), ['tagged']);
    assert.deepEqual(await names({ variables: { name: { any_: [] } } }), []);
    assert.deepEqual(await names({ variables: { name: { like_: 'ON' } }, sort: 'NAME_DESC' }), ['one', 'long']);
    assert.deepEqual(await names({ limit: 2, offset: 1, sort: 'NAME_ASC' }), ['one', 'other']);
    assert.equal(await api.expect(200, 'POST', '/variables/count', { variables: { name: { any_: ['one', 'other', 'none'] } } }), 2);
    assert.match((await api.expect(422, 'POST', '/variables/filter', { limit: 201 })).detail, /Invalid limit/);
    await api.expect(422, 'POST', '/variables/filter', { variables: { unknown: {} } });
  });
});
