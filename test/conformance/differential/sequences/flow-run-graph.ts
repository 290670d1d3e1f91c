import type { Sequences } from '../twin-client.ts';

const result = (id: string, input_type = 'task_run') => ({ input_type, id });

export const flowRunGraph: Sequences = {
  'edges, children, wrappers, artifacts and states': async (api) => {
    const flow = await api.post('/flows/', { name: api.name() });
    const run = await api.post('/flow_runs/', { flow_id: flow.id, name: 'main', state: { type: 'RUNNING' } });
    const addTask = async (name: string, task_inputs: object = {}, state = 'COMPLETED') => {
      const task = await api.post('/task_runs/', { flow_run_id: run.id, task_key: 'task', dynamic_key: name, name, task_inputs, state: { type: 'RUNNING' } });
      if (state !== 'RUNNING') await api.post(`/task_runs/${task.id}/set_state`, { state: { type: state }, force: true });
      return String(task.id);
    };
    const first = await addTask('first');
    const wrapper = await addTask('wrapper');
    const second = await addTask('second', { rows: [result(first)], more: [result(first)], none: [], __parents__: [result(wrapper), result(wrapper)] });
    const caller = await addTask('caller', { rows: [result(second)] }, 'RUNNING');
    const child = await api.post('/flow_runs/', { flow_id: flow.id, name: 'child', parent_task_run_id: caller, state: { type: 'RUNNING' } });
    await addTask('last', { rows: [result(child.id, 'flow_run')], gone: [result(caller), result(api.id())], other: [result(first), result(second)] }, 'FAILED');
    await api.post('/task_runs/', { flow_run_id: run.id, task_key: 'task', dynamic_key: 'waiting', name: 'waiting', state: { type: 'PENDING' } });
    const key = api.name().toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
    for (const artifact of [{ key, type: 'markdown', data: 'x', task_run_id: first }, { key, type: 'table', data: '[]' }, { type: 'progress', data: 0.5 }, { type: 'result', data: 1 }, { data: 1 }, { type: 'progress', data: 7, task_run_id: second }])
      await api.post('/artifacts/', { flow_run_id: run.id, ...artifact });
    await api.get(`/flow_runs/${run.id}/graph-v2`);
    await api.post(`/flow_runs/${run.id}/set_state`, { state: { type: 'COMPLETED', name: 'Done' }, force: true });
    await api.eachPath('GET', [
      ...['', '?since=2001-01-01T00:00:00Z', '?since=2999-01-01T00:00:00Z', '?since=2999-01-01', '?since=0', '?since=x', '?since=', '?since=2001-13-01T00:00:00Z', '?unknown=1'].map((query) => `/flow_runs/${run.id}/graph-v2${query}`),
      `/flow_runs/${api.id()}/graph-v2`,
      '/flow_runs/x/graph-v2',
    ]);
    await api.post(`/flow_runs/${run.id}/graph-v2`, {});
  },

  'dependencies': async (api) => {
    const flow = await api.post('/flows/', { name: api.name() });
    const run = await api.post('/flow_runs/', { flow_id: flow.id, state: { type: 'RUNNING' } });
    const task = { flow_run_id: run.id, task_key: 'task', name: 'task' };
    const first = await api.post('/task_runs/', { ...task, dynamic_key: '1', state: { type: 'COMPLETED', state_details: { untrackable_result: true } } });
    await api.post('/task_runs/', { ...task, dynamic_key: '2', task_inputs: { a: [result(first.id)], b: [result(first.id)], c: [] } });
    await api.get(`/flow_runs/${run.id}/graph`, { unordered: true });
    await api.eachPath('GET', [`/flow_runs/${api.id()}/graph`, '/flow_runs/x/graph']);
    await api.post('/task_runs/', { ...task, dynamic_key: '3', task_inputs: { a: [{ input_type: 'parameter', name: 'x' }], b: [{ input_type: 'constant', type: 'str' }] } });
    await api.get(`/flow_runs/${run.id}/graph`);
  },

  'download of logs': async (api) => {
    const flow = await api.post('/flows/', { name: api.name() });
    const run = await api.post('/flow_runs/', { flow_id: flow.id, name: `mäin "x"/(y)'*!~ 100%` });
    await api.get(`/flow_runs/${run.id}/logs/download`);
    const log = (second: number, message: string) => ({ name: 'a', level: 20, message, timestamp: `2026-05-01T00:00:0${second}Z`, flow_run_id: run.id });
    const texts = ['plain', '', 'a,b', 'say "so"', 'two\nlines\r\n', ' space ', "it's", 'ünïcödé ☃ 𝄞', '=1+1'];
    await api.post('/logs/', [...texts.map((text, second) => log(second, text)), { ...log(9, 'task'), task_run_id: api.id(), timestamp: '2026-05-01T00:00:09.5+02:00' }]);
    await api.get(`/flow_runs/${run.id}/logs/download`);
    await api.eachPath('GET', [`/flow_runs/${api.id()}/logs/download`, '/flow_runs/x/logs/download']);
  },
};
