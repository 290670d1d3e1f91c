import type { Sequences } from '../twin-client.ts';
import { idFilters, MALFORMED, NUMBERED_PAGES, PAGES, textFilters } from './cases.ts';

/* The older routes: queues by their ids, in the pool of those that name none. Other sequences put queues there too, so each has a place of its own. */

const place = () => 1000 + Math.floor(Math.random() * 1_000_000_000);

export const workQueues: Sequences = {
  'create, read, change, delete': async (api) => {
    const name = api.name();
    const queue = await api.post('/work_queues/', { name, priority: place(), description: 'd', concurrency_limit: 1 });
    await api.each('POST', '/work_queues/', [
      { name },
      {},
      null,
      undefined,
      ...MALFORMED,
      ...['', 'a/b', 'a%b', null, 1].map((bad) => ({ name: bad })),
      { name: api.name(), priority: place(), is_paused: true },
      { name: api.name(), priority: 0 },
      { name: api.name(), concurrency_limit: -1 },
      { name: api.name(), priority: place(), filter: { tags: ['a'], deployment_ids: [api.id()] } },
      { name: api.name(), filter: { tags: 'x' } },
      { name: api.name(), unknown: 1 },
    ]);
    await api.eachPath('GET', [`/work_queues/${queue.id}`, `/work_queues/name/${name}`, `/work_queues/${api.id()}`, '/work_queues/name/unknown', '/work_queues/x', `/work_queues/${queue.id}/status`, `/work_queues/${api.id()}/status`]);
    await api.each('PATCH', `/work_queues/${queue.id}`, [
      {},
      { description: 'x' },
      { description: null },
      { is_paused: true },
      { is_paused: false },
      { is_paused: null },
      { concurrency_limit: null },
      { concurrency_limit: 3 },
      { priority: place() },
      { priority: null },
      { name: null },
      { last_polled: '2026-01-01T00:00:00Z' },
      { filter: { tags: ['a'] } },
      { filter: null },
      { unknown: 1 },
      null,
      ...MALFORMED,
    ]);
    await api.get(`/work_queues/${queue.id}`);
    await api.get(`/work_queues/${queue.id}/status`);
    await api.eachPath('PATCH', [`/work_queues/${api.id()}`, '/work_queues/x'], {});
    await api.eachPath('DELETE', [`/work_queues/${queue.id}`, `/work_queues/${queue.id}`, '/work_queues/x']);
  },

  filter: async (api) => {
    const tag = api.name();
    const names = ['a', 'b', 'c'].map((letter) => `${tag}-${letter}`);
    const queues = await api.each('POST', '/work_queues/', names.map((name) => ({ name, priority: place() })));
    const own = { name: { any_: names } };
    await api.each('POST', '/work_queues/filter', [
      ...PAGES.map((page) => ({ work_queues: own, ...page })),
      ...idFilters(queues.slice(0, 2).map(({ id }) => id)).map((id) => ({ work_queues: { ...own, id } })),
      ...textFilters(names.slice(0, 2)).map((name) => ({ work_queues: { id: { any_: queues.map(({ id }) => id) }, name } })),
      ...[[tag], [tag.toUpperCase()], ['%'], [`${tag}-a`, `${tag}-b`], [], null, 'x'].map((startswith_) => ({ work_queues: { id: { any_: queues.map(({ id }) => id) }, name: { startswith_ } } })),
      { work_queues: { operator: 'or_', id: { any_: [queues[0].id] }, name: { any_: [names[1]] } } },
      { work_queues: { operator: 'xor_' } },
      { work_queues: { unknown: 1 } },
      { work_queues: 'x' },
      ...MALFORMED.slice(1),
    ]);
  },

  'runs of a queue': async (api) => {
    const pool = api.name();
    await api.post('/work_pools/', { name: pool, type: 'process' });
    // Runs without a queue count for every queue of the name that they have.
    const name = api.name();
    const queue = await api.post(`/work_pools/${pool}/queues`, { name });
    const flow = await api.post('/flows/', { name: api.name() });
    const deployment = await api.post('/deployments/', { name: api.name(), flow_id: flow.id, work_pool_name: pool, work_queue_name: name });
    const runs = [];
    for (const offset of [-30, -20, 3600])
      runs.push(await api.post(`/deployments/${deployment.id}/create_flow_run`, { name: `run${offset}`, state: { type: 'SCHEDULED', name: 'AwaitingRetry', state_details: { scheduled_time: api.time(offset) } } }));
    const path = `/work_queues/${queue.id}/get_runs`;
    await api.post(path, { scheduled_before: api.time(5) }, { headers: { 'x-prefect-ui': 'true' } });
    await api.get(`/work_queues/${queue.id}`);
    await api.each('POST', path, [{}, { scheduled_before: api.time(5) }, { scheduled_before: 'x' }, { scheduled_before: null }, ...[0, 1, 201, null, 'x'].map((limit) => ({ limit })), { agent_id: api.id() }, { unknown: 1 }, ...MALFORMED.slice(1)]);
    await api.post(`/work_queues/${api.id()}/get_runs`, {});
    await api.each('POST', `/flow_runs/${runs[0].id}/set_state`, [{ state: { type: 'PENDING' } }, { state: { type: 'RUNNING' } }]);
    await api.patch(`/work_queues/${queue.id}`, { concurrency_limit: 2 });
    await api.get(`/work_queues/${queue.id}`);
    await api.post(path, { scheduled_before: api.time(5) });
    await api.each('POST', `/work_queues/${queue.id}/concurrency_status`, [{}, ...NUMBERED_PAGES, { unknown: 1 }, ...MALFORMED.slice(1)]);
    await api.post(`/work_queues/${api.id()}/concurrency_status`, {});
    await api.patch(`/work_queues/${queue.id}`, { is_paused: true });
    await api.post(path, {});
    await api.delete(`/work_queues/${queue.id}`);
    await api.get(`/flow_runs/${runs[1].id}`);
    await api.get(`/deployments/${deployment.id}`);
  },
};
