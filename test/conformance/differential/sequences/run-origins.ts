import type { Sequences } from '../twin-client.ts';
import { makeFlow } from './flow-runs.ts';

/* Where runs come from (pools, deployments, schedules, automations), and when they run. */

const LATER = '2037-06-01T12:00:00Z';

export const runOrigins: Sequences = {
  'job variables': async (api) => {
    const pool = api.name();
    const variables = { type: 'object', properties: { image: { type: 'string' }, env: { type: 'object' }, n: { type: 'integer', default: 3 } }, required: ['image'] };
    await api.post('/work_pools/', { name: pool, type: 'k', base_job_template: { job_configuration: { image: '{{ image }}', env: '{{ env }}' }, variables } });
    const { id: flow_id } = await makeFlow(api);
    const deployment = await api.post('/deployments/', { flow_id, name: api.name(), work_pool_name: pool, job_variables: { image: 'a' } });
    const run = await api.post(`/deployments/${deployment.id}/create_flow_run`, { name: 'n', job_variables: { env: { A: 'b' } } });
    await api.each('PATCH', `/flow_runs/${run.id}`, [{ image: 'x' }, { n: 'x' }, { env: 1 }, { other: 1 }, {}, null].map((job_variables) => ({ job_variables })));
    await api.get(`/flow_runs/${run.id}`);
    await api.post(`/flow_runs/${run.id}/set_state`, { state: { type: 'PENDING' } });
    await api.each('PATCH', `/flow_runs/${run.id}`, [{ job_variables: { image: 'y' } }, { name: 'm' }, { job_variables: null }]);
    await api.get(`/flow_runs/${run.id}`);
    const places = [{ work_pool_name: pool }, { work_pool_name: pool, work_queue_name: 'default' }, { work_pool_name: pool, work_queue_name: 'new' }, { work_queue_name: 'default' }, { deployment_id: deployment.id }, { deployment_id: deployment.id, work_queue_name: 'q' }];
    await api.each('POST', '/flow_runs/', places.map((place) => ({ flow_id, name: 'n', ...place })));
    const own = { flows: { id: { any_: [flow_id] } } };
    const filters = [
      { work_pools: { name: { any_: [pool] } } },
      { work_pools: { name: { any_: [pool] } }, work_pool_queues: { name: { any_: ['default'] } } },
      { flow_runs: { work_queue_name: { any_: ['default'] } } },
      { flow_runs: { work_queue_name: { is_null_: true } } },
      { work_pools: { name: { any_: [pool] } }, deployments: { work_queue_name: { any_: ['default'] } } },
    ];
    await api.each('POST', '/flow_runs/filter', filters.map((filter) => ({ ...own, ...filter })), { unordered: true });
  },

  'created by an automation': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const deployment = await api.post('/deployments/', { flow_id, name: api.name() });
    const id = api.id();
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const named = (name: string, by = id): Record<string, string> => ({ 'prefect-automation-id': by, 'prefect-automation-name': name });
    for (const headers of [named(base64('mine')), named(base64('ünï')), named('%%%'), named('abc'), named('/w=='), named(''), named(base64('mine'), 'x'), named(base64('mine'), ''), named(base64('mine'), id.toUpperCase()), { 'prefect-automation-id': id }]) {
      await api.post(`/deployments/${deployment.id}/create_flow_run`, { name: 'n' }, { headers });
      await api.post('/flow_runs/', { flow_id, name: 'n' }, { headers });
      await api.post(`/deployments/${deployment.id}/create_flow_run/bulk`, [{ name: 'n' }], { headers });
    }
    const filters = [{ id_: [id] }, { type_: ['AUTOMATION'] }, { type_: ['DEPLOYMENT'] }, { is_null_: true }, { is_null_: false }];
    await api.each('POST', '/flow_runs/count', filters.map((created_by) => ({ flows: { id: { any_: [flow_id] } }, flow_runs: { created_by } })));
  },

  'by schedules': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const schedules = [{ schedule: { interval: 3600, anchor_date: '2030-01-01T00:30:00Z' }, parameters: { q: 2 }, slug: 's' }];
    const deployment = await api.post('/deployments/', { flow_id, name: api.name(), tags: ['a'], labels: { x: 1 }, parameters: { p: 1 }, schedules });
    const path = `/deployments/${deployment.id}`;
    const own = { flow_runs: { deployment_id: { any_: [deployment.id] } }, sort: 'EXPECTED_START_TIME_ASC' };
    const schedule = (range: object) => api.post(`${path}/schedule`, { start_time: '2030-01-01T00:00:00Z', ...range });
    const until = (hour: number) => ({ end_time: `2030-01-01T0${hour}:00:00Z` });
    for (const range of [{ ...until(5), min_runs: 1, max_runs: 3 }, { ...until(5), min_runs: 1, max_runs: 3 }, { start_time: '2030-01-01T04:00:00Z', min_time: 3600, min_runs: 2 }]) {
      await schedule(range);
      await api.post('/flow_runs/filter', own);
    }
    await api.post('/flow_runs/history', { flow_runs: own.flow_runs, history_start: '2030-01-01T00:00:00Z', history_end: '2030-01-01T08:00:00Z', history_interval_seconds: 3600 });
    const [one] = await api.get(`${path}/schedules`);
    await api.patch(`${path}/schedules/${one.id}`, { active: false, parameters: { q: 2 } });
    await api.post('/flow_runs/count', own);
    await schedule(until(2));
    await api.post('/flow_runs/count', own);
    await api.patch(`${path}/schedules/${one.id}`, { active: true, parameters: { q: 2 } });
    // Whoever asks for them gets runs of a paused deployment, too.
    for (const changes of [{ description: 'x' }, { paused: true }, { paused: false }, { tags: [] }]) {
      await schedule(until(2));
      await api.post('/flow_runs/count', own);
      await api.patch(path, changes);
      await api.post('/flow_runs/count', own);
      await schedule(until(3));
      await api.post('/flow_runs/count', own);
    }
    await api.delete(`${path}/schedules/${one.id}`);
    await api.post('/flow_runs/count', own);
  },

  'late, early and in the same hour': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const states = [['Scheduled', '12:00:00'], ['Late', '12:00:00'], ['Scheduled', '12:59:59.999999'], ['Scheduled', '13:00:00']].map(([name, time]) => ({ type: 'SCHEDULED', name, state_details: { scheduled_time: `2037-06-01T${time}Z` } }));
    await api.each('POST', '/flow_runs/', states.map((state) => ({ flow_id, name: 'n', state })));
    const own = { flows: { id: { any_: [flow_id] } } };
    const ranges = [['12:00', '13:00', 3600], ['12:00', '14:00', 3600], ['11:30', '13:30', 3600], ['12:00', '13:00', 7], ['12:00', '12:00', 60], ['13:00', '13:01', 60]] as const;
    await api.each('POST', '/flow_runs/history', ranges.map(([start, end, history_interval_seconds]) => ({ ...own, history_start: `2037-06-01T${start}:00Z`, history_end: `2037-06-01T${end}:00Z`, history_interval_seconds })));
    await api.post('/flow_runs/history', { ...own, history_start: '2037-06-01', history_end: '2037-06-02', history_interval_seconds: 86_400 });
    const late = await api.post('/flow_runs/', { flow_id, name: 'late', state: { type: 'SCHEDULED', state_details: { scheduled_time: '2020-01-01T00:00:00Z' } } });
    for (const type of ['PENDING', 'RUNNING', 'COMPLETED']) {
      await api.post(`/flow_runs/${late.id}/set_state`, { state: { type } });
      await api.get(`/flow_runs/${late.id}`);
      await api.post('/flow_runs/lateness', own);
    }
  },

  'a long life': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const run = await api.post('/flow_runs/', { flow_id, name: 'n', state: { type: 'RUNNING' } });
    const pause = { type: 'PAUSED', state_details: { pause_key: 'a', pause_timeout: LATER } };
    for (const state of [pause, { type: 'SCHEDULED', name: 'Resuming' }, 'RUNNING', pause, 'RUNNING', { type: 'CANCELLING', message: 'x' }, 'CANCELLING', 'RUNNING', { type: 'CANCELLED', message: 'y' }, 'CANCELLED', 'FAILED', { type: 'SCHEDULED', name: 'AwaitingRetry' }]) {
      await api.post(`/flow_runs/${run.id}/set_state`, { state: typeof state === 'string' ? { type: state } : state });
      await api.get(`/flow_runs/${run.id}`);
    }
    await api.get(`/flow_run_states/?flow_run_id=${run.id}`);
  },
};
