import type { Sequences } from '../twin-client.ts';
import { makeFlow } from './flow-runs.ts';

/* What goes when something else is deleted or renamed, and what stays. */

export const deletion: Sequences = {
  'of a flow run and its flow': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const run = await api.post('/flow_runs/', { flow_id, name: 'n', state: { type: 'RUNNING' } });
    const task = await api.post('/task_runs/', { flow_run_id: run.id, task_key: 'k', dynamic_key: '0', name: 't', state: { type: 'RUNNING' } });
    const child = await api.post('/flow_runs/', { flow_id, name: 'child', parent_task_run_id: task.id });
    const artifact = await api.post('/artifacts/', { flow_run_id: run.id, task_run_id: task.id, type: 'markdown', data: 'x', key: api.name() });
    await api.post(`/flow_runs/${run.id}/input`, { key: 'k', value: '1' });
    await api.delete(`/flow_runs/${run.id}`);
    await api.eachPath('GET', [
      `/task_runs/${task.id}`, `/flow_runs/${child.id}`, `/artifacts/${artifact.id}`, `/artifacts/${artifact.key}/latest`,
      `/flow_run_states/?flow_run_id=${run.id}`, `/task_run_states/?task_run_id=${task.id}`, `/flow_runs/${run.id}/graph-v2`, `/flow_runs/${run.id}/input/k`,
    ]);
    await api.eachPath('POST', ['resume', 'set_state', 'input/filter'].map((path) => `/flow_runs/${run.id}/${path}`), { prefix: 'k', limit: 5, state: { type: 'RUNNING' } });
    const deployment = await api.post('/deployments/', { flow_id, name: api.name(), concurrency_limit: 1 });
    await api.delete(`/flows/${flow_id}`);
    await api.eachPath('GET', [`/flow_runs/${child.id}`, `/deployments/${deployment.id}`]);
  },

  'of a block type and a schema': async (api) => {
    const slug = api.name();
    const make = async () => {
      const type = await api.post('/block_types/', { name: slug, slug });
      const fields = { title: 'T', type: 'object', properties: { a: { type: 'string' } }, secret_fields: ['a'], block_type_slug: slug };
      const schema = await api.post('/block_schemas/', { fields, block_type_id: type.id, capabilities: ['x', 'y'], version: '1' }, { unordered: true });
      const document = await api.post('/block_documents/', { name: 'd', data: { a: 's', b: [1.5, 1e20] }, block_schema_id: schema.id, block_type_id: type.id }, { unordered: true });
      return { type, schema, document };
    };
    const first = await make();
    const block_types = { slug: { any_: [slug] } };
    const block_schemas = [{ block_capabilities: { all_: ['x', 'y'] } }, { block_capabilities: { all_: ['x', 'z'] } }, { operator: 'or_', version: { any_: ['1'] }, block_capabilities: { all_: ['z'] } }];
    await api.each('POST', '/block_documents/filter', [{ block_types, include_secrets: true }, ...block_schemas.map((filter) => ({ block_types, block_schemas: filter }))], { unordered: true });
    await api.delete(`/block_types/${first.type.id}`);
    await api.eachPath('GET', [`/block_documents/${first.document.id}`, `/block_schemas/${first.schema.id}`, `/block_types/slug/${slug}/block_documents`]);
    const second = await make();
    await api.delete(`/block_schemas/${second.schema.id}`);
    await api.eachPath('GET', [`/block_documents/${second.document.id}`, `/block_types/slug/${slug}/block_documents`, `/block_types/slug/${slug}/block_documents/name/d`]);
  },

  'of a queue, a pool and a worker': async (api) => {
    const pool = api.name();
    await api.post('/work_pools/', { name: pool, type: 'process' });
    const { id: flow_id } = await makeFlow(api);
    const deployment = await api.post('/deployments/', { flow_id, name: api.name(), work_pool_name: pool, work_queue_name: 'own' });
    const run = await api.post(`/deployments/${deployment.id}/create_flow_run`, { name: 'n' });
    const queue = await api.get(`/work_pools/${pool}/queues/own`);
    const all = [`/deployments/${deployment.id}`, `/flow_runs/${run.id}`, `/work_pools/${pool}`, `/work_pools/${pool}/queues/default`, `/work_queues/${queue.id}`, `/work_queues/${queue.id}/status`];
    await api.patch(`/work_pools/${pool}/queues/own`, { name: 'renamed', priority: 1 });
    await api.eachPath('GET', all);
    await api.delete(`/work_pools/${pool}/queues/renamed`);
    await api.eachPath('GET', all);
    await api.post(`/deployments/${deployment.id}/create_flow_run`, { name: 'n' });
    const odd = encodeURIComponent(`a b ü ${api.name()}`);
    await api.post('/work_pools/', { name: decodeURIComponent(odd), type: 'process' });
    await api.post(`/work_pools/${odd}/queues`, { name: 'x y?#ü+' });
    await api.post(`/work_pools/${odd}/workers/heartbeat`, { name: 'w 1 ü', heartbeat_interval_seconds: 30 });
    await api.post(`/work_pools/${odd}/workers/filter`, {});
    const oddQueue = `/work_pools/${odd}/queues/${encodeURIComponent('x y?#ü+')}`;
    await api.eachPath('GET', [`/work_pools/${odd}`, oddQueue]);
    await api.eachPath('DELETE', [`/work_pools/${odd}/workers/${encodeURIComponent('w 1 ü')}`, oddQueue, `/work_pools/${odd}`, `/work_pools/${odd}`]);
  },

  'of what a limit, a variable or an artifact belongs to': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const task = await api.post('/task_runs/', { task_key: api.name(), dynamic_key: '0', name: 't', state: { type: 'RUNNING' } });
    const key = api.name();
    const artifacts = await api.each('POST', '/artifacts/', ['one', 'two', 'three'].map((data) => ({ key, data, task_run_id: task.id })));
    await api.delete(`/task_runs/${task.id}`);
    for (const { id } of artifacts.toReversed()) {
      await api.delete(`/artifacts/${id}`);
      await api.get(`/artifacts/${key}/latest`);
    }
    const deployment = await api.post('/deployments/', { flow_id, name: api.name(), concurrency_limit: 2, schedules: [{ schedule: { cron: '0 0 31 2 *' }, slug: 's' }] });
    const limit = `/v2/concurrency_limits/deployment:${deployment.id}`;
    await api.get(limit);
    await api.delete(limit);
    await api.eachPath('GET', [limit, `/deployments/${deployment.id}`]);
    await api.patch(`/deployments/${deployment.id}`, { concurrency_limit: 3 });
    await api.get(limit);
    await api.delete(`/deployments/${deployment.id}`);
    await api.eachPath('GET', [limit, `/deployments/${deployment.id}/schedules`]);
  },
};
