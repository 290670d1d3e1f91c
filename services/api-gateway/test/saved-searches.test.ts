import assert from 'node:assert/strict';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

test('saved searches are put by name, read, listed and deleted', async () => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const filters = [{ object: 'flow_run', property: 'name', type: 'string', operation: 'equals', value: null }];
  const created = await api.expect(201, 'PUT', '/saved_searches/', { name: 'b', filters: [{ ...filters[0], ignored: 1 }] });
  assert.deepEqual({ ...created, id: '', created: '', updated: '' }, { id: '', created: '', updated: '', name: 'b', filters });
  const replaced = await api.expect(200, 'PUT', '/saved_searches/', { name: 'b' });
  assert.deepEqual(replaced, { ...created, filters: [] });
  const other = await api.expect(201, 'PUT', '/saved_searches/', { name: 'a', filters });
  assert.deepEqual(await api.expect(200, 'POST', '/saved_searches/filter', {}), [other, replaced]);
  assert.deepEqual(await api.expect(200, 'GET', `/saved_searches/${created.id}`), replaced);
  await api.expect(204, 'DELETE', `/saved_searches/${created.id}`);
  for (const method of ['GET', 'DELETE']) assert.deepEqual(await api.expect(404, method, `/saved_searches/${created.id}`), { detail: 'Saved search not found' });
  await api.expect(422, 'PUT', '/saved_searches/', { name: 'c', filters: [{ object: 'x' }] });
});
