import type { Sequences } from '../twin-client.ts';
import { makeFlow } from './flow-runs.ts';

/** A deployment and its limit change at the same moment on the real server. */
const IGNORE = { ignore: ['updated'] };

export const deploymentLimits: Sequences = {
  'given, changed, shared, taken away': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const name = api.name();
    const limit = await api.post('/v2/concurrency_limits/', { name: api.name(), limit: 2 });
    const deployment = await api.post('/deployments/', { flow_id, name, concurrency_limit: 1, concurrency_options: { collision_strategy: 'CANCEL_NEW' } });
    const path = `/deployments/${deployment.id}`;
    const read = () => api.eachPath('GET', [path, `/v2/concurrency_limits/deployment:${deployment.id}`], undefined, IGNORE);
    for (const changes of [{}, { concurrency_limit: 4 }, { concurrency_limit: null }, { concurrency_options: { collision_strategy: 'ENQUEUE' } }, { concurrency_options: null }]) {
      await api.post('/deployments/', { flow_id, name, ...changes }, IGNORE);
      await read();
    }
    for (const changes of [{ concurrency_limit: 3 }, { global_concurrency_limit_id: limit.id }, { concurrency_options: { collision_strategy: 'CANCEL_NEW', grace_period_seconds: 70 } }, { concurrency_limit: 2.5 }, { concurrency_limit: 'x' }, { global_concurrency_limit_id: null }]) {
      await api.patch(path, changes);
      await read();
    }
    await api.get(`/v2/concurrency_limits/${limit.id}`);
    const other = await api.post('/deployments/', { flow_id, name: api.name(), concurrency_limit: 2 });
    await api.patch(`/v2/concurrency_limits/deployment:${other.id}`, { limit: 9, name: api.name() });
    await api.get(`/deployments/${other.id}`, IGNORE);
  },

  'names and parameters': async (api) => {
    const flow = await api.post('/flows/', { name: `ä b ${api.name()}` });
    const name = `dép ${api.name()} 1.0+x?#`;
    const { id } = await api.post('/deployments/', { flow_id: flow.id, name, tags: ['a'] });
    await api.eachPath('GET', [`/deployments/name/${encodeURIComponent(flow.name)}/${encodeURIComponent(name)}`, `/deployments/name/${flow.name}/x`, '/deployments/name//x', '/deployments/name/a/b/c', '/deployments/name/a', `/deployments/${id}/schedules`]);
    const schema = { type: 'object', properties: { a: { type: 'integer' } }, required: ['b'] };
    await api.each('PATCH', `/deployments/${id}`, [
      { work_queue_name: 'x/y' }, { work_queue_name: '' }, { work_pool_name: '' }, { tags: ['x', 'x'] }, { parameters: { a: 1 }, enforce_parameter_schema: false }, { parameter_openapi_schema: {} }, { parameter_openapi_schema: schema },
      { parameters: {} }, { description: '' }, { pull_steps: [{ a: { b: 1 } }] }, { infrastructure_document_id: api.id() }, { storage_document_id: 'x' }, { path: '', entrypoint: null },
    ]);
    await api.get(`/deployments/${id}`);
    await api.each('POST', `/deployments/${id}/create_flow_run`, [{}, { a: 1 }, { a: 'x' }, { b: 1 }].map((parameters) => ({ name: 'n', parameters })));
  },
};
