import assert from 'node:assert/strict';
import { dependencyResult, type Graph, graph } from '@praetor/schema/flow-run-graph';
import type { Api } from '@praetor/test/support/api';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

type Inputs = Record<string, { input_type: string; id?: string; name?: string; type?: string }[]>;
const result = (id: string) => ({ input_type: 'task_run', id });

/** A flow run whose tasks are created in the order of time. */
async function startFlowRun(api: Api) {
  const flow = await api.expect([200, 201], 'POST', '/flows/', { name: 'etl' });
  const run = await api.expect(201, 'POST', '/flow_runs/', { flow_id: flow.id, name: 'main', state: { type: 'RUNNING' } });
  let keys = 0;
  async function addTask(name: string, task_inputs: Inputs = {}, state = 'COMPLETED'): Promise<string> {
    const task = { flow_run_id: run.id, task_key: 'task', dynamic_key: String(keys++), name, task_inputs, state: { type: 'RUNNING' } };
    const { id } = await api.expect(201, 'POST', '/task_runs/', task);
    if (state !== 'RUNNING') await api.expect(201, 'POST', `/task_runs/${id}/set_state`, { state: { type: state }, force: true });
    return id;
  }
  const addChild = (parent_task_run_id: string) => api.expect(201, 'POST', '/flow_runs/', { flow_id: flow.id, name: 'child', parent_task_run_id, state: { type: 'RUNNING' } });
  return { flow, run, addTask, addChild };
}

/** The edges of each node by labels. */
function edgesOf({ nodes }: Graph) {
  const labels = new Map(nodes.map(([id, { label }]) => [id, label]));
  const names = (edges: { id: string }[]) => edges.map(({ id }) => labels.get(id)).join(' ');
  return nodes.map(([, { label, parents, children, encapsulating }]) => [label, names(parents), names(children), names(encapsulating)]);
}

test('the graph of a flow run', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const read = async (id: string, query = '') => graph.parse(await api.expect(200, 'GET', `/flow_runs/${id}/graph-v2${query}`));

  await t.test('shows tasks, children as flow runs, wrappers, artifacts and states', async () => {
    const { run, addTask, addChild } = await startFlowRun(api);
    const extract = await addTask('extract', { source: [{ input_type: 'constant', type: 'str' }] });
    const wrapper = await addTask('wrapper');
    const load = await addTask('load', { rows: [result(extract)], __parents__: [result(wrapper), result(wrapper)] }, 'RUNNING');
    const caller = await addTask('caller', { rows: [result(extract)] });
    const child = await addChild(caller);
    await addTask('report', { rows: [{ input_type: 'flow_run', id: child.id }], gone: [result(caller)], none: [] });
    await api.expect(201, 'POST', '/artifacts/', { key: 'table', type: 'table', data: '[]', flow_run_id: run.id, task_run_id: extract });
    await api.expect(201, 'POST', '/artifacts/', { key: 'table', type: 'table', data: '[]', flow_run_id: run.id, task_run_id: load });
    await api.expect(201, 'POST', '/artifacts/', { type: 'progress', data: 0.5, flow_run_id: run.id });
    await api.expect(201, 'POST', '/artifacts/', { type: 'result', data: 1, flow_run_id: run.id });

    const answer = await read(run.id);
    assert.deepEqual(edgesOf(answer), [
      ['extract', '', 'load etl / child', ''],
      ['wrapper', '', '', ''],
      ['load', 'extract', '', 'wrapper'],
      ['etl / child', 'extract', 'report', ''],
      ['report', 'etl / child', '', ''],
    ]);
    assert.deepEqual(answer.root_node_ids, [extract, wrapper]);
    assert.deepEqual([answer.start_time, answer.end_time], [run.start_time, null]);
    assert.deepEqual(answer.states.map(({ type, name }) => [type, name]), [['RUNNING', 'Running']]);
    assert.deepEqual(answer.artifacts.map(({ type, key, is_latest, data }) => [type, key, is_latest, data]), [['progress', null, true, 0.5]]);
    const nodes = new Map(answer.nodes);
    assert.deepEqual(nodes.get(extract)?.artifacts.map(({ key, is_latest, data }) => [key, is_latest, data]), [['table', false, null]]);
    assert.deepEqual(nodes.get(load)?.artifacts.map(({ is_latest }) => is_latest), [true]);
    assert.deepEqual([...nodes.values()].map(({ kind, state_type }) => [kind, state_type]), [
      ['task-run', 'COMPLETED'],
      ['task-run', 'COMPLETED'],
      ['task-run', 'RUNNING'],
      ['flow-run', 'RUNNING'],
      ['task-run', 'COMPLETED'],
    ]);
  });

  await t.test('repeats an edge for each input of its parent and each use by its child', async () => {
    const { run, addTask } = await startFlowRun(api);
    const first = await addTask('a', { left: [], right: [{ input_type: 'parameter', name: 'x' }] });
    const second = await addTask('b', { once: [result(first)], twice: [result(first)] });
    await addTask('c', { rows: [result(second), result(first)] });
    assert.deepEqual(edgesOf(await read(run.id)), [
      ['a', '', 'b b b b c c', ''],
      ['b', 'a a a a', 'c c', ''],
      ['c', 'a a b b', '', ''],
    ]);
  });

  await t.test('leaves out what ended before `since`, but not from the edges', async () => {
    const { run, addTask } = await startFlowRun(api);
    const first = await addTask('early');
    const second = await addTask('late', { rows: [result(first)] }, 'RUNNING');
    const since = new Date(Date.now() + 1000).toISOString();
    const answer = await read(run.id, `?since=${since}`);
    assert.deepEqual(answer.nodes.map(([id, { parents }]) => [id, parents]), [[second, [{ id: first }]]]);
    assert.deepEqual(answer.root_node_ids, []);
    await api.expect(422, 'GET', `/flow_runs/${run.id}/graph-v2?since=yesterday`);
  });

  await t.test('as a list of dependencies', async () => {
    const { run, addTask } = await startFlowRun(api);
    const first = await addTask('a', { source: [{ input_type: 'constant', type: 'str' }] });
    const second = await addTask('b', { once: [result(first)], twice: [result(first)] });
    const answer = dependencyResult.array().parse(await api.expect(200, 'GET', `/flow_runs/${run.id}/graph`));
    const upstream = new Map(answer.map(({ id, upstream_dependencies }) => [id, upstream_dependencies]));
    assert.deepEqual(upstream.get(first), []);
    assert.deepEqual(upstream.get(second), [result(first)]);
    assert.deepEqual(answer.map(({ id }) => id), [first, second].toSorted().toReversed());
    assert.deepEqual(answer.map(({ state, untrackable_result }) => [state?.type, untrackable_result]), [['COMPLETED', false], ['COMPLETED', false]]);
  });

  await t.test('of no flow run', async () => {
    const nobody = '00000000-0000-0000-0000-000000000000';
    assert.ok((await api.expect(404, 'GET', `/flow_runs/${nobody}/graph-v2`)).exception_message);
    assert.ok((await api.expect(404, 'GET', `/flow_runs/${nobody}/graph`)).exception_message);
  });
});

test('the limits of a graph', async () => {
  await using gateway = await startGateway({ PREFECT_SERVER_FLOW_RUN_GRAPH_MAX_NODES: '2', PREFECT_API_MAX_FLOW_RUN_GRAPH_ARTIFACTS: '1' });
  const { api } = gateway;
  const { run, addTask } = await startFlowRun(api);
  await addTask('a');
  const since = encodeURIComponent(new Date().toISOString());
  for (const data of [1, 2]) await api.expect(201, 'POST', '/artifacts/', { type: 'progress', data, flow_run_id: run.id });
  await addTask('b');
  const { artifacts } = await api.expect(200, 'GET', `/flow_runs/${run.id}/graph-v2`);
  assert.deepEqual(artifacts.map(({ data }: { data: number }) => data), [1]);
  await addTask('c');
  assert.match((await api.expect(400, 'GET', `/flow_runs/${run.id}/graph-v2`)).detail, /2 nodes/);
  assert.equal((await api.expect(200, 'GET', `/flow_runs/${run.id}/graph-v2?since=${since}`)).nodes.length, 2);
});
