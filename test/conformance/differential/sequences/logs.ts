import type { Sequences } from '../twin-client.ts';
import { idFilters, MALFORMED, nullFilters, PAGES, timeFilters } from './cases.ts';

export const logs: Sequences = {
  'what a log may be': async (api) => {
    const run = api.id();
    const log = { name: 'a', level: 20, message: 'message', timestamp: api.time(), flow_run_id: run };
    const without = (field: string) => Object.fromEntries(Object.entries(log).filter(([key]) => key !== field));
    await api.each('POST', '/logs/', [
      [],
      {},
      null,
      undefined,
      ...MALFORMED,
      [log],
      ...Object.keys(log).map((field) => [without(field)]),
      ...Object.keys(log).map((field) => [{ ...log, [field]: null }]),
      [{ ...log, level: 'x' }],
      [{ ...log, level: '30' }],
      [{ ...log, level: 1.5 }],
      [{ ...log, level: -1 }],
      [{ ...log, level: 32767 }],
      [{ ...log, level: 40000 }],
      [{ ...log, message: 1 }],
      [{ ...log, message: '' }],
      [{ ...log, message: 'ünïcödé ☃ 𝄞 \u0001' }],
      [{ ...log, message: 'zero\u0000byte' }],
      [{ ...log, name: 'ü'.repeat(1000) }],
      [{ ...log, timestamp: 'x' }],
      [{ ...log, timestamp: '2026-11-21T10:00:00+02:00' }],
      [{ ...log, timestamp: 1_700_000_000 }],
      [{ ...log, timestamp: '2026-11-21 10:00:00' }],
      [{ ...log, flow_run_id: 'x' }],
      [{ ...log, task_run_id: 'x' }],
      [{ ...log, task_run_id: api.id() }],
      [{ ...log, id: api.id() }],
      [{ ...log, unknown: 1 }],
      [log, 'x', { ...log, level: null }],
    ]);
    await api.post('/logs/filter', { logs: { flow_run_id: { any_: [run] } } }, { unordered: true });
  },

  'filter, sort, page': async (api) => {
    const [flowRun, other, taskRun] = [api.id(), api.id(), api.id()];
    const time = (second: number) => `2026-05-01T00:00:0${second}.000001Z`;
    await api.post('/logs/', [
      { name: 'a', level: 10, message: 'connection timeout in the database', timestamp: time(1), flow_run_id: flowRun },
      { name: 'b', level: 20, message: 'retry of Connection', timestamp: time(2), flow_run_id: flowRun, task_run_id: taskRun },
      { name: 'database', level: 30, message: 'done: 100% ünïcödé', timestamp: time(3), flow_run_id: flowRun },
      { name: 'a', level: 40, message: 'other error', timestamp: time(4), flow_run_id: other },
      { name: 'flow', level: 50, message: 'error "timeout" reached\nsecond line', timestamp: time(5), flow_run_id: other, task_run_id: taskRun },
    ]);
    const own = { flow_run_id: { any_: [flowRun, other] } };
    for (const sort of ['TIMESTAMP_ASC', 'TIMESTAMP_DESC', 'LEVEL_ASC', 1, null]) await api.post('/logs/filter', { logs: own, sort });
    await api.each('POST', '/logs/filter', PAGES.map((page) => ({ logs: own, ...page })));
    const filters = [
      ...idFilters([flowRun]).map((flow_run_id) => ({ flow_run_id, timestamp: { after_: time(1), before_: time(5) }, task_run_id: { any_: [taskRun] } })),
      ...idFilters([taskRun]).map((task_run_id) => ({ task_run_id })),
      ...nullFilters([taskRun]).map((task_run_id) => ({ task_run_id })),
      ...timeFilters(time(3)).map((timestamp) => ({ timestamp })),
      ...[{ ge_: 30 }, { le_: 30 }, { ge_: 20, le_: 40 }, { ge_: 50, le_: 10 }, { ge_: '30' }, { ge_: 1.5 }, { ge_: 'x' }, { ge_: null }, {}, { eq_: 1 }, null, 30].map((level) => ({ level })),
      ...['connection', 'CONNECTION', 'connection timeout', 'database', '"timeout"', '"error "', 'error -other', '-error', '+error', '+error +timeout', 'connection !timeout', 'error OR retry', '', ' ', '%', '100%', '_', 'ünïcödé', '"second line"', '"unclosed', '-', '+', '--error', '-"other error"', '\\', "'", 'a'.repeat(200), 'a'.repeat(201), null, 1].map((query) => ({ text: { query } })),
      { text: {} },
      { text: null },
      { text: { query: 'error', unknown: 1 } },
      { operator: 'or_', level: { le_: -100 }, flow_run_id: { any_: [flowRun] } },
      { operator: 'xor_' },
      { unknown: 1 },
    ].map((filter) => ({ ...own, ...filter }));
    await api.each('POST', '/logs/filter', [...filters.map((logs) => ({ logs })), ...MALFORMED.slice(1), { logs: 'x' }, { logs: own, unknown: 1 }, { sort: {} }]);
  },
};
