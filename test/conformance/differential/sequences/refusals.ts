import type { Sequences } from '../twin-client.ts';
import { makeFlow } from './flow-runs.ts';

/* What is said of single values that do not fit: moments, spans of time, rules, numbers, JSON. */

/** Some of them are numbers, durations or names, too. */
const MOMENTS = [
  '', ' ', 'x', '2020', '2020-01', '2020-1-1', '2020-01-01', '2020-01-01T', '2020-01-01T1', '2020-01-01T10', '2020-01-01T10Z', '2020-01-01T10:00', '2020-01-01T1030', '2020-01-01T10:00:60Z', '2020-01-01T24:00:00Z', '2020-02-30T00:00:00Z',
  '2020-01-01T00:00:00.1234567Z', '2020-01-01T00:00:00+25:00', '2020-01-01T00:00:00+2', '2020-01-01T00:00:00+0200', '2020-01-01 00:00:00', '20200101T10', '20200101T103040.5Z', '20200101', '20200101T', '1', '-1', '1.5', '1e3', '99999999999999', 'today', 'NOW', 'Infinity',
  0, -1, 1e12, 1e20, -1e20, 1.5, true, [], {}, null,
];

const SPANS = [
  '+', 'P', 'PT', 'P1', 'PT1', 'P1X', 'PX', 'P1DT', 'P1D1H', 'PT1D', 'P1H', '-P', 'P1M', 'P1Y2M', 'x', 'xxxxx', '12', '12345', '1dx', '1 days 1', '1 day 25:00:00', '1 days, 1:00:00', '1:0', '1:00', '01:00', '1:00:0', '01:00:', '01:60', '01:00:60',
  '01:00:00.', '01:00x', '123:00:00', '2020-01-01T10:00', '1e3', '  1', ' 10:00', '12.55', 'P1000000000D', 1e15, 1e-7, 0.5, 'nan',
];

const NOTHING = { flow_runs: { id: { any_: [] } } };

export const refusals: Sequences = {
  moments: async (api) => {
    const log = { name: 'a', level: 1, message: 'm', flow_run_id: api.id() };
    await api.each('POST', '/logs/', MOMENTS.map((timestamp) => [{ ...log, timestamp }]));
    await api.each('POST', '/events/filter', MOMENTS.map((since) => ({ filter: { event: { name: ['none'] }, occurred: { since, until: '2026-11-20T00:00:00Z' } } })));
    await api.each('POST', '/flow_runs/filter', MOMENTS.map((limit) => ({ ...NOTHING, limit })));
    const history = { ...NOTHING, history_start: '2020-01-01', history_end: '2020-01-02', history_interval_seconds: 3600 };
    await api.each('POST', '/flow_runs/history', MOMENTS.flatMap((value) => [{ ...history, history_start: value }, { ...history, history_interval_seconds: value }]));
    // Forms that nobody sends.
    await api.each('POST', '/flow_runs/history', ['now', '2020-001', '2020-W01', '2020W013', 'T10:30', '10:30', '2020/01/01'].map((history_start) => ({ ...history, history_start })));
  },

  'spans of time': async (api) => {
    const owner_resource = `zz.${api.name()}`;
    const create = (within: unknown) => ({ name: api.name(), enabled: false, owner_resource, actions: [], trigger: { type: 'event', posture: 'Reactive', within } });
    await api.each('POST', '/automations/', [...SPANS, ...MOMENTS].map(create));
    await api.each('POST', '/automations/', ['reactive', '', null, 1, 'Proactive '].map((posture) => ({ ...create(1), trigger: { type: 'event', posture } })));
    await api.delete(`/automations/owned-by/${owner_resource}`);
  },

  'schedules': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    const deployment = await api.post('/deployments/', { flow_id, name: api.name() });
    const send = (schedules: readonly object[]) => api.each('POST', `/deployments/${deployment.id}/schedules`, schedules.map((schedule) => [{ schedule, active: false }]));
    for (const timezone of [null, '', 'UTC', 'utc', 'X', 1, []]) await send([{ rrule: 'FREQ=DAILY', timezone }, { cron: '0 0 31 2 *', timezone }, { interval: 60, timezone }]);
    const rules = ['FREQ=X', 'FREQ=DAILY;UNTIL=20200101T000000Z', 'DTSTART:20200101T000000\nRRULE:FREQ=DAILY', 'RRULE:FREQ=DAILY\nEXDATE:20200102T000000', 'x'.repeat(6501), 'FREQ=DAILY;COUNT=0', 'FREQ=DAILY;INTERVAL=0', 'DTSTART;TZID=Europe/Paris:20200101T000000\nRRULE:FREQ=DAILY', 1, null];
    await send(rules.map((rrule) => ({ rrule })));
    await send(SPANS.map((interval) => ({ interval })));
    await send(['x', '2020', '2020-01-01', '2020-01-01T00', '2020-13-01T00:00:00Z', '', 0, null, '0', '1e3'].map((anchor_date) => ({ interval: 60, anchor_date })));
  },

  'policies of runs': async (api) => {
    const { id: flow_id } = await makeFlow(api);
    for (const field of ['retries', 'retry_delay', 'max_retries', 'retry_delay_seconds'])
      for (const value of ['x', 1.5, null, [], {}, true, '3', '1.5', -1, 2]) {
        const empirical_policy = { [field]: value };
        await api.post('/flow_runs/', { flow_id, name: 'n', empirical_policy });
        await api.post('/task_runs/', { task_key: api.name(), dynamic_key: '0', name: 'n', empirical_policy });
      }
  },

  'ids of blocks': async (api) => {
    const slug = api.name();
    const type = await api.post('/block_types/', { name: slug, slug });
    const schema = await api.post('/block_schemas/', { fields: { title: 'T', type: 'object', properties: {}, block_type_slug: slug }, block_type_id: type.id, capabilities: [], version: '1' });
    const ids = { block_schema_id: schema.id, block_type_id: type.id };
    const document = await api.post('/block_documents/', { name: 'd', data: {}, ...ids });
    for (const id of [null, '', 1]) {
      await api.each('POST', '/block_documents/', [{ name: api.name(), data: {}, ...ids, block_schema_id: id }, { name: api.name(), data: {}, ...ids, block_type_id: id }]);
      await api.patch(`/block_documents/${document.id}`, { block_schema_id: id });
    }
  },

  'texts that are JSON, and others': async (api) => {
    const none = '"flows":{"name":{"any_":["none"]}}';
    const values = ['1e0', '1.0', '01', '+1', '.5', '1.', '0x1', '1_0', '"1_0"', '" 1 "', '"+1"', '"-0"', '"1e0"', '"1.0"', 'true', '99999999999999999999', '-99999999999999999999', '1e400', '"99999999999999999999"', '"\\x"', '"\t"', '"\\ud800"', 'Infinity', 'nul', 'True', '', '[', '1e', '-', '--1'];
    await api.each('POST', '/flows/filter', values.map((limit) => `{${none},"limit":${limit}}`));
    await api.each('POST', '/flows/filter', [`\uFEFF{${none}}`, ` {${none}} `, `\n{${none}}\r\n\t`, `{${none}}\u0000`, `// c\n{${none}}`, `{${none}}{${none}}`, `{${none},"limit":1,"limit":2}`, `{${none},}`, '{a:1}', '{"a"}', '{"a":}', '{,}', ']', '{"a":"b', '"', 'nulll', '{"flows":{"id":{"any_":["{']);
    await api.eachPath('GET', [`/flow_runs/${api.id()}?x=1&x=2`, '/csrf-token?client=a&client=b', '/observed-states?query=zzq&query=zzr&limit=1', '/observed-states?limit=5&limit=x&query=zzq', '/observed-states?query=zzq%zz', '/observed-states?query=%ff']);
  },

  'bodies that are not called JSON, or that nobody asked for': async (api) => {
    const run = api.id();
    for (const type of ['text/plain', 'text/json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/geo+json; a=b', 'model/x+json', 'application/json, text/plain', 'json', '*/*'])
      for (const body of ['{"limit":0}', '[]', 'x=1']) {
        const headers = { 'content-type': type };
        await api.post('/automations/templates/validate', body, { headers });
        await api.post(`/flow_runs/${run}/set_state`, body, { headers });
      }
    await api.delete(`/flows/${run}`, 'nonsense');
    await api.send('GET', '/admin/version', '{');
    await api.eachPath('GET', ['/Admin/version', '/ADMIN/VERSION', '/admin/Version']);
  },

  'headers': async (api) => {
    const queue = await api.post('/work_queues/', { name: api.name(), priority: 1000 + Math.floor(Math.random() * 1e9) });
    for (const flag of ['x', '1', 'true', '', 'TRUE', 'off', ' yes ']) await api.post(`/work_queues/${queue.id}/get_runs`, {}, { headers: { 'x-prefect-ui': flag } });
    await api.delete(`/work_queues/${queue.id}`);
  },
};
