import type { Sequences, TwinClient } from '../twin-client.ts';
import { makeFlow } from './flow-runs.ts';

/* The events that a server emits by itself about what it stores. */

/** Reads the events about a resource, when there are as many as expected. */
async function readEvents(api: TwinClient, id: string, count: number, options?: { unordered: boolean }) {
  await api.eventually((body) => body.total === count, 'POST', '/events/filter', { filter: { resource: { id: [id] }, order: 'ASC' } }, options);
}

export const objectEvents: Sequences = {
  'of a pool and its queues': async (api) => {
    const name = api.name();
    const pool = await api.post('/work_pools/', { name, type: 'process' });
    const queue = await api.post(`/work_pools/${name}/queues`, { name: 'q', concurrency_limit: 2 });
    await api.patch(`/work_pools/${name}/queues/q`, { is_paused: true, concurrency_limit: 5 });
    await api.patch(`/work_pools/${name}/queues/q`, { description: 'd' });
    await api.patch(`/work_pools/${name}`, { is_paused: true });
    await api.patch(`/work_pools/${name}`, { is_paused: false, concurrency_limit: 3, description: 'd' });
    await api.post(`/work_pools/${name}/workers/heartbeat`, { name: 'w' });
    await api.delete(`/work_pools/${name}/queues/q`);
    await api.delete(`/work_pools/${name}`);
    await readEvents(api, `prefect.work-queue.${queue.id}`, 5);
    // A pool is created and not ready at the same moment.
    await readEvents(api, `prefect.work-pool.${pool.id}`, 7, { unordered: true });
  },

  'of a deployment': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const pool = api.name();
    await api.post('/work_pools/', { name: pool, type: 'process' });
    const name = api.name();
    const { id } = await api.post('/deployments/', { flow_id, name, tags: ['b', 'a'], work_pool_name: pool, concurrency_limit: 1 });
    for (const changes of [{ description: 'd' }, { tags: ['c'] }, { paused: true }, { concurrency_limit: 3 }, { parameters: { a: 1 } }, {}]) await api.patch(`/deployments/${id}`, changes);
    await api.post('/deployments/', { flow_id, name, version: '2' });
    await api.post(`/deployments/${id}/pause_deployment`);
    await api.post(`/deployments/${id}/schedules`, [{ schedule: { cron: '0 0 31 2 *' } }]);
    await api.delete(`/deployments/${id}`);
    await readEvents(api, `prefect.deployment.${id}`, 7);
  },

  'of a flow run with everything around it': async (api) => {
    const flow = await api.post('/flows/', { name: api.name(), tags: ['flow', 'both'] });
    const pool = api.name();
    await api.post('/work_pools/', { name: pool, type: 'process' });
    const deployment = await api.post('/deployments/', { flow_id: flow.id, name: api.name(), tags: ['deployment', 'both'], work_pool_name: pool });
    const run = await api.post(`/deployments/${deployment.id}/create_flow_run`, { name: 'n', tags: ['run'] });
    for (const state of [{ type: 'PENDING' }, { type: 'RUNNING', message: 'ü'.repeat(10) }, { type: 'PAUSED', state_details: { pause_key: 'a', pause_timeout: '2037-06-01T12:00:00Z' } }, { type: 'RUNNING', name: 'Again' }, { type: 'FAILED', name: 'Broken', message: 'so it is' }]) await api.post(`/flow_runs/${run.id}/set_state`, { state });
    const task = await api.post('/task_runs/', { flow_run_id: run.id, task_key: 'k', dynamic_key: '0', name: 't', tags: ['task'] });
    const child = await api.post('/flow_runs/', { flow_id: flow.id, name: 'child', parent_task_run_id: task.id, state: { type: 'RUNNING' } });
    await api.patch(`/flow_runs/${child.id}`, { name: 'renamed' });
    await api.post(`/flow_runs/${child.id}/set_state`, { state: { type: 'COMPLETED' } });
    await api.delete(`/flow_runs/${child.id}`);
    await readEvents(api, `prefect.flow-run.${run.id}`, 6);
    await readEvents(api, `prefect.flow-run.${child.id}`, 2);
  },

  'of variables, limits and blocks': async (api) => {
    const variable = await api.post('/variables/', { name: api.name(), value: { a: 1 }, tags: ['t'] });
    await api.patch(`/variables/${variable.id}`, { value: 2 });
    await api.delete(`/variables/${variable.id}`);
    const limit = await api.post('/v2/concurrency_limits/', { name: api.name(), limit: 2 });
    await api.patch(`/v2/concurrency_limits/${limit.id}`, { limit: 3, active: false });
    await api.delete(`/v2/concurrency_limits/${limit.id}`);
    const slug = api.name();
    const type = await api.post('/block_types/', { name: slug, slug });
    const schema = await api.post('/block_schemas/', { fields: { title: 'T', type: 'object', properties: { a: { type: 'string' } }, secret_fields: ['a'], block_type_slug: slug }, block_type_id: type.id, capabilities: ['x'], version: '1' });
    const document = await api.post('/block_documents/', { name: 'd', data: { a: 's', b: 1 }, block_schema_id: schema.id, block_type_id: type.id });
    await api.patch(`/block_documents/${document.id}`, { data: { b: 2 } });
    await api.delete(`/block_documents/${document.id}`);
    await readEvents(api, `prefect.variable.${variable.id}`, 3);
    await readEvents(api, `prefect.concurrency-limit.${limit.id}`, 3);
    await readEvents(api, `prefect.block-document.${document.id}`, 3);
  },
};
