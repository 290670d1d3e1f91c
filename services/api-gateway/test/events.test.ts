import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { toJson } from '@praetor/schema/json';
import { test } from '@praetor/test/support/postgres-test';
import { type TestGateway, startGateway } from './support.ts';

type Labels = Record<string, string>;

const resource = (id: string, labels: Labels = {}): Labels => ({ 'prefect.resource.id': id, ...labels });
const related = (id: string, role: string, labels: Labels = {}): Labels => resource(id, { 'prefect.resource.role': role, ...labels });

interface Stored {
  id: string;
  occurred: string;
  event: string;
  resource: Labels;
  related: Labels[];
  payload: object;
}

/** Stores an event as the persister does. */
async function store({ database }: TestGateway, given: Partial<Stored> & { event: string }): Promise<Stored> {
  const event = { id: randomUUID(), occurred: '2026-11-20T10:00:00Z', resource: resource('a'), related: [], payload: {}, ...given };
  const resources = [event.resource, ...event.related];
  const idOf = (labels: Labels) => labels['prefect.resource.id'] ?? '';
  const { occurred } = event;
  await database.kysely
    .insertInto('events')
    .values({
      ...event,
      resource_id: idOf(event.resource),
      resource: toJson(event.resource),
      related: toJson(event.related),
      related_resource_ids: toJson(event.related.map(idOf)),
      payload: toJson(event.payload),
      received: occurred,
      recorded: occurred,
    })
    .execute();
  await database.kysely
    .insertInto('event_resources')
    .values(
      resources.map((labels) => ({
        occurred,
        event_id: event.id,
        resource_id: idOf(labels),
        resource_role: labels['prefect.resource.role'] ?? '',
        resource: toJson(labels),
      })),
    )
    .execute();
  return event;
}

const SINCE_2026 = { occurred: { since: '2026-01-01T00:00:00Z', until: '2027-01-01T00:00:00Z' } };

test('events are taken in by HTTP', async () => {
  await using gateway = await startGateway();
  const event = { occurred: '2026-11-21T11:00:00+01:00', event: 'x', resource: resource('a'), id: randomUUID() };
  await gateway.api.expect(204, 'POST', '/events', [{ ...event, ignored: 1 }]);
  await gateway.api.expect(204, 'POST', '/events', []);
  assert.equal(gateway.published.events.length, 1);
  assert.deepEqual(Object.keys(gateway.published.events[0] ?? {}), ['occurred', 'event', 'resource', 'related', 'payload', 'id', 'follows', 'received']);
  assert.partialDeepStrictEqual(gateway.published.events[0], { ...event, occurred: '2026-11-21T10:00:00Z', related: [], payload: {}, follows: null });
  for (const wrong of [{ ...event, resource: {} }, { ...event, id: 'x' }, { ...event, related: [resource('b')] }, { ...event, resource: { a: null } }])
    await gateway.api.expect(422, 'POST', '/events', [wrong]);
});

test('events are found', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const run = (name: string) => related('prefect.flow-run.1', 'flow-run', { 'prefect.resource.name': name });
  const stored = [
    await store(gateway, { event: 'prefect.flow-run.Running', occurred: '2026-11-20T10:00:00Z', resource: resource('run.1', { name: 'blue' }), related: [related('flow.1', 'flow'), related('tag.x', 'tag')] }),
    await store(gateway, { event: 'prefect.flow-run.Completed', occurred: '2026-11-20T11:00:00Z', resource: resource('run.1', { name: 'green' }), related: [related('flow.1', 'flow'), related('tag.y', 'tag')] }),
    await store(gateway, { event: 'prefect.task-run.Failed', occurred: '2026-11-21T10:00:00Z', resource: resource('task.1', { name: '50%' }), related: [run('eager')], payload: { reason: 'Connection timeout' } }),
    await store(gateway, { event: 'my_event', occurred: '2026-11-22T10:00:00Z', resource: resource('run.2', { 'prefect.resource.name': 'second' }) }),
  ];
  const find = async (filter: object) => {
    const { events } = await api.expect(200, 'POST', '/events/filter', { filter: { ...SINCE_2026, ...filter, order: 'ASC' } });
    return events.map(({ id }: { id: string }) => stored.findIndex((event) => event.id === id));
  };

  const FILTERS: [what: string, filter: object, found: number[]][] = [
    ['everything', {}, [0, 1, 2, 3]],
    ['time, bounds included', { occurred: { since: '2026-11-20T11:00:00Z', until: '2026-11-21T10:00:00Z' } }, [1, 2]],
    ['a prefix', { event: { prefix: ['prefect.flow-run.', 'my'] } }, [0, 1, 3]],
    ['not a prefix', { event: { exclude_prefix: ['prefect.flow-run.'] } }, [2, 3]],
    ['a name', { event: { name: ['my_event'], prefix: [] } }, [3]],
    ['not a name', { event: { exclude_name: ['my_event', 'prefect.task-run.Failed'] } }, [0, 1]],
    ['ids of subjects', { resource: { id: ['run.1'] } }, [0, 1]],
    ['prefixes of subjects', { resource: { id_prefix: ['run.'] } }, [0, 1, 3]],
    ['labels of subjects', { resource: { labels: { name: ['gr*n', 'bl?e'], 'prefect.resource.id': 'run.*' } } }, [0, 1]],
    ['labels negated; a missing one never matches', { resource: { labels: { name: '!blue' } } }, [1, 2]],
    ['labels with characters of SQL', { resource: { labels: { name: '50%' } } }, [2]],
    ['a label without values', { resource: { labels: { name: [] } } }, []],
    ['distinct subjects', { resource: { distinct: true } }, [0, 2, 3]],
    ['related ids', { related: { id: ['flow.1'] } }, [0, 1]],
    ['related, but not as subjects', { related: { id: ['run.1'] } }, []],
    ['related roles', { related: { role: ['flow-run'] } }, [2]],
    ['one related resource in its role', { related: { resources_in_roles: [['tag.x', 'tag']] } }, [0]],
    ['a related resource in another role', { related: { resources_in_roles: [['tag.x', 'flow']] } }, []],
    ['labels of related resources', { related: { labels: { 'prefect.resource.name': 'eag*' } } }, [2]],
    ['several related resources at once', { related: [{ id: ['flow.1'] }, { id: ['tag.y'], role: ['tag'] }] }, [1]],
    ['any resource', { any_resource: { id: ['run.1', 'prefect.flow-run.1'] } }, [0, 1, 2]],
    ['any resource by prefix and label', { any_resource: { id_prefix: ['prefect.flow-run.'], labels: { 'prefect.resource.name': 'eager' } } }, [2]],
    ['ids', { id: { id: [stored[1]?.id, randomUUID()] } }, [1]],
    ['no ids', { id: { id: [] } }, [0, 1, 2, 3]],
    ['text', { text: { query: '"connection TIMEOUT" green' } }, [1, 2]],
    ['text that must not occur', { text: { query: '-flow-run' } }, [3]],
  ];
  for (const [what, filter, found] of FILTERS) await t.test(`by ${what}`, async () => assert.deepEqual(await find(filter), found));

  await t.test('with all their fields, newest first', async () => {
    const { events, total, next_page } = await api.expect(200, 'POST', '/events/filter', { filter: SINCE_2026 });
    assert.equal(total, 4);
    assert.equal(next_page, null);
    const { id, event, occurred } = stored[3] ?? {};
    assert.deepEqual(Object.keys(events[0]), ['occurred', 'event', 'resource', 'related', 'payload', 'id', 'follows', 'received']);
    assert.deepEqual(events[0], { occurred, event, resource: stored[3]?.resource, related: [], payload: {}, id, follows: null, received: occurred });
  });

  await t.test('page by page', async () => {
    const first = await api.expect(200, 'POST', '/events/filter', { filter: SINCE_2026, limit: 3 });
    assert.ok(first.next_page.startsWith(`${api.url}/events/filter/next?page-token=`));
    const second = await api.expect(200, 'GET', first.next_page.slice(api.url.length));
    assert.deepEqual([...first.events, ...second.events].map(({ id }) => id), stored.map(({ id }) => id).toReversed());
    assert.equal(second.total, 4);
    assert.equal(second.next_page, null);
    const empty = Buffer.from(Buffer.from('{}').toString('base64')).toString('base64');
    for (const token of ['x', '', empty]) assert.deepEqual(await api.expect(403, 'GET', `/events/filter/next?page-token=${token}`), { detail: 'Forbidden' });
    await api.expect(422, 'POST', '/events/filter', { limit: 51 });
    await api.expect(422, 'POST', '/events/filter', { filter: { event: { unknown: 1 } } });
  });

  await t.test('without a filter, of the last half year until now', async () => {
    const occurred = new Date(Date.now() - 1000).toISOString();
    const event = await store(gateway, { event: 'recent', occurred, resource: resource('recent') });
    const { events } = await api.expect(200, 'POST', '/events/filter', {});
    assert.equal(events.filter(({ id }: { id: string }) => id === event.id).length, 1);
  });
});

test('events are counted', async () => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const at = (occurred: string, event: string, id: string, name?: string) =>
    store(gateway, { event, occurred, resource: resource(id, name === undefined ? {} : { 'prefect.resource.name': name }) });
  await at('2024-05-01T00:00:00Z', 'a', 'one', 'old name');
  await at('2024-05-01T12:00:00Z', 'a', 'one', 'new name');
  await at('2024-05-03T23:59:59.999999Z', 'b', 'two');
  const filter = { occurred: { since: '2024-05-01T06:00:00Z', until: '2024-05-04T00:00:00Z' } };
  const all = { occurred: { since: '2024-05-01T00:00:00Z', until: '2024-05-04T00:00:00Z' } };

  assert.deepEqual(await api.expect(200, 'POST', '/events/count-by/day', { filter }), [
    { value: '0', label: '2024-05-01T00:00:00+00:00', count: 1, start_time: '2024-05-01T00:00:00Z', end_time: '2024-05-01T23:59:59.999999Z' },
    { value: '1', label: '2024-05-02T00:00:00+00:00', count: 0, start_time: '2024-05-02T00:00:00Z', end_time: '2024-05-02T23:59:59.999999Z' },
    { value: '2', label: '2024-05-03T00:00:00+00:00', count: 1, start_time: '2024-05-03T00:00:00Z', end_time: '2024-05-03T23:59:59.999999Z' },
  ]);
  const halves = await api.expect(200, 'POST', '/events/count-by/time', { filter: all, time_unit: 'hour', time_interval: 12 });
  assert.deepEqual(halves.map(({ count }: { count: number }) => count), [1, 1, 0, 0, 0, 1]);
  assert.deepEqual(await api.expect(200, 'POST', '/events/count-by/event', { filter: all }), [
    { value: 'a', label: 'a', count: 2, start_time: '2024-05-01T00:00:00Z', end_time: '2024-05-01T12:00:00Z' },
    { value: 'b', label: 'b', count: 1, start_time: '2024-05-03T23:59:59.999999Z', end_time: '2024-05-03T23:59:59.999999Z' },
  ]);
  const byResource = await api.expect(200, 'POST', '/events/count-by/resource', { filter: all });
  assert.deepEqual(byResource.map(({ value, label, count }: Record<string, unknown>) => [value, label, count]), [['one', 'new name', 2], ['two', 'two', 1]]);

  assert.equal(typeof (await api.expect(422, 'POST', '/events/count-by/event', { filter: {}, time_unit: 'minute' })).detail, 'string');
  await api.expect(422, 'POST', '/events/count-by/event', {});
  await api.expect(422, 'POST', '/events/count-by/event', { filter: {}, time_interval: 0.001 });
  // Days are counted by days, whatever else is asked for.
  await api.expect(422, 'POST', '/events/count-by/day', { filter: { occurred: { since: '0001-01-01T00:00:00Z' } }, time_unit: 'week', time_interval: 1000 });
});

test("the limits of events are the server's, not those of Prefect's defaults", async () => {
  const send = ({ api }: TestGateway, given: object) => api.request('POST', '/events', [{ id: randomUUID(), occurred: '2024-05-01T00:00:00Z', event: 'x', resource: resource('a'), ...given }]);
  const many = (count: number) => ({ related: Array.from({ length: count }, (_, index) => related(`r${index}`, 'x')) });
  await using strict = await startGateway({
    PREFECT_SERVER_EVENTS_MAXIMUM_RELATED_RESOURCES: '2',
    PREFECT_SERVER_EVENTS_MAXIMUM_LABELS_PER_RESOURCE: '2',
    PREFECT_SERVER_EVENTS_MAXIMUM_EVENT_NAME_LENGTH: '10',
  });
  for (const given of [many(3), { resource: resource('a', { b: 'c', d: 'e' }) }, { event: 'x'.repeat(11) }]) {
    const { status, body } = await send(strict, given);
    assert.deepEqual([status, body.exception_detail[0].loc], [422, ['body', 0, Object.keys(given)[0]]]);
  }
  assert.equal((await send(strict, many(2))).status, 204);
  assert.equal(strict.published.events.length, 1);

  await using generous = await startGateway({ PREFECT_SERVER_EVENTS_MAXIMUM_RELATED_RESOURCES: '101' });
  assert.equal((await send(generous, many(101))).status, 204);
  assert.equal((await send(generous, many(102))).status, 422);
});
