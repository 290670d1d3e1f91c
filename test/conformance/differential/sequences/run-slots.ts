import type { Sequences, TwinClient } from '../twin-client.ts';
import { makeFlow } from './flow-runs.ts';

/* Slots that runs take: of the limit of their deployment, of the limits of their tags. */

const LATER = '2037-06-01T12:00:00Z';

async function makeDeployment(api: TwinClient, fields: Record<string, unknown>) {
  const { id: flow_id } = await makeFlow(api);
  const { id } = await api.post('/deployments/', { flow_id, name: api.name(), ...fields });
  const start = async () => String((await api.post(`/deployments/${id}/create_flow_run`, { name: 'n' })).id);
  const propose = (run: string, type: string, more: Record<string, unknown> = {}, options?: Parameters<TwinClient['send']>[3]) => api.post(`/flow_runs/${run}/set_state`, { state: { type, ...more } }, options);
  // The real server changes a deployment and its limit at the same moment.
  const read = () => api.get(`/deployments/${id}`, { ignore: ['updated'] });
  return { id: String(id), start, propose, read };
}

async function makeTask(api: TwinClient, tags: string[], fields: Record<string, unknown> = {}) {
  const { id: flow_id } = await makeFlow(api);
  const run = await api.post('/flow_runs/', { flow_id, name: 'n', state: { type: 'RUNNING' } });
  return String((await api.post('/task_runs/', { flow_run_id: run.id, task_key: 'k', dynamic_key: '0', name: 'n', tags, ...fields })).id);
}

export const runSlots: Sequences = {
  'runs that wait for their turn': async (api) => {
    const { id, start, propose, read } = await makeDeployment(api, { concurrency_limit: 1 });
    const [first, second, third] = [await start(), await start(), await start()];
    await propose(first, 'PENDING');
    await read();
    await propose(second, 'PENDING');
    await api.get(`/flow_runs/${second}`);
    await propose(second, 'PENDING');
    await propose(second, 'RUNNING');
    await propose(first, 'PENDING', { name: 'InfrastructurePending' });
    await propose(first, 'RUNNING');
    await read();
    await propose(first, 'COMPLETED');
    await read();
    await propose(third, 'PENDING');
    await propose(second, 'SCHEDULED', { name: 'Late' });
    await propose(third, 'CANCELLING');
    await read();
    await propose(third, 'CANCELLED');
    await read();
    await propose(second, 'PENDING');
    await propose(second, 'FAILED');
    await read();
    await api.get(`/v2/concurrency_limits/deployment:${id}`);
    await api.delete(`/deployments/${id}`);
    await api.get(`/v2/concurrency_limits/deployment:${id}`);
  },

  'runs that are cancelled when it is full': async (api) => {
    const { start, propose, read } = await makeDeployment(api, { concurrency_limit: 1, concurrency_options: { collision_strategy: 'CANCEL_NEW' } });
    const [first, second] = [await start(), await start()];
    await propose(first, 'PENDING');
    await propose(second, 'PENDING');
    await api.get(`/flow_runs/${second}`);
    await propose(first, 'CRASHED');
    await read();
    await propose(second, 'PENDING');
  },

  'clients that know nothing of leases': async (api) => {
    for (const version of ['0.8.2', '0.8.3', '0.8.4']) {
      const { start, propose, read } = await makeDeployment(api, { concurrency_limit: 1, concurrency_options: { collision_strategy: 'ENQUEUE', grace_period_seconds: 60 } });
      const options = { headers: { 'x-prefect-api-version': version } };
      const run = await start();
      for (const type of ['PENDING', 'RUNNING', 'CANCELLING', 'CANCELLED']) {
        await propose(run, type, {}, options);
        await read();
      }
    }
  },

  'limits that change, pause and shut': async (api) => {
    const { id, start, propose, read } = await makeDeployment(api, { concurrency_limit: 2 });
    const [first, second, third] = [await start(), await start(), await start()];
    await propose(first, 'PENDING');
    await propose(second, 'PENDING');
    await api.patch(`/deployments/${id}`, { concurrency_limit: 1 });
    await read();
    await propose(third, 'PENDING');
    await api.patch(`/v2/concurrency_limits/deployment:${id}`, { active: false });
    await propose(third, 'PENDING');
    await read();
    await api.patch(`/v2/concurrency_limits/deployment:${id}`, { active: true, limit: 0 });
    await propose(await start(), 'PENDING');
    await api.patch(`/deployments/${id}`, { concurrency_limit: null });
    await propose(await start(), 'PENDING');
    for (const run of [first, second, third]) await propose(run, 'COMPLETED');
    await read();
  },

  'a limit that is shared': async (api) => {
    const limit = await api.post('/v2/concurrency_limits/', { name: api.name(), limit: 1 });
    const [one, other] = [await makeDeployment(api, { global_concurrency_limit_id: limit.id }), await makeDeployment(api, { global_concurrency_limit_id: limit.id })];
    const [first, second] = [await one.start(), await other.start()];
    await one.propose(first, 'PENDING');
    await other.propose(second, 'PENDING');
    await api.get(`/v2/concurrency_limits/${limit.name}`);
    await one.propose(first, 'RUNNING');
    await one.propose(first, 'PAUSED');
    await api.get(`/v2/concurrency_limits/${limit.name}`);
    await other.propose(second, 'PENDING');
  },

  'slots of runs that are forced, retried and deleted': async (api) => {
    const { start, propose, read } = await makeDeployment(api, { concurrency_limit: 1 });
    const first = await start();
    await api.post(`/flow_runs/${first}/set_state`, { state: { type: 'PENDING' }, force: true });
    await read();
    await propose(first, 'RUNNING');
    await read();
    await api.patch(`/flow_runs/${first}`, { empirical_policy: { retries: 1, retry_delay: 0 } });
    await propose(first, 'FAILED');
    await read();
    await propose(first, 'PENDING');
    await propose(first, 'RUNNING');
    await api.post(`/flow_runs/${first}/set_state`, { state: { type: 'COMPLETED' }, force: true });
    await read();
    const second = await start();
    await propose(second, 'PENDING');
    await api.delete(`/flow_runs/${second}`);
    await read();
    const third = await start();
    await propose(third, 'PENDING');
    await api.post('/flow_runs/bulk_delete', { flow_runs: { id: { any_: [third] } } });
    await read();
  },

  'tasks with tags': async (api) => {
    const [narrow, shut] = [api.name('narrow'), api.name('shut')];
    await api.each('POST', '/concurrency_limits/', [{ tag: narrow, concurrency_limit: 1 }, { tag: shut, concurrency_limit: 0 }]);
    const read = () => api.eachPath('GET', [`/concurrency_limits/tag/${narrow}`, `/v2/concurrency_limits/tag:${narrow}`]);
    const [first, second, third] = [await makeTask(api, [narrow]), await makeTask(api, [narrow, 'free']), await makeTask(api, [narrow, shut])];
    const propose = (task: string, type: string, more = {}) => api.post(`/task_runs/${task}/set_state`, { state: { type }, ...more });
    await propose(first, 'RUNNING');
    await read();
    await propose(first, 'RUNNING');
    await propose(second, 'RUNNING');
    await propose(third, 'RUNNING');
    await propose(second, 'RUNNING', { force: true });
    await read();
    await propose(second, 'COMPLETED');
    await propose(first, 'PAUSED');
    await read();
    await propose(first, 'COMPLETED');
    await read();
    await propose(third, 'RUNNING');
    await api.get(`/task_runs/${third}`);
    await propose(third, 'PENDING');
    const retried = await makeTask(api, [narrow], { empirical_policy: { retries: 1, retry_delay: 0 } });
    await propose(retried, 'RUNNING');
    await propose(retried, 'FAILED');
    await read();
    await propose(retried, 'RUNNING');
    await api.delete(`/task_runs/${retried}`);
    await read();
  },

  'delays between the attempts of a task': async (api) => {
    for (const empirical_policy of [{ retries: 3, retry_delay: [60, 120] }, { retries: 2, retry_delay: 3600 }, { max_retries: 1, retry_delay_seconds: 30 }, { retries: 2 }, { retries: 0, retry_delay: 5 }]) {
      const task = await makeTask(api, [], { empirical_policy });
      for (let attempt = 0; attempt < 4; attempt++) {
        await api.post(`/task_runs/${task}/set_state`, { state: { type: 'RUNNING' }, force: true });
        await api.post(`/task_runs/${task}/set_state`, { state: { type: 'FAILED', message: `${attempt}` } });
        await api.get(`/task_runs/${task}`);
      }
    }
    const waiting = await makeTask(api, [], { state: { type: 'SCHEDULED', state_details: { scheduled_time: LATER } } });
    for (const type of ['RUNNING', 'PENDING', 'RUNNING']) await api.post(`/task_runs/${waiting}/set_state`, { state: { type } });
  },

  'flow runs that are tried again': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    for (const empirical_policy of [{ retries: 1, retry_delay: 60, retry_type: 'in_process' }, { retries: 1, retry_delay: 60, retry_type: 'reschedule' }, { retries: 1, pause_keys: ['a'], resuming: true }]) {
      const run = await api.post('/flow_runs/', { flow_id, name: 'n', empirical_policy });
      const task = await api.post('/task_runs/', { flow_run_id: run.id, task_key: 'k', dynamic_key: '0', name: 'n', state: { type: 'RUNNING' } });
      for (const state of [{ type: 'RUNNING' }, { type: 'FAILED', name: 'TimedOut', message: 'm' }, { type: 'RUNNING' }, { type: 'PENDING' }, { type: 'RUNNING' }, { type: 'FAILED' }, { type: 'SCHEDULED', name: 'AwaitingRetry', state_details: { scheduled_time: LATER } }, { type: 'RUNNING' }]) {
        await api.post(`/flow_runs/${run.id}/set_state`, { state });
        await api.get(`/flow_runs/${run.id}`);
      }
      for (const type of ['FAILED', 'RUNNING']) await api.post(`/task_runs/${task.id}/set_state`, { state: { type } });
      await api.get(`/task_runs/${task.id}`);
    }
  },
};
