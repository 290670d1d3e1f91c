import type { Sequences, TwinClient } from '../twin-client.ts';
import { MALFORMED } from './cases.ts';

/** Six events about a resource of the sequence's own, ten minutes apart, and a filter for them. */
async function makeEvents(api: TwinClient) {
  const mine = api.name('events');
  const event = (minute: number, name: string, fields: Record<string, unknown> = {}) => ({ id: api.id(), occurred: `2026-10-01T10:${minute}:00.000001Z`, event: `${mine}.${name}`, resource: { 'prefect.resource.id': `${mine}.thing.${minute % 20}`, 'prefect.resource.name': `thing ${minute}`, kind: 'thing' }, ...fields });
  const events = [
    event(10, 'made', { payload: { text: 'alpha beta', number: 1.5 } }),
    event(20, 'changed', { related: [{ 'prefect.resource.id': `${mine}.other.1`, 'prefect.resource.role': 'flow' }] }),
    event(30, 'changed', { payload: { text: 'ünïcödé gamma' } }),
    event(40, 'deleted', { follows: api.id() }),
    event(50, 'deleted', { related: [{ 'prefect.resource.id': `${mine}.other.2`, 'prefect.resource.role': 'tag' }, { 'prefect.resource.id': `${mine}.other.1`, 'prefect.resource.role': 'flow', 'prefect.resource.name': 'named' }] }),
    event(59, 'made'),
  ];
  const filter = { occurred: { since: '2026-10-01T00:00:00Z', until: '2026-10-02T00:00:00Z' }, event: { prefix: [`${mine}.`] } };
  await api.post('/events', events);
  await api.eventually((body) => body.total === events.length, 'POST', '/events/filter', { filter });
  return { mine, events, filter };
}

export const events: Sequences = {
  'what an event may be': async (api) => {
    const event = { id: api.id(), occurred: api.time(), event: api.name(), resource: { 'prefect.resource.id': 'x' } };
    await api.each('POST', '/events', [
      [],
      {},
      null,
      undefined,
      ...MALFORMED,
      ...['id', 'occurred', 'event', 'resource', 'payload', 'related', 'follows'].flatMap((field) => [null, 1, 'x', [], {}].filter((value) => !((field === 'payload' && typeof value === 'object' && value && !Array.isArray(value)) || (field === 'event' && value === 'x') || (field === 'related' && Array.isArray(value)))).map((value) => [{ ...event, [field]: value }])),
      [{ ...event, resource: { 'prefect.resource.name': 'no id' } }],
      [{ ...event, resource: { 'prefect.resource.id': 1 } }],
      [{ ...event, related: [{ 'prefect.resource.id': 'x' }] }],
      [{ ...event, related: [{ 'prefect.resource.role': 'x' }] }],
      [{ ...event, event: 'e'.repeat(1025) }],
    ]);
  },

  'filter and page': async (api) => {
    const { mine, events, filter } = await makeEvents(api);
    const ask = (fields: Record<string, unknown>) => ({ filter: { ...filter, ...fields } });
    const first = await api.post('/events/filter', { filter, limit: 2 });
    const second = await api.get(String(first.next_page).replace('http://server/api', ''));
    await api.get(String(second.next_page).replace('http://server/api', ''));
    await api.eachPath('GET', ['/events/filter/next', '/events/filter/next?page-token=x', '/events/filter/next?page-token=']);
    await api.each('POST', '/events/filter', [
      ...[0, 1, 50, 51, -1, 'x', null].map((limit) => ({ filter, limit })),
      ...['ASC', 'DESC', 'x', null].map((order) => ask({ order })),
      ask({ id: { id: events.slice(0, 2).map(({ id }) => id) } }),
      ask({ id: { id: [] } }),
      ask({ id: { id: ['x'] } }),
      ask({ event: { name: [`${mine}.made`] } }),
      ask({ event: { prefix: [`${mine}.`], exclude_name: [`${mine}.made`] } }),
      ask({ event: { prefix: [`${mine}.`], exclude_prefix: [`${mine}.ma`] } }),
      ask({ event: { prefix: [] }, resource: { id_prefix: [mine] } }),
      ask({ resource: { id: [`${mine}.thing.10`] } }),
      ask({ resource: { id_prefix: [`${mine}.thing.1`] } }),
      ask({ resource: { labels: { kind: 'thing' } } }),
      ask({ resource: { labels: { 'prefect.resource.id': `${mine}.thing.*` } } }),
      ask({ resource: { labels: { kind: ['!thing'] } } }),
      ask({ resource: { labels: { kind: ['other', 'thing'] } } }),
      ask({ resource: { distinct: true } }),
      ask({ related: { id: [`${mine}.other.1`] } }),
      ask({ related: { role: ['tag'] } }),
      ask({ related: { id: [`${mine}.other.1`], role: ['tag'] } }),
      ask({ related: { resources_in_roles: [[`${mine}.other.1`, 'flow']] } }),
      ask({ related: { labels: { 'prefect.resource.name': 'named' } } }),
      ask({ any_resource: { id: [`${mine}.other.2`] } }),
      ask({ any_resource: { id_prefix: [`${mine}.o`] } }),
      ask({ any_resource: { labels: { kind: 'thing' } } }),
      ...['alpha', 'gamma -alpha', '"alpha beta"', 'thing', '-thing', '+made +thing', 'x'.repeat(201)].map((query) => ask({ text: { query } })),
      ask({ occurred: { since: '2026-10-01T10:20:00.000001Z', until: '2026-10-01T10:40:00.000001Z' } }),
      ask({ occurred: { since: 'x' } }),
      ask({ occurred: null }),
      ask({ unknown: 1 }),
      ask({ id: { unknown: 1 }, event: 'x', resource: [], related: { role: 'x' } }),
      { filter: 'x' },
      ...MALFORMED.slice(1),
    ]);
  },

  'filter by related resources, labels and names': async (api) => {
    const { mine, events, filter } = await makeEvents(api);
    await api.each('POST', '/events', [events, events.slice(0, 1)]);
    const [one, other] = [`${mine}.other.1`, `${mine}.other.2`];
    await api.each(
      'POST',
      '/events/filter',
      [
        ...[[{ id: [one] }, { id: [other] }], [{ id: [one] }, { role: ['zz'] }], [], null, {}, { id: [one], role: ['tag'] }, { labels: { 'prefect.resource.name': '!named' } }, { labels: { 'prefect.resource.name': ['named', 'x'] }, role: ['flow'] }, { id_prefix: [mine] }].map((related) => ({ related })),
        ...[[{ id: [one] }, { id: [`${mine}.thing.10`] }], {}, null, { labels: { 'prefect.resource.id': `${mine}.other*` } }, { id: [one, `${mine}.thing.0`] }].map((any_resource) => ({ any_resource })),
        ...[{ labels: { 'prefect.resource.name': ['thing 10', 'thing 20'] } }, { labels: { 'prefect.resource.name': 'thing ?0' } }, { labels: {} }, { labels: { none: '*' } }, { labels: { none: [] } }, { id: [], id_prefix: [] }, null].map((resource) => ({ resource })),
        { resource: { distinct: true }, order: 'ASC' },
        ...[{ name: [], prefix: [`${mine}.`], exclude_name: [], exclude_prefix: [] }, { name: [`${mine}.made`], prefix: [`${mine}.ch`] }, { prefix: [`${mine}_made`] }, { prefix: [`${mine}.%`] }].map((event) => ({ event })),
        { id: null }, { id: {} }, { text: { query: '' } }, { text: { query: '   ' } }, { text: null },
        { occurred: { since: '2026-10-05T00:00:00Z', until: '2026-10-04T00:00:00Z' } },
      ].map((fields) => ({ filter: { ...filter, ...fields } })),
    );
    for (const countable of ['day', 'event', 'resource', 'time'])
      await api.each('POST', `/events/count-by/${countable}`, [{ filter: { ...filter, order: 'ASC' } }, { filter: { ...filter, event: { name: ['none'] } } }, { filter, time_unit: 'hour', time_interval: 6 }, { filter: { ...filter, resource: { distinct: true } } }]);
  },

  count: async (api) => {
    const { filter } = await makeEvents(api);
    const hour = { ...filter, occurred: { since: '2026-10-01T10:00:00Z', until: '2026-10-01T11:00:00Z' } };
    await api.eachPath('POST', ['day', 'event', 'resource', 'x', ''].map((countable) => `/events/count-by/${countable}`), { filter });
    await api.each('POST', '/events/count-by/time', [
      ...['week', 'day', 'hour', 'minute', 'second', 'year', null].map((time_unit) => ({ filter, time_unit })),
      ...[1, 15, 0.5, 0.01, 0.001, '10', 'x', null, -1].map((time_interval) => ({ filter: hour, time_unit: 'minute', time_interval })),
      { filter: hour, time_unit: 'second', time_interval: 600 },
      { filter: hour, time_unit: 'second' },
      {},
      { filter: {}, time_unit: 'hour' },
      { filter: { occurred: { since: 'x' } } },
      ...MALFORMED,
    ]);
  },
};
