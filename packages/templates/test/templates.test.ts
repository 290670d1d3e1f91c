import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, isRawJson } from '@praetor/schema/json';
import { TemplateError } from '../src/errors.ts';
import { findParameterFault, upgradeTemplates } from '../src/parameters.ts';
import { eventObject, labelDiver, modelObject } from '../src/prefect-objects.ts';
import { renderTemplate } from '../src/render.ts';
import { findTemplateFault, namesInTemplates } from '../src/validate.ts';
import filters from './filters.json' with { type: 'json' };
import jinja from './jinja.json' with { type: 'json' };
import rendering from './rendering.json' with { type: 'json' };
import syntax from './syntax.json' with { type: 'json' };

/* filters.json, jinja.json, rendering.json and syntax.json were computed by Prefect 3.9.1. */

/** What a template prints, or the kind of its error. */
function outcome(template: string, context: object): { output: string } | { error: string } {
  try {
    return { output: renderTemplate(template, { ...context }) };
  } catch (error) {
    if (error instanceof TemplateError) return { error: error.kind };
    throw error;
  }
}

/** JSON imports lose that a number was written as 1.0. */
const withFloats = (value: unknown, floats: readonly string[], key = ''): unknown => {
  if (floats.includes(key) && typeof value === 'number') return JSON.rawJSON(`${value}.0`);
  if (Array.isArray(value)) return value.map((item) => withFloats(item, floats));
  if (!isJsonObject(value) || isRawJson(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, withFloats(inner, floats, field)]));
};

test('templates print what Prefect prints', () => {
  const cases: readonly { template: string; output?: string | undefined; error?: string | undefined }[] = jinja.cases;
  for (const { template, output, error } of cases) assert.deepEqual(outcome(template, jinja.context), error === undefined ? { output } : { error }, template);
  const others: typeof cases = filters.cases;
  for (const { template, output, error } of others) assert.deepEqual(outcome(template, filters.context), error === undefined ? { output } : { error }, template);
  const more: typeof cases = rendering.cases;
  const context = withFloats(rendering.context, ['f']);
  assert.ok(isJsonObject(context));
  for (const { template, output, error } of more) assert.deepEqual(outcome(template, context), error === undefined ? { output } : { error }, template);
});

test('templates can be read where Prefect can read them, and are faulty on the same line', () => {
  for (const { template, line } of syntax) assert.equal(findTemplateFault(template)?.line ?? null, line, template);
});

test('text without a template stays as it is', () => {
  assert.equal(renderTemplate('a }} %} # \n', {}), 'a }} %} # \n');
});

test('a template reaches nothing but its context', () => {
  const names = ['constructor', '__proto__', 'prototype', 'toString', 'hasOwnProperty', 'process', 'globalThis', 'require', 'this'];
  const values = ['a', 'a.b', 'a.list', '"text"', '[1]', '{}', '(1)', 'range', 'dict', 'namespace()', 'namespace', 'a.missing', 'loop', 'event', 'labels'];
  const event = eventObject({ occurred: '2026-01-01T00:00:00Z', event: 'e', resource: { 'prefect.resource.id': 'r' }, related: [], payload: {}, id: '11111111-2222-3333-4444-555555555555', follows: null });
  const context = { a: { b: { c: 1 }, list: [1] }, event, labels: labelDiver({ a: 'b' }) };
  for (const value of values)
    for (const name of names) {
      assert.deepEqual(outcome(`{{ ${value}.${name} }}{{ ${value}["${name}"] }}`, context), { output: '' }, `${value}.${name}`);
      assert.ok('error' in outcome(`{{ ${value}.${name}("return 1")() }}`, context), `${value}.${name}()`);
      assert.deepEqual(outcome(`{{ ${value} | attr("${name}") }}`, context), { output: '' });
    }
  for (const name of names) {
    assert.deepEqual(outcome(`{{ ${name} }}`, context), { output: '' });
    for (const template of [`{{ 1 | ${name} }}`, `{{ 1 is ${name} }}`, `{{ [1] | map("${name}") | list }}`]) assert.ok('error' in outcome(template, context), template);
    assert.deepEqual(outcome(`{% set ns = namespace(a=1) %}{{ ns.${name} }}`, {}), { output: '' });
  }
  assert.equal(renderTemplate('{{ a.own }}{{ a.inherited }}', { a: Object.create({ inherited: 'x' }, { own: { value: 'o', enumerable: true } }) }), 'o');
});

test('what a template may use up is bounded', () => {
  const started = performance.now();
  for (const template of [
    '{{ "a" * 10000000000 }}',
    '{{ [0] * 10000000000 }}',
    '{{ 9 ** 99999999 }}',
    '{% set ns = namespace(t="aaaaaaaaaa") %}{% for a in range(100) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}',
    '{% for a in range(100) %}{% for b in range(100) %}{% for c in range(100) %}{% for d in range(100) %}x{% endfor %}{% endfor %}{% endfor %}{% endfor %}',
    '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}',
    '{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}',
    '{% for x in [[[[]]]] recursive %}{{ loop([x]) }}{% endfor %}',
    '{{ "x".center(10000000000) }}',
    '{{ "%10000000000d" | format(1) ~ "x" * 2000000 }}',
    '{{ "a" | indent(10000000000) }}',
    '{{ range(101) }}',
    '{{ lipsum(1000, max=1000000) }}',
    '{{ ("xx.org " * 1000) | urlize(rel="y" * 900000) }}',
    '{{ ("(" * 400000 ~ ")" * 400000 ~ "x " * 100000) | urlize }}',
    '{{ {"a": "x" * 900000, "b": "x" * 900000} | xmlattr }}',
    `{{ ${'('.repeat(2000)}1${')'.repeat(2000)} }}`,
    `{{ ${'-'.repeat(5000)}1 }}`,
    `{{ ${'not '.repeat(5000)}1 }}`,
    `{{ 1${' if 1 else 1'.repeat(5000)} }}`,
    '{% if a %}'.repeat(5000),
    '{% set l = [1] %}{% for a in range(100) %}{% for b in range(100) %}{% for c in range(100) %}{{ [1,2,3,4,5,6,7,8,9] | map("string") | join }}{% endfor %}{% endfor %}{% endfor %}',
  ])
    assert.ok('error' in outcome(template, {}), template.slice(0, 80));
  assert.ok(performance.now() - started < 10_000);
});

const ID = '11111111-2222-3333-4444-555555555555';

test('models have fields that are more than texts', () => {
  const flowRun = modelObject('flow-run', {
    id: ID,
    name: 'otter',
    start_time: '2026-11-21T14:36:53.500000Z',
    total_run_time: 65.5,
    state_type: 'FAILED',
    state: { type: 'FAILED', name: 'Failed', timestamp: '2026-11-21T14:36:53Z' },
    parameters: { t: '2026-11-21T14:36:53Z', status: 'READY' },
  });
  const print = (template: string) => renderTemplate(template, { flow_run: flowRun, flow: modelObject('flow', { id: ID, name: 'F' }) });
  assert.equal(print('{{ flow_run.start_time }} {{ flow_run.total_run_time }} {{ flow_run.state.type }}'), '2026-11-21 14:36:53.500000+00:00 0:01:05.500000 StateType.FAILED');
  assert.equal(print('{{ flow_run.state_type == "FAILED" }} {{ flow_run.state_type | lower }} {{ flow_run.state_type.value }}'), 'True failed FAILED');
  assert.equal(print('{{ flow_run.start_time.strftime("%d.%m.%Y %H:%M") }} {{ flow_run.start_time.year }} {{ flow_run.start_time.isoformat() }}'), '21.11.2026 14:36 2026 2026-11-21T14:36:53.500000+00:00');
  assert.equal(print('{{ flow_run.start_time - flow_run.state.timestamp }} {{ flow_run.start_time > flow_run.state.timestamp }} {{ flow_run.total_run_time * 2 }}'), '0:00:00.500000 True 0:02:11');
  assert.equal(print('{{ flow_run.parameters }} {{ flow_run["name"] }} {{ flow_run.nothing.at.all }}'), "{'t': '2026-11-21T14:36:53Z', 'status': 'READY'} otter ");
  assert.equal(print('{{ flow_run.id | tojson }} {{ flow_run.state | tojson }}'), `"${ID}" {"name": "Failed", "timestamp": "2026-11-21T14:36:53Z", "type": "FAILED"}`);
  assert.equal(print('{{ flow_run.total_run_time | humanize_naturaldelta }}, {{ flow_run.total_run_time | humanize_precisedelta }}'), 'a minute, 1 minute and 5.50 seconds');
});

test('events know their resources and labels', () => {
  const event = eventObject({
    occurred: '2026-11-21T14:36:53.5Z',
    event: 'prefect.flow-run.Failed',
    resource: { 'prefect.resource.id': `prefect.flow-run.${ID}`, 'prefect.resource.name': 'otter', 'a.b': 'c', a: 'd' },
    related: [{ 'prefect.resource.id': 'prefect.flow.x', 'prefect.resource.role': 'flow', 'prefect.resource.name': 'F' }],
    payload: { x: [1] },
    id: ID,
    follows: null,
  });
  const print = (template: string) => renderTemplate(template, { event, labels: labelDiver({ 'prefect.resource.id': 'r1', a: 'b', 'a.c': 'd' }) });
  assert.equal(print('{{ event.resource.id }} {{ event.resource.name }} {{ event.resource["a.b"] }} {{ event.resource.labels.a.b }} {{ event.resource.labels.a }}'), `prefect.flow-run.${ID} otter c c d`);
  assert.equal(print('{{ event.related[0].role }} {{ event.resource_in_role.flow.name }} {{ event.resources_in_role["flow"] | length }} {{ event.find_resource_label("related:flow:prefect.resource.name") }}'), 'flow F 1 F');
  assert.equal(print('{% for k, v in event.resource.items() %}{{ k }}={{ v }};{% endfor %}'), `prefect.resource.id=prefect.flow-run.${ID};prefect.resource.name=otter;a.b=c;a=d;`);
  assert.equal(print('{{ event.occurred }} {{ event.payload }} {{ event.follows }}'), "2026-11-21 14:36:53.500000+00:00 {'x': [1]} None");
  assert.equal(print('{{ labels.a }} {{ labels.a.c }} {{ labels.prefect.resource.id }} {{ labels["prefect.resource.id"] }} {{ labels.zz }}'), 'b d r1 r1 ');
});

test('links lead to the pages of the web UI, each segment percent-encoded', () => {
  const context = {
    flow_run: modelObject('flow-run', { id: ID }),
    work_pool: modelObject('work-pool', { id: ID, name: 'pool one/é' }),
    event: eventObject({ occurred: '2026-11-21T14:36:53Z', event: 'e', resource: { 'prefect.resource.id': `prefect.flow.${ID}` }, related: [], payload: {}, id: ID, follows: null }),
  };
  const print = (template: string, uiUrl: string | undefined = 'http://ui.example/base') => renderTemplate(template, context, { uiUrl });
  assert.equal(print('{{ flow_run | ui_url }}'), `http://ui.example/base/runs/flow-run/${ID}`);
  assert.equal(print('{{ work_pool | ui_url }}'), 'http://ui.example/base/work-pools/work-pool/pool%20one%2F%C3%A9');
  assert.equal(print('{{ event | ui_url }} {{ event.url }}'), `http://ui.example/base/events/event/2026-11-21/${ID} http://ui.example/base/events/event/2026-11-21/${ID}`);
  assert.equal(print('{{ event.resource | ui_url }}'), `http://ui.example/base/flows/flow/${ID}`);
  assert.equal(print('{{ work_pool | ui_resource_events_url }}'), `http://ui.example/events?resource=prefect.work-pool.${ID}`);
  assert.equal(print('{{ "x" | ui_url }} {{ missing | ui_url }}'), 'None None');
  assert.equal(renderTemplate('{{ flow_run | ui_url }}', context), 'None');
  assert.equal(print(`{{ "see flow-run/${ID}!" | flow_run_id }} {{ "no" | flow_run_id }}`), `${ID} None`);
});

test('plain texts in parameters become placeholders', () => {
  const single = { __prefect_kind: 'json', value: { __prefect_kind: 'jinja', template: '{{ a.b | tojson }}' } };
  const mixed = { __prefect_kind: 'jinja', template: 'Hi {{ a }}' };
  const given = { a: ' {{ a.b }} ', b: 'Hi {{ a }}', c: ['{{ a.b }}', { d: '{{ a.b }}' }, 1], e: { __prefect_kind: 'jinja', template: '{{ x }}' }, f: 'plain', g: null };
  assert.deepEqual(upgradeTemplates(given), { a: single, b: mixed, c: [single, { d: single }, 1], e: given.e, f: 'plain', g: null });
  assert.equal(given.a, ' {{ a.b }} ');
});

test('faults in the templates of parameters are found by their place', () => {
  assert.equal(findParameterFault({ a: '{{ x }}', b: { c: [1] }, d: ['{{ x'] }), undefined);
  assert.match(findParameterFault({ a: { b: '{{ x' }, c: '{% zz %}' }) ?? '', /^a\.b: Invalid jinja: .*\nc: Invalid jinja: /);
  assert.match(findParameterFault({ a: { __prefect_kind: 'json', value: '{' } }) ?? '', /^a: Invalid JSON/);
  assert.match(findParameterFault({ __prefect_kind: 'jinja', template: '{{' }) ?? '', /^Invalid jinja/);
  assert.equal(findParameterFault({ a: { __prefect_kind: 'json' }, b: { __prefect_kind: 'workspace_variable' }, c: { __prefect_kind: 'zzz' } }), undefined);
});

test('the names that templates read are known', () => {
  const names = namesInTemplates(['{{ flow_run.name | default(deployment.name) }}', '{% for x in variables.items() if x is eq(work_pool.name) %}{{ y }}{% endfor %}', 'flow']);
  assert.deepEqual([...names].toSorted(), ['deployment', 'flow_run', 'variables', 'work_pool', 'x', 'y']);
});
