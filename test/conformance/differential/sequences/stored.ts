import { stateType } from '@praetor/schema/state';
import type { Sequences, TwinClient } from '../twin-client.ts';

/** The values of a column (the ids unless told otherwise) that are stored in a table, the newest first. */
export type Stored = (table: string, column?: string) => Promise<string[]>;

/** Most rows of one answer. */
const PAGE = 200;
/** So many are read one by one. */
const SINGLE_READS = 40;
const LONG_AGO = '2001-01-01T00:00:00Z';
const FAR_AHEAD = '2999-01-01T00:00:00Z';
const HISTORY = { history_start: '2026-03-01T00:00:00Z', history_end: '2026-05-01T00:00:00Z', history_interval_seconds: 1_000_000 };

/** The real server has no history of a run without a state. */
const WITH_STATE = { state: { type: { any_: stateType.options } } };

const toPages = (ids: readonly string[]): string[][] => Array.from({ length: Math.ceil(ids.length / PAGE) }, (_, page) => ids.slice(page * PAGE, (page + 1) * PAGE));

/**
 * Reads what is stored in every way that the API knows, and writes nothing: for two servers on the same database. Lists that
 * Prefect sorts by nothing, or by what may be equal, are taken for sets.
 */
export function readStored(stored: Stored): Sequences {
  const pagesOf = async (table: string) => toPages(await stored(table));
  const get = async (api: TwinClient, table: string, paths: (value: string) => readonly string[], column?: string) => {
    for (const value of (await stored(table, column)).slice(0, SINGLE_READS)) await api.eachPath('GET', paths(encodeURIComponent(value)), undefined, { unordered: true });
  };
  const filter = async (api: TwinClient, path: string, table: string, filterOf: (ids: string[]) => object) => {
    for (const ids of await pagesOf(table)) await api.post(path, { ...filterOf(ids), limit: PAGE }, { unordered: true });
  };

  return {
    'flows': async (api) => {
      await filter(api, '/flows/filter', 'flow', (ids) => ({ flows: { id: { any_: ids } } }));
      await filter(api, '/flows/paginate', 'flow', (ids) => ({ flows: { id: { any_: ids } } }));
      await get(api, 'flow', (id) => [`/flows/${id}`]);
      await get(api, 'flow', (name) => [`/flows/name/${name}`], 'name');
      for (const ids of await pagesOf('flow')) await api.eachPath('POST', ['/ui/flows/count-deployments', '/ui/flows/next-runs'], { flow_ids: ids }, { unordered: true });
    },

    'flow runs': async (api) => {
      for (const path of ['/flow_runs/filter', '/flow_runs/paginate']) await filter(api, path, 'flow_run', (ids) => ({ flow_runs: { id: { any_: ids } } }));
      await filter(api, '/ui/flow_runs/history', 'flow_run', (ids) => ({ flow_runs: { id: { any_: ids }, ...WITH_STATE } }));
      for (const ids of await pagesOf('flow_run')) {
        const flow_runs = { id: { any_: ids } };
        await api.eachPath('POST', ['/flow_runs/count', '/flow_runs/lateness'], { flow_runs });
        await api.post('/flow_runs/history', { flow_runs: { ...flow_runs, ...WITH_STATE }, ...HISTORY });
        await api.post('/ui/flow_runs/count-task-runs', { flow_run_ids: ids });
        await api.post('/deployments/get_scheduled_flow_runs', { deployment_ids: [], scheduled_before: FAR_AHEAD });
      }
      await get(api, 'flow_run', (id) => [`/flow_runs/${id}`, `/flow_run_states/?flow_run_id=${id}`, `/flow_runs/${id}/logs/download`]);
      await get(api, 'task_run', (id) => [`/flow_runs/${id}/graph`, `/flow_runs/${id}/graph-v2`], 'flow_run_id');
      await get(api, 'flow_run_state', (id) => [`/flow_run_states/${id}`]);
      for (const id of await stored('flow_run_input', 'flow_run_id')) await api.post(`/flow_runs/${id}/input/filter`, { prefix: '' }, { unordered: true });
    },

    'task runs': async (api) => {
      for (const path of ['/task_runs/filter', '/task_runs/paginate']) await filter(api, path, 'task_run', (ids) => ({ task_runs: { id: { any_: ids } } }));
      for (const ids of await pagesOf('task_run')) {
        const task_runs = { id: { any_: ids } };
        await api.eachPath('POST', ['/task_runs/count', '/ui/task_runs/count'], { task_runs });
        await api.post('/task_runs/history', { task_runs, ...HISTORY });
        await api.post('/ui/task_runs/dashboard/counts', { task_runs: { ...task_runs, start_time: { after_: '2026-03-01T00:00:00Z' } } });
      }
      await get(api, 'task_run', (id) => [`/task_runs/${id}`, `/ui/task_runs/${id}`, `/task_run_states/?task_run_id=${id}`]);
      await get(api, 'task_run_state', (id) => [`/task_run_states/${id}`]);
    },

    'deployments': async (api) => {
      for (const path of ['/deployments/filter', '/deployments/paginate']) await filter(api, path, 'deployment', (ids) => ({ deployments: { id: { any_: ids } } }));
      await get(api, 'deployment', (id) => [`/deployments/${id}`, `/deployments/${id}/schedules`, `/deployments/${id}/work_queue_check`]);
    },

    'artifacts': async (api) => {
      for (const path of ['/artifacts/filter', '/artifacts/count']) await filter(api, path, 'artifact', (ids) => ({ artifacts: { id: { any_: ids } } }));
      await filter(api, '/artifacts/latest/filter', 'artifact', (ids) => ({ artifacts: { latest_id: { any_: ids } } }));
      await get(api, 'artifact', (id) => [`/artifacts/${id}`]);
      await get(api, 'artifact_collection', (key) => [`/artifacts/${key}/latest`], 'key');
    },

    'work pools and queues': async (api) => {
      await filter(api, '/work_pools/filter', 'work_pool', (ids) => ({ work_pools: { id: { any_: ids } } }));
      await get(api, 'work_pool', (name) => [`/work_pools/${name}`], 'name');
      for (const name of await stored('work_pool', 'name')) {
        const pool = `/work_pools/${encodeURIComponent(name)}`;
        await api.eachPath('POST', [`${pool}/queues/filter`, `${pool}/concurrency_status`], {}, { unordered: true });
        // Told by the last heartbeat at this moment, not as some service has written it down.
        await api.post(`${pool}/workers/filter`, {}, { unordered: true, ignore: ['status'] });
      }
      await filter(api, '/work_queues/filter', 'work_queue', () => ({}));
      await get(api, 'work_queue', (id) => [`/work_queues/${id}`, `/work_queues/${id}/status`]);
    },

    'blocks': async (api) => {
      await api.post('/block_types/filter', {}, { unordered: true });
      await get(api, 'block_type', (id) => [`/block_types/${id}`]);
      await get(api, 'block_type', (slug) => [`/block_types/slug/${slug}`, `/block_types/slug/${slug}/block_documents`, `/block_types/slug/${slug}/block_documents?include_secrets=true`], 'slug');
      await api.post('/block_schemas/filter', {}, { unordered: true });
      await get(api, 'block_schema', (id) => [`/block_schemas/${id}`]);
      await get(api, 'block_schema', (checksum) => [`/block_schemas/checksum/${checksum}`], 'checksum');
      for (const include_secrets of [false, true]) await filter(api, '/block_documents/filter', 'block_document', (ids) => ({ block_documents: { id: { any_: ids }, is_anonymous: null }, include_secrets }));
      await get(api, 'block_document', (id) => [`/block_documents/${id}`, `/block_documents/${id}?include_secrets=true`]);
      await api.get('/block_capabilities/', { unordered: true });
    },

    'automations': async (api) => {
      await api.post('/automations/filter', {}, { unordered: true });
      await get(api, 'automation', (id) => [`/automations/${id}`]);
      await get(api, 'automation_related_resource', (id) => [`/automations/related-to/${id}`], 'resource_id');
    },

    'events': async (api) => {
      for (const ids of await pagesOf('events')) {
        const filter = { id: { id: ids.slice(0, 50) }, occurred: { since: LONG_AGO, until: FAR_AHEAD } };
        await api.post('/events/filter', { filter, limit: 50 }, { unordered: true });
      }
    },

    'logs, variables, limits, searches': async (api) => {
      for (const ids of await pagesOf('flow_run')) await api.post('/logs/filter', { logs: { flow_run_id: { any_: ids } } }, { unordered: true });
      await api.post('/logs/filter', { logs: { level: { le_: 0 } } }, { unordered: true });
      await filter(api, '/variables/filter', 'variable', (ids) => ({ variables: { id: { any_: ids } } }));
      await get(api, 'variable', (id) => [`/variables/${id}`]);
      for (const path of ['/concurrency_limits/filter', '/v2/concurrency_limits/filter', '/saved_searches/filter']) await api.post(path, {}, { unordered: true });
      await get(api, 'concurrency_limit_v2', (id) => [`/v2/concurrency_limits/${id}`, `/concurrency_limits/${id}`]);
      await get(api, 'concurrency_limit', (id) => [`/concurrency_limits/${id}`]);
      await get(api, 'saved_search', (id) => [`/saved_searches/${id}`]);
    },
  };
}
