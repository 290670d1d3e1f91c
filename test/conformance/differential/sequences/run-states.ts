import type { Sequences, TwinClient } from '../twin-client.ts';
import { MALFORMED } from './cases.ts';
import { makeFlow } from './flow-runs.ts';

const TYPES = ['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING'];
const LATER = '2037-06-01T12:00:00Z';

type State = string | Record<string, unknown>;
const stateOf = (state: State) => (typeof state === 'string' ? { type: state } : state);

/** Proposes states one after the other, then reads the run. */
async function walk(api: TwinClient, run: string, states: State[], options?: Parameters<TwinClient['send']>[3]) {
  for (const state of states) await api.post(`/flow_runs/${run}/set_state`, { state: stateOf(state) }, options);
  await api.get(`/flow_runs/${run}`);
}

async function makeRun(api: TwinClient, fields: Record<string, unknown> = {}): Promise<string> {
  const flow_id = fields['flow_id'] ?? (await makeFlow(api)).id;
  return (await api.post('/flow_runs/', { flow_id, name: 'n', ...fields })).id;
}

export const runStates: Sequences = {
  'every transition of a flow run': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    for (const from of TYPES)
      for (const to of TYPES) {
        const run = await makeRun(api, { flow_id, state: { type: from } });
        await walk(api, run, [to]);
      }
  },

  'every transition of a run of a deployment': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const { id: deployment_id } = await api.post('/deployments/', { flow_id, name: api.name() });
    for (const from of ['COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING'])
      for (const to of ['SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING']) {
        const run = await makeRun(api, { flow_id, deployment_id, state: { type: from } });
        await walk(api, run, [to]);
      }
  },

  'every forced transition': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    for (const from of TYPES)
      for (const to of ['PENDING', 'RUNNING', 'COMPLETED', 'PAUSED', 'CANCELLING']) {
        const run = await makeRun(api, { flow_id, state: { type: from } });
        await api.post(`/flow_runs/${run}/set_state`, { state: { type: to }, force: true });
      }
  },

  'the life of a flow run': async (api) => {
    const run = await makeRun(api);
    await walk(api, run, ['PENDING', { type: 'PENDING', name: 'InfrastructurePending' }, 'RUNNING', 'RUNNING', { type: 'COMPLETED', message: 'done', data: { type: 'unpersisted' } }]);
    const states = await api.get(`/flow_run_states/?flow_run_id=${run}`);
    await api.eachPath('GET', [
      ...states.map(({ id }: { id: string }) => `/flow_run_states/${id}`),
      `/flow_run_states/${api.id()}`,
      '/flow_run_states/x',
      '/flow_run_states/',
      '/flow_run_states/?flow_run_id=x',
      `/flow_run_states/?flow_run_id=${api.id()}`,
      `/flow_run_states/?task_run_id=${run}`,
    ]);
  },

  retries: async (api) => {
    const run = await makeRun(api, { empirical_policy: { retries: 1, retry_delay: 0 } });
    await walk(api, run, ['PENDING', 'RUNNING', { type: 'FAILED', message: 'first', data: { x: 1 } }, 'RUNNING', { type: 'FAILED', name: 'TimedOut' }]);
    const waiting = await makeRun(api, { empirical_policy: { retries: 2, retry_delay: 3600 } });
    await walk(api, waiting, ['RUNNING', 'FAILED', 'RUNNING', 'PENDING', 'RUNNING']);
    for (const version of ['0.8.2', '0.8.3']) await walk(api, await makeRun(api, { empirical_policy: { retries: 1 } }), ['RUNNING', 'FAILED', 'RUNNING', 'COMPLETED'], { headers: { 'x-prefect-api-version': version } });
  },

  'scheduled runs': async (api) => {
    const run = await makeRun(api, { state: { type: 'SCHEDULED', state_details: { scheduled_time: LATER } } });
    await walk(api, run, ['RUNNING', 'PENDING', 'RUNNING', 'CANCELLING']);
    await walk(api, await makeRun(api, { state: { type: 'SCHEDULED' } }), [{ type: 'SCHEDULED', name: 'Late' }, { type: 'SCHEDULED', name: 'Late' }, { type: 'SCHEDULED', state_details: { scheduled_time: LATER } }, 'PENDING']);
    await walk(api, await makeRun(api), [{ type: 'SCHEDULED', name: 'Late' }, { type: 'SCHEDULED', name: 'AwaitingRetry' }, 'CANCELLING']);
    const started = await makeRun(api, { state: { type: 'SCHEDULED' } });
    await api.patch(`/flow_runs/${started}`, { infrastructure_pid: 'pid' });
    await walk(api, started, ['CANCELLING', 'COMPLETED', 'CANCELLED']);
  },

  'pause and resume': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const { id: deployment_id } = await api.post('/deployments/', { flow_id, name: api.name() });
    const pause = { type: 'PAUSED', state_details: { pause_timeout: LATER, pause_key: 'one' } };
    const paused = await makeRun(api, { flow_id });
    await walk(api, paused, ['RUNNING', pause, 'PENDING', pause]);
    await api.each('POST', `/flow_runs/${paused}/resume`, [{}, {}]);
    await walk(api, paused, [pause, { ...pause, state_details: { pause_key: 'two' } }, 'CANCELLING', 'CANCELLED']);
    await api.post(`/flow_runs/${paused}/resume`, {});
    const suspended = await makeRun(api, { flow_id, deployment_id });
    await walk(api, suspended, ['RUNNING', { type: 'PAUSED', name: 'Suspended', state_details: { pause_reschedule: true, pause_timeout: LATER } }]);
    await api.post(`/flow_runs/${suspended}/resume`);
    await walk(api, suspended, ['PENDING', 'RUNNING', 'COMPLETED']);
    const undeployed = await makeRun(api, { flow_id });
    await walk(api, undeployed, ['RUNNING', { type: 'PAUSED', state_details: { pause_reschedule: true } }]);
    const expired = await makeRun(api, { flow_id });
    await walk(api, expired, ['RUNNING', { type: 'PAUSED', state_details: { pause_timeout: '2020-01-01T00:00:00Z' } }]);
    await api.post(`/flow_runs/${expired}/resume`, {});
    await walk(api, await makeRun(api, { flow_id, deployment_id, state: { type: 'RUNNING' } }), [{ type: 'PAUSED', state_details: { pause_reschedule: true } }, 'CANCELLING']);
    await api.each('POST', `/flow_runs/${expired}/resume`, [{ run_input: 'x' }, { run_input: null }, { unknown: 1 }, null, undefined, ...MALFORMED]);
    await api.eachPath('POST', ['/flow_runs/x/resume', `/flow_runs/${paused}/unknown`], {});
  },

  'resume with input': async (api) => {
    const run = await makeRun(api);
    const path = `/flow_runs/${run}`;
    const schema = { type: 'object', properties: { age: { type: 'integer' }, name: { type: 'string' } }, required: ['age'] };
    const keyset = { schema: 'ask-schema', response: 'ask-response', description: 'ask-description' };
    const pause = { type: 'PAUSED', state_details: { pause_timeout: LATER, pause_key: 'k', run_input_keyset: keyset } };
    await walk(api, run, ['RUNNING', pause]);
    await api.post(`${path}/resume`, { run_input: { age: 1 } });
    await api.post(`${path}/input`, { key: 'ask-schema', value: 'no json' });
    await api.post(`${path}/resume`, { run_input: { age: 1 } });
    await api.delete(`${path}/input/ask-schema`);
    await api.post(`${path}/input`, { key: 'ask-schema', value: JSON.stringify(schema) });
    await api.each('POST', `${path}/resume`, [{}, { run_input: {} }, { run_input: { age: 'x' } }, { run_input: { name: 'n' } }, { run_input: { age: { __prefect_kind: 'json', value: 'no json' } } }, { run_input: { age: 1, other: 'ü' } }]);
    await api.get(path);
    await api.get(`${path}/input/ask-response`);
    await api.post(`${path}/resume`, { run_input: { age: 1 } });
  },

  'what a proposal may be': async (api) => {
    const run = await makeRun(api);
    const path = `/flow_runs/${run}/set_state`;
    await api.each('POST', path, [
      {},
      null,
      undefined,
      ...MALFORMED,
      ...[null, {}, 'RUNNING', [], { type: 'x' }, { type: null }, { name: 'x' }, { type: 'RUNNING', unknown: 1 }, { type: 'RUNNING', id: api.id() }, { type: 'RUNNING', timestamp: LATER }].map((state) => ({ state })),
      ...[{ name: '' }, { name: 'ü ☃' }, { name: 1 }, { message: 1 }, { message: '' }, { message: 'ü' }, { state_details: null }, { state_details: { unknown: 1 } }, { state_details: { scheduled_time: 'x' } }, { state_details: { transition_id: 'x' } }].map((fields) => ({ state: { type: 'RUNNING', ...fields } })),
      ...[true, 'true', 1, null, 'x'].map((force) => ({ state: { type: 'RUNNING' }, force })),
      { state: { type: 'RUNNING' }, unknown: 1 },
    ]);
    await api.eachPath('POST', [`/flow_runs/${api.id()}/set_state`, '/flow_runs/x/set_state'], { state: { type: 'RUNNING' } });
    const transition_id = api.id();
    await walk(api, run, [{ type: 'RUNNING', state_details: { transition_id } }, { type: 'RUNNING', state_details: { transition_id } }, { type: 'COMPLETED', state_details: { transition_id } }]);
  },

  'data of states': async (api) => {
    const results = [{ type: 'reference', storage_key: 'k' }, { artifact_key: 'key', artifact_type: 'result', artifact_description: 'text', value: 1.5 }, { type: 'unpersisted' }, 'text', 0, false, [], {}, [1.0, null], null];
    for (const data of results) {
      const run = await makeRun(api);
      await walk(api, run, ['RUNNING', { type: 'COMPLETED', data }]);
      const [state] = (await api.get(`/flow_run_states/?flow_run_id=${run}`)).slice(-1);
      await api.get(`/flow_run_states/${state.id}`);
      await api.post('/artifacts/filter', { artifacts: { flow_run_id: { any_: [run] } } });
      for (const next of [{ type: 'COMPLETED' }, { type: 'COMPLETED', data: { type: 'reference', x: 1 } }, { type: 'FAILED' }, { type: 'RUNNING' }]) await walk(api, run, [next]);
    }
  },

  'bulk set_state': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const ids = [];
    for (const type of ['RUNNING', 'COMPLETED', 'PENDING']) ids.push(await makeRun(api, { flow_id, state: { type } }));
    const flow_runs = { id: { any_: ids } };
    const bulk = '/flow_runs/bulk_set_state';
    await api.each('POST', bulk, [{}, ...MALFORMED, { flow_runs }, { flow_runs, state: { type: 'x' } }, ...[0, 51, 'x'].map((limit) => ({ flow_runs, state: { type: 'RUNNING' }, limit })), { flow_runs: { unknown: 1 }, state: { type: 'RUNNING' } }]);
    for (const type of ['PENDING', 'CANCELLING', 'CANCELLED', 'SCHEDULED']) await api.post(bulk, { flow_runs, state: { type } }, { unordered: true });
    await api.post(bulk, { flow_runs, state: { type: 'RUNNING', name: 'Forced' }, force: true }, { unordered: true });
    await api.post(bulk, { flow_runs: { id: { any_: [] } }, state: { type: 'RUNNING' } });
    await api.post(bulk, { flow_runs: { id: { any_: ids.slice(0, 1) } }, state: { type: 'COMPLETED' }, limit: 1 });
  },

  'a run within a run': async (api) => {
    const parent = await makeRun(api, { state: { type: 'RUNNING' } });
    const task = await api.post('/task_runs/', { flow_run_id: parent, task_key: 'sub', dynamic_key: '0', name: 'sub' });
    const child = await makeRun(api, { parent_task_run_id: task.id });
    for (const state of ['PENDING', 'RUNNING', { type: 'PAUSED', state_details: { pause_reschedule: true } }, { type: 'COMPLETED', data: { type: 'reference' } }]) {
      await walk(api, child, [state]);
      await api.get(`/task_runs/${task.id}`);
    }
    await api.post('/flow_runs/filter', { flow_runs: { parent_flow_run_id: { any_: [parent] } } });
    await api.post('/task_runs/filter', { task_runs: { flow_run_id: { any_: [parent] }, subflow_runs: { exists_: true } } });
  },
};
