import assert from 'node:assert/strict';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

/* Whoever deletes something that many delete at once: it is gone once, and told of once. */

const AT_ONCE = 6;

test('what is deleted by many at once', async (t) => {
  await using gateway = await startGateway();
  const { api, database } = gateway;
  const { id: flow_id } = await api.expect(201, 'POST', '/flows/', { name: 'f' });
  await api.expect(201, 'POST', '/work_pools/', { name: 'holder', type: 'process' });
  const { id: block_type_id } = await api.expect(201, 'POST', '/block_types/', { name: 'T', slug: 't' });
  const fields = { type: 'object', title: 'T', block_type_slug: 't', properties: {} };
  const { id: block_schema_id } = await api.expect(201, 'POST', '/block_schemas/', { fields, block_type_id, version: '1' });

  /** How often the deletion of each resource whose name begins so was told. */
  async function told(name: string): Promise<number[]> {
    const rows = await database.sql<{ count: number }[]>`
      select count(*)::integer as count from praetor.outbox
      where body ->> 'event' like '%.deleted' and body -> 'resource' ->> 'prefect.resource.name' like ${`${name}%`} group by body -> 'resource' ->> 'prefect.resource.id'`;
    return rows.map(({ count }) => count);
  }

  const trigger = { type: 'event', posture: 'Reactive', expect: ['x'] };
  for (const [name, path, body, target] of [
    ['a_variable', '/variables/', { value: 1 }, (id: string) => `/variables/${id}`],
    ['a-flow', '/flows/', {}, (id: string) => `/flows/${id}`],
    ['a-pool', '/work_pools/', { type: 'process' }, () => '/work_pools/a-pool'],
    ['a-queue', '/work_pools/holder/queues', {}, () => '/work_pools/holder/queues/a-queue'],
    ['an-older-queue', '/work_queues/', {}, (id: string) => `/work_queues/${id}`],
    ['a-deployment', '/deployments/', { flow_id }, (id: string) => `/deployments/${id}`],
    ['an-automation', '/automations/', { trigger, actions: [] }, (id: string) => `/automations/${id}`],
    ['a-limit', '/v2/concurrency_limits/', { limit: 1 }, (id: string) => `/v2/concurrency_limits/${id}`],
    ['a-document', '/block_documents/', { data: {}, block_type_id, block_schema_id }, (id: string) => `/block_documents/${id}`],
    ['a-type', '/block_types/', { slug: 'a-type' }, (id: string) => `/block_types/${id}`],
  ] as const)
    await t.test(name, async () => {
      const { id } = await api.expect(201, 'POST', path, { name, ...body });
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => api.delete(target(id))));
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [204, ...Array.from({ length: AT_ONCE - 1 }, () => 404)]);
      assert.deepEqual(await told(name), [1]);
    });

  for (const [name, path, filter] of [
    ['bulk-flow', '/flows/', 'flows'],
    ['bulk-deployment', '/deployments/', 'deployments'],
  ] as const)
    await t.test(`several ${filter}, each time others of them`, async () => {
      const ids: string[] = [];
      for (let index = 0; index < AT_ONCE; index++) ids.push((await api.expect(201, 'POST', path, { name: `${name}-${index}`, flow_id: path === '/flows/' ? undefined : flow_id })).id);
      const answers = await Promise.all(ids.map((_, index) => api.expect(200, 'POST', `${path}bulk_delete`, { [filter]: { id: { any_: ids.slice(0, index + 1) } } })));
      assert.deepEqual(answers.flatMap(({ deleted }) => deleted).toSorted(), ids.toSorted());
      assert.deepEqual(await told(name), ids.map(() => 1));
    });
});
