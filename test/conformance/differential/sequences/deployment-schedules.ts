import type { Sequences, TwinClient } from '../twin-client.ts';
import { MALFORMED } from './cases.ts';

const NEVER = { cron: '0 0 31 2 *' };

async function makeDeployment(api: TwinClient, fields: object = {}) {
  const flow = await api.post('/flows/', { name: api.name() });
  return await api.post('/deployments/', { name: api.name(), flow_id: flow.id, ...fields });
}

const strategies = [
  { interval: 60 },
  { interval: 3600, anchor_date: '2026-01-01T00:00:00Z' },
  { interval: 3600, anchor_date: '2026-01-01T00:00:00+02:00', timezone: 'Europe/Berlin' },
  { interval: 'PT1H' },
  { interval: 0 },
  { interval: -1 },
  { interval: 'x' },
  { interval: 60, timezone: 'Nowhere/City' },
  { interval: 60, unknown: 1 },
  { cron: '*/5 * * * *' },
  { cron: '@daily', timezone: 'America/New_York', day_or: false },
  { cron: 'x' },
  { cron: '' },
  { cron: '0 0 * *' },
  { cron: '0 0 * * *', timezone: 'Nowhere' },
  { cron: '0 0 * * *', timezone: null },
  { cron: 1 },
  { rrule: 'FREQ=DAILY' },
  { rrule: 'FREQ=DAILY;COUNT=3', timezone: 'Europe/London' },
  { rrule: 'x' },
  { rrule: '' },
  { rrule: 'FREQ=DAILY', timezone: 'Nowhere' },
  {},
  null,
  'x',
  { interval: 60, cron: '* * * * *' },
];

export const deploymentSchedules: Sequences = {
  'create, read, change, delete': async (api) => {
    const deployment = await makeDeployment(api);
    const path = `/deployments/${deployment.id}/schedules`;
    await api.get(path);
    const [one] = await api.post(path, [{ schedule: NEVER, active: false, slug: 'one', parameters: { x: 1 }, max_scheduled_runs: 5 }]);
    await api.post(path, [{ schedule: NEVER }, { schedule: { interval: 86400, anchor_date: '2026-01-01T00:00:00Z' }, active: false, slug: 'three' }], { unordered: true });
    await api.post(path, [{ schedule: NEVER, slug: 'one' }]);
    await api.post(path, []);
    await api.get(path, { unordered: true });
    await api.each('PATCH', `${path}/${one.id}`, [
      {},
      { active: true },
      { active: null },
      { active: 'x' },
      { schedule: { cron: '0 1 31 2 *' } },
      { schedule: null },
      { schedule: {} },
      { slug: 'renamed' },
      { slug: null },
      { slug: 'three' },
      { slug: '' },
      { parameters: null },
      { max_scheduled_runs: 10 },
      { max_scheduled_runs: null },
      { max_scheduled_runs: 0 },
      { max_scheduled_runs: 51 },
      { replaces: 'three' },
      { unknown: 1 },
      null,
      undefined,
      ...MALFORMED,
      // Last: Prefect empties the parameters with every other change, which nobody can want.
      { parameters: { y: 2 } },
    ]);
    await api.get(path, { unordered: true });
    await api.eachPath('PATCH', [`${path}/${api.id()}`, `${path}/x`, `/deployments/${api.id()}/schedules/${one.id}`], { active: false });
    await api.eachPath('GET', [`/deployments/${api.id()}/schedules`, '/deployments/x/schedules']);
    await api.eachPath('DELETE', [`${path}/${one.id}`, `${path}/${one.id}`, `${path}/x`, `/deployments/${api.id()}/schedules/${one.id}`]);
    await api.post(`/deployments/${api.id()}/schedules`, [{ schedule: NEVER }]);
  },

  'what a schedule may be': async (api) => {
    const { id } = await makeDeployment(api, { paused: true });
    const path = `/deployments/${id}/schedules`;
    await api.each('POST', path, [
      ...strategies.map((schedule) => [{ schedule, active: false }]),
      ...[null, 'x', 0].map((active) => [{ schedule: NEVER, active }]),
      ...[null, 0, 1, 50, 51, -1, 'x'].map((max_scheduled_runs) => [{ schedule: NEVER, max_scheduled_runs }]),
      ...[null, '', 'A B', 'ü', 1, 'x'.repeat(300)].map((slug) => [{ schedule: NEVER, slug }]),
      ...[null, [], 'x', { a: { b: 1 } }].map((parameters) => [{ schedule: NEVER, parameters }]),
      [{ schedule: NEVER, replaces: 'x' }],
      [{ schedule: NEVER, unknown: 1 }],
      [{}],
      [null],
      null,
      undefined,
      ...MALFORMED,
    ]);
  },

  'schedules of a deployment that is stored again': async (api) => {
    const flow = await api.post('/flows/', { name: api.name() });
    const name = api.name();
    const body = { name, flow_id: flow.id };
    const deployment = await api.post('/deployments/', { ...body, schedules: [{ schedule: NEVER, slug: 'a', max_scheduled_runs: 3 }, { schedule: { cron: '1 0 31 2 *' }, slug: 'b', active: false }] }, { unordered: true });
    const path = `/deployments/${deployment.id}`;
    await api.each(
      'PATCH',
      path,
      [
        { schedules: [{ slug: 'a', active: false }] },
        { schedules: [{ slug: 'c', schedule: NEVER }] },
        { schedules: [{ slug: 'd', schedule: NEVER, replaces: 'b' }] },
        { schedules: [{ slug: 'e', replaces: 'unknown', schedule: NEVER }] },
        { schedules: [{ slug: 'f' }] },
        { schedules: [{ schedule: NEVER }] },
        { schedules: [{ slug: 'a', schedule: NEVER }, { slug: 'a', schedule: NEVER }] },
        { schedules: [] },
        { schedules: null },
        { schedules: 'x' },
        { schedules: [{ slug: 'a', unknown: 1 }] },
      ],
    );
    await api.get(`${path}/schedules`, { unordered: true });
    await api.post('/deployments/', body);
    await api.post('/deployments/', { ...body, schedules: [{ schedule: NEVER }, { schedule: NEVER, active: false }] }, { unordered: true });
    await api.each('PATCH', path, [{ schedules: [{ schedule: { interval: 999 }, active: false }] }, { schedules: [{ active: true }] }, { schedules: [{ slug: 'x', schedule: NEVER }] }]);
    await api.get(`${path}/schedules`, { unordered: true });
    await api.each('POST', '/deployments/', [
      { name: api.name(), flow_id: flow.id, schedules: [{ schedule: NEVER, slug: 'a' }, { schedule: NEVER, slug: 'a' }] },
      { name: api.name(), flow_id: flow.id, schedules: [{ schedule: {} }] },
      { name: api.name(), flow_id: flow.id, schedules: null },
      { name: api.name(), flow_id: flow.id, schedules: [null] },
    ]);
  },
};
