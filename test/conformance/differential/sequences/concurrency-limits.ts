import type { Sequences } from '../twin-client.ts';
import { MALFORMED, PAGES } from './cases.ts';

/** Lists of limits cannot be asked for one's own: far behind the end, they are empty. */
const BEYOND = PAGES.filter((page) => !('offset' in page)).map((page) => ({ offset: 100_000, ...page }));

export const concurrencyLimits: Sequences = {
  'global: create, read, change, delete': async (api) => {
    const name = api.name();
    const limit = await api.post('/v2/concurrency_limits/', { name, limit: 3 });
    await api.post('/v2/concurrency_limits/', { name, limit: 4 });
    const paths = [`/v2/concurrency_limits/${limit.id}`, `/v2/concurrency_limits/${limit.id.toUpperCase()}`, `/v2/concurrency_limits/${limit.id.replaceAll('-', '')}`, `/v2/concurrency_limits/${name}`];
    await api.eachPath('GET', [...paths, `/v2/concurrency_limits/${api.id()}`, '/v2/concurrency_limits/unknown', '/v2/concurrency_limits/a%20b']);
    for (const changes of [{ limit: 5 }, { active: false }, { slot_decay_per_second: 0.5 }, { active_slots: 2 }, { denied_slots: 1 }, { slot_decay_per_second: 0 }, { name: `${name}-x` }, { name }, {}]) {
      await api.patch(`/v2/concurrency_limits/${limit.id}`, changes);
      await api.get(`/v2/concurrency_limits/${limit.id}`);
    }
    await api.each('PATCH', `/v2/concurrency_limits/${name}`, [
      ...['name', 'limit', 'active', 'active_slots', 'denied_slots', 'slot_decay_per_second'].map((field) => ({ [field]: null })),
      { limit: -1 },
      { limit: '7' },
      { limit: 1.5 },
      { limit: 2.0 },
      { limit: 2_147_483_648 },
      { active: 'no' },
      { active: 2 },
      { name: 'a/b' },
      { name: '' },
      { slot_decay_per_second: -1 },
      { avg_slot_occupancy_seconds: 1 },
      { unknown: 1 },
      null,
      undefined,
      ...MALFORMED,
    ]);
    await api.eachPath('PATCH', [`/v2/concurrency_limits/${api.id()}`, '/v2/concurrency_limits/unknown'], { limit: 1 });
    const other = await api.post('/v2/concurrency_limits/', { name: api.name(), limit: 1 });
    await api.patch(`/v2/concurrency_limits/${other.id}`, { name });
    await api.get(`/v2/concurrency_limits/${name}`);
    await api.eachPath('DELETE', [`/v2/concurrency_limits/${name}`, `/v2/concurrency_limits/${limit.id}`, `/v2/concurrency_limits/${other.id}`, `/v2/concurrency_limits/${api.id()}`, '/v2/concurrency_limits/unknown']);
  },

  'global: what a limit may be': async (api) => {
    const name = () => api.name();
    await api.each('POST', '/v2/concurrency_limits/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      ...['', 'a/b', 'a%b', 'a&b', 'a<b', null, 1, []].map((bad) => ({ name: bad, limit: 1 })),
      ...[0, -1, 1.5, 2.0, '3', 'x', null, [], true, 2_147_483_647, 2_147_483_648].map((limit) => ({ name: name(), limit })),
      { name: name() },
      { limit: 1 },
      ...['active', 'active_slots', 'denied_slots', 'slot_decay_per_second'].map((field) => ({ name: name(), limit: 1, [field]: null })),
      ...[true, false, 'false', 0, 2, 'x'].map((active) => ({ name: name(), limit: 1, active })),
      ...[0, 5, -1, 1.5].map((active_slots) => ({ name: name(), limit: 1, active_slots })),
      ...[0, 0.1, -0.1, '2', 'x', 1e10].map((slot_decay_per_second) => ({ name: name(), limit: 1, slot_decay_per_second })),
      { name: name(), limit: 1, denied_slots: 4 },
      { name: name(), limit: 1, avg_slot_occupancy_seconds: 7 },
      { name: name(), limit: 1, id: api.id() },
      { name: `${name()} ünïcödé ☃`, limit: 1 },
    ]);
    await api.each('POST', '/v2/concurrency_limits/filter', [...BEYOND, { offset: 100_000, unknown: 1 }, ...MALFORMED.slice(1)]);
  },

  'global: slots': async (api) => {
    const [wide, narrow, off] = [api.name('wide'), api.name('narrow'), api.name('off')];
    await api.each('POST', '/v2/concurrency_limits/', [{ name: wide, limit: 3 }, { name: narrow, limit: 1 }, { name: off, limit: 1, active: false }]);
    const read = () => api.eachPath('GET', [wide, narrow, off].map((name) => `/v2/concurrency_limits/${name}`));
    const take = (names: string[], slots = 1, more = {}) => api.post('/v2/concurrency_limits/increment', { names, slots, ...more }, { unordered: true });
    const give = (names: string[], slots = 1, more = {}) => api.post('/v2/concurrency_limits/decrement', { names, slots, ...more }, { unordered: true });
    await take([wide, narrow, off, 'unknown']);
    await take([wide, narrow]);
    await take([wide], 2);
    await take([wide], 4);
    await take([wide]);
    await read();
    await give([wide, narrow, off, 'unknown'], 1, { occupancy_seconds: 10 });
    await give([wide], 5);
    await read();
    await take([wide, wide], 2);
    await take(['unknown'], 7);
    await take([off], 7);
    await give(['unknown']);
    await take([wide], 1, { mode: 'rate_limit' });
    await take([wide], 1, { mode: 'concurrency' });
    await take([wide], 1, { create_if_missing: true });
    await take([wide], 1, { create_if_missing: null });
    await read();
    const rate = api.name('rate');
    await api.post('/v2/concurrency_limits/', { name: rate, limit: 2, slot_decay_per_second: 0.0001 });
    for (const mode of ['rate_limit', 'rate_limit', 'rate_limit', 'concurrency']) await take([rate], 1, { mode });
    await take([rate, wide], 1, { mode: 'rate_limit' });
    await api.get(`/v2/concurrency_limits/${rate}`);
    await api.patch(`/v2/concurrency_limits/${wide}`, { limit: 0 });
    await take([wide]);
  },

  'global: what a request for slots may be': async (api) => {
    const name = api.name();
    await api.post('/v2/concurrency_limits/', { name, limit: 1000 });
    const names = [name];
    for (const path of ['increment', 'decrement', 'increment-with-lease'])
      await api.each('POST', `/v2/concurrency_limits/${path}`, [
        {},
        null,
        undefined,
        ...MALFORMED,
        { names },
        { slots: 1 },
        ...[0, -1, 1.5, '1', 'x', null, [], true].map((slots) => ({ names, slots })),
        ...[[], 'x', null, [1], [null], {}, ['']].map((bad) => ({ names: bad, slots: 1 })),
        ...['rate', null, 1].map((mode) => ({ names, slots: 1, mode })),
        ...[0, -1, 0.5, '1', 'x', null].map((occupancy_seconds) => ({ names, slots: 1, occupancy_seconds })),
        ...[59, 60, 86_400, 86_401, 'x', null, 61.5].map((lease_duration) => ({ names, slots: 1, lease_duration })),
        ...[null, {}, { type: 'flow_run' }, { type: 'x', id: api.id() }, { type: 'flow_run', id: 'x' }, { type: 'task_run', id: api.id(), more: 1 }, { type: 'deployment', id: api.id() }, 'x'].map((holder) => ({ names, slots: 1, holder })),
        { names, slots: 1, unknown: 1 },
        { names, slots: 1, create_if_missing: 'x' },
      ]);
  },

  'global: leases': async (api) => {
    const [name, off] = [api.name(), api.name('off')];
    await api.post('/v2/concurrency_limits/', { name, limit: 2 });
    await api.post('/v2/concurrency_limits/', { name: off, limit: 2, active: false });
    const read = () => api.eachPath('GET', [name, off].map((one) => `/v2/concurrency_limits/${one}`));
    const take = (names: string[], slots = 1) => api.post('/v2/concurrency_limits/increment-with-lease', { names, slots, holder: { type: 'task_run', id: api.id() } }, { unordered: true });
    const first = await take([name, off, 'unknown'], 2);
    await take([name]);
    await take([name], 3);
    await read();
    await api.each('POST', `/v2/concurrency_limits/leases/${first.lease_id}/renew`, [{ lease_duration: 60 }, {}, undefined, null, { lease_duration: 1 }, { lease_duration: 'x' }, { unknown: 1 }, ...MALFORMED.slice(1)]);
    await api.eachPath('POST', [`/v2/concurrency_limits/leases/${api.id()}/renew`, '/v2/concurrency_limits/leases/x/renew'], { lease_duration: 60 });
    await api.post('/v2/concurrency_limits/decrement-with-lease', { lease_id: first.lease_id });
    await read();
    await api.post('/v2/concurrency_limits/decrement-with-lease', { lease_id: first.lease_id });
    await api.post(`/v2/concurrency_limits/leases/${first.lease_id}/renew`, { lease_duration: 60 });
    await read();
    await take(['unknown']);
    await api.each('POST', '/v2/concurrency_limits/decrement-with-lease', [{ lease_id: api.id() }, { lease_id: 'x' }, { lease_id: null }, {}, null, undefined, ...MALFORMED]);
  },

  'tags: create, read, reset, delete': async (api) => {
    const tag = api.name('tag');
    const limit = await api.post('/concurrency_limits/', { tag, concurrency_limit: 2 });
    await api.each('POST', '/concurrency_limits/', [{ tag, concurrency_limit: 3 }, { tag, concurrency_limit: 3 }]);
    await api.eachPath('GET', [`/concurrency_limits/${limit.id}`, `/concurrency_limits/tag/${tag}`, `/v2/concurrency_limits/tag:${tag}`, `/concurrency_limits/${api.id()}`, '/concurrency_limits/x', '/concurrency_limits/tag/unknown']);
    const global = await api.post('/v2/concurrency_limits/', { name: api.name(), limit: 1 });
    await api.eachPath('GET', [`/concurrency_limits/${global.id}`, `/concurrency_limits/tag/${global.name}`]);
    await api.each('POST', `/concurrency_limits/tag/${tag}/reset`, [{ slot_override: [api.id()] }, { slot_override: null }, {}, undefined, null, { slot_override: 'x' }, { slot_override: ['x'] }, { slot_override: [] }, { unknown: 1 }, ...MALFORMED.slice(1)]);
    await api.post('/concurrency_limits/tag/unknown/reset', {});
    const [one, other] = [api.id(), api.id()];
    await api.post(`/concurrency_limits/tag/${tag}/reset`, { slot_override: [one, other] });
    await api.get(`/concurrency_limits/tag/${tag}`, { unordered: true });
    await api.get(`/v2/concurrency_limits/tag:${tag}`);
    await api.each('POST', '/concurrency_limits/filter', [...BEYOND, ...MALFORMED.slice(1)]);
    await api.eachPath('DELETE', [`/concurrency_limits/${limit.id}`, `/concurrency_limits/${limit.id}`, `/concurrency_limits/tag/${tag}`, '/concurrency_limits/x', `/concurrency_limits/${api.id()}`]);
    await api.post('/concurrency_limits/', { tag, concurrency_limit: 2 });
    await api.eachPath('DELETE', [`/concurrency_limits/tag/${tag}`, `/concurrency_limits/tag/${tag}`, `/concurrency_limits/${global.id}`]);
    await api.get(`/v2/concurrency_limits/${global.id}`);
  },

  'tags: what a limit may be': async (api) => {
    const tag = () => api.name('tag');
    await api.each('POST', '/concurrency_limits/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      { tag: tag() },
      { concurrency_limit: 1 },
      ...[0, -1, 1.5, 2.0, '3', 'x', null, [], true].map((concurrency_limit) => ({ tag: tag(), concurrency_limit })),
      ...[null, 1, []].map((bad) => ({ tag: bad, concurrency_limit: 1 })),
      { tag: `${tag()} a b ü`, concurrency_limit: 1 },
      { tag: tag(), concurrency_limit: 1, active_slots: [] },
      { tag: tag(), concurrency_limit: 1, unknown: 1 },
    ]);
  },

  'tags: slots': async (api) => {
    const [wide, narrow, closed] = [api.name('wide'), api.name('narrow'), api.name('closed')];
    await api.each('POST', '/concurrency_limits/', [{ tag: wide, concurrency_limit: 3 }, { tag: narrow, concurrency_limit: 1 }, { tag: closed, concurrency_limit: 0 }]);
    const read = () => api.eachPath('GET', [wide, narrow].flatMap((tag) => [`/concurrency_limits/tag/${tag}`, `/v2/concurrency_limits/tag:${tag}`]), undefined, { unordered: true });
    const [one, other] = [api.id(), api.id()];
    const take = (names: string[], task_run_id: string) => api.post('/concurrency_limits/increment', { names, task_run_id }, { unordered: true });
    const give = (names: string[], task_run_id: string) => api.post('/concurrency_limits/decrement', { names, task_run_id }, { unordered: true });
    await take([wide, narrow, 'unknown'], one);
    await take([wide, narrow], other);
    await take([wide], other);
    await take([wide, closed], one);
    await take(['unknown'], one);
    await take([], one);
    await read();
    await give([wide, narrow], other);
    await read();
    await give([wide, narrow, 'unknown'], one);
    await read();
    await give([wide], one);
    await give([], one);
    for (const path of ['increment', 'decrement'])
      await api.each('POST', `/concurrency_limits/${path}`, [{}, { names: [wide] }, { task_run_id: one }, { names: [wide], task_run_id: 'x' }, { names: 'x', task_run_id: one }, { names: null, task_run_id: one }, { names: [1], task_run_id: one }, null, undefined, ...MALFORMED]);
  },
};
