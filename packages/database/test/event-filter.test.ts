import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { compileEventFilter } from '@praetor/database/filter/events';
import { type Event, event, eventFilter } from '@praetor/schema/event';
import { createEventMatcher } from '@praetor/schema/event-matching';
import { toJson } from '@praetor/schema/json';
import { type TestDatabase, createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';

/* Each filter is put to the database and, where it can be, to the single event: both must give the same answer. */

const skip = (await isPostgresReachable()) ? false : 'needs Postgres';

describe('the filter of events', { skip }, () => {
  let database: TestDatabase;
  const make = (name: string, fields: Partial<Event>): Event =>
    event.parse({ id: randomUUID(), occurred: '2026-11-21T08:00:00Z', event: name, resource: { 'prefect.resource.id': 'prefect.flow-run.1' }, ...fields });

  const EVENTS = [
    make('prefect.flow-run.Running', {
      resource: { 'prefect.resource.id': 'prefect.flow-run.1', 'prefect.resource.name': 'brisk-otter', odd: '100%_\\' },
      related: [
        { 'prefect.resource.id': 'prefect.flow.a', 'prefect.resource.role': 'flow', 'prefect.resource.name': 'etl' },
        { 'prefect.resource.id': 'prefect.deployment.d', 'prefect.resource.role': 'deployment' },
      ],
      payload: { note: 'Out of Memory' },
    }),
    make('prefect.flow-run.Completed', {
      occurred: '2026-11-21T09:00:00.000001Z',
      resource: { 'prefect.resource.id': 'prefect.flow-run.2', 'prefect.resource.name': 'calm-heron' },
      related: [{ 'prefect.resource.id': 'prefect.flow.a', 'prefect.resource.role': 'flow' }],
    }),
    make('custom.event', { occurred: '2026-11-21T10:00:00Z', resource: { 'prefect.resource.id': 'custom', 'prefect.resource.name': 'otter' } }),
  ] as const;

  before(async () => {
    database = await createTestDatabase();
    const rows = EVENTS.map((each) => ({ ...each, resource_id: each.resource['prefect.resource.id'] }));
    await database.sql`
      insert into events (id, occurred, event, resource_id, resource, related, payload, received, recorded)
      select id, occurred, event, resource_id, resource, related, payload, now(), now()
      from jsonb_to_recordset(${toJson(rows)}::jsonb) as r (id uuid, occurred timestamptz, event text, resource_id text, resource jsonb, related jsonb, payload jsonb)`;
    const resources = EVENTS.flatMap(({ id, occurred, resource, related }) =>
      [resource, ...related].map(({ 'prefect.resource.id': resource_id, 'prefect.resource.role': role, ...labels }) => ({ event_id: id, occurred, resource_id, role: role ?? '', labels })),
    );
    await database.sql`
      insert into event_resources (event_id, occurred, resource_id, resource_role, resource)
      select * from jsonb_to_recordset(${toJson(resources)}::jsonb) as r (event_id uuid, occurred timestamptz, resource_id text, role text, labels json)`;
  });
  after(() => database[Symbol.asyncDispose]());

  const occurred = { since: '2026-01-01T00:00:00Z', until: '2027-01-01T00:00:00Z' };
  const FILTERS: [filter: object, expected: number[]][] = [
    [{}, [0, 1, 2]],
    [{ occurred: { since: '2026-11-21T09:00:00.000001Z', until: '2026-11-21T10:00:00Z' } }, [1, 2]],
    [{ occurred: { ...occurred, until: '2026-11-21T09:00:00Z' } }, [0]],
    [{ id: { id: [EVENTS[1].id] } }, [1]],
    [{ id: { id: [] }, event: { prefix: [], name: [], exclude_name: [], exclude_prefix: [] } }, [0, 1, 2]],
    [{ event: { prefix: ['prefect.'] } }, [0, 1]],
    [{ event: { exclude_prefix: ['prefect.', 'other'] } }, [2]],
    [{ event: { name: ['custom.event', 'prefect.flow-run.Running'] } }, [0, 2]],
    [{ event: { prefix: ['prefect.'], exclude_name: ['prefect.flow-run.Running'] } }, [1]],
    [{ resource: { id: ['prefect.flow-run.1', 'custom'] } }, [0, 2]],
    [{ resource: { id_prefix: ['prefect.flow-run.'] } }, [0, 1]],
    [{ resource: { labels: { 'prefect.resource.name': '*otter' } } }, [0, 2]],
    [{ resource: { labels: { 'prefect.resource.name': ['calm-*', 'ott?r'] } } }, [1, 2]],
    [{ resource: { labels: { 'prefect.resource.name': '!*otter' } } }, [1]],
    [{ resource: { labels: { 'prefect.resource.name': [] } } }, []],
    [{ resource: { labels: { missing: '!x' } } }, []],
    [{ resource: { labels: { odd: '100%_\\' } } }, [0]],
    [{ resource: { labels: { odd: '*%_*' } } }, [0]],
    [{ resource: { labels: { odd: '100x_\\' } } }, []],
    [{ resource: { labels: { 'prefect.resource.id': 'prefect.*', 'prefect.resource.name': 'brisk-otter' } } }, [0]],
    [{ any_resource: { id: ['prefect.flow.a'] } }, [0, 1]],
    [{ any_resource: { id_prefix: ['prefect.dep', 'cust'] } }, [0, 2]],
    [{ any_resource: { labels: { 'prefect.resource.name': 'etl' } } }, [0]],
    [{ any_resource: [{ id: ['prefect.flow.a'] }, { id: ['prefect.flow-run.2'] }] }, [1]],
    [{ any_resource: { id: ['prefect.deployment.d'], labels: { 'prefect.resource.name': 'etl' } } }, []],
    [{ text: { query: 'otter' } }, [0, 2]],
    [{ text: { query: '"out of memory" heron' } }, [0, 1]],
    [{ text: { query: 'otter -brisk' } }, [2]],
    [{ text: { query: '+otter +etl' } }, [0]],
    [{ text: { query: '  ' } }, [0, 1, 2]],
  ];
  /** Questions that only stored events are asked. */
  const RELATED: [filter: object, expected: number[]][] = [
    [{ id: ['prefect.flow.a'] }, [0, 1]],
    [{ id: ['prefect.flow-run.1'] }, []],
    [{ role: ['deployment'] }, [0]],
    [{ role: [''] }, [0, 1, 2]],
    [{ id: ['prefect.flow.a'], role: ['deployment'] }, []],
    [{ resources_in_roles: [['prefect.flow.a', 'flow'], ['x', 'y']] }, [0, 1]],
    [{ labels: { 'prefect.resource.role': 'flow', 'prefect.resource.name': 'e*' } }, [0]],
    [{ labels: { 'prefect.resource.id': ['prefect.deployment.*'] } }, [0]],
    [{ labels: { 'prefect.resource.name': [] } }, []],
    [[{ role: ['flow'] }, { role: ['deployment'] }], [0]],
    [{}, [0, 1, 2]],
    [[], [0, 1, 2]],
  ];

  async function ask(filter: object): Promise<number[]> {
    const condition = compileEventFilter(eventFilter.parse({ occurred, ...filter }));
    const rows = await database.kysely.selectFrom('events').select('id').where(condition).execute();
    return rows.map(({ id }) => EVENTS.findIndex((each) => each.id === id)).toSorted();
  }

  for (const [filter, expected] of FILTERS)
    test(JSON.stringify(filter), async () => {
      assert.deepEqual(await ask(filter), expected, 'stored');
      const matches = createEventMatcher(eventFilter.parse({ occurred, ...filter }));
      assert.deepEqual([...EVENTS.keys()].filter((index) => matches(EVENTS[index] ?? assert.fail())), expected, 'live');
    });

  for (const [related, expected] of RELATED) test(`related: ${JSON.stringify(related)}`, async () => assert.deepEqual(await ask({ related }), expected));
});
