import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TemplateError } from '../src/errors.ts';
import { HUMANIZE_FILTERS } from '../src/filters/humanize.ts';
import { MARKUP_FILTERS } from '../src/filters/markup.ts';
import { NUMBER_FILTERS } from '../src/filters/numbers.ts';
import { PREFECT_FILTERS } from '../src/filters/prefect.ts';
import { QUANTITY_FILTERS } from '../src/filters/quantities.ts';
import { SEQUENCE_FILTERS } from '../src/filters/sequences.ts';
import { TEXT_FILTERS } from '../src/filters/texts.ts';
import { parseMoment } from '../src/moments.ts';
import { renderTemplate } from '../src/render.ts';
import { TESTS } from '../src/tests.ts';
import { findTemplateFault, namesInTemplates } from '../src/validate.ts';

/* Rendering runs in the event loop of services: whatever a template does, it neither takes long nor grows without bound. */

const MAXIMUM_SECONDS = 2;

/** Time that this thread has worked: how busy the machine is makes no difference. */
function secondsWorked(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

/** Renders, or is refused, in time: what is bounded takes a few tenths of a second. */
function renderInTime(template: string, context: Record<string, unknown> = {}): string | undefined {
  const started = secondsWorked();
  try {
    return renderTemplate(template, context);
  } catch (error) {
    assert.ok(error instanceof TemplateError, `${template.slice(0, 200)}: ${String(error)}`);
    return undefined;
  } finally {
    const took = secondsWorked() - started;
    assert.ok(took < MAXIMUM_SECONDS, `${template.slice(0, 200)} took ${took} s`);
  }
}

/** Texts of 200 kB on which careless patterns go back and forth. */
const LONG_TEXTS = ['a', '1', '9_', '1.', ' ', '<', '(', '&#1', '%(', '{a[', 'a-', '@a.', 'https://a.'].map((part) => `${part.repeat(Math.floor(200_000 / part.length))}!`);

const FILTERS = { ...TEXT_FILTERS, ...NUMBER_FILTERS, ...SEQUENCE_FILTERS, ...PREFECT_FILTERS, ...HUMANIZE_FILTERS, ...MARKUP_FILTERS, ...QUANTITY_FILTERS };

/** Arguments without which a filter or test is refused at once. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  replace: '(t, "b")',
  format: '(t, t)',
  batch: '(3)',
  slice: '(3)',
  groupby: '(t)',
  map: '("upper")',
  select: '("eq", t)',
  selectattr: '(t)',
  rejectattr: '(t, "eq", t)',
  attr: '(t)',
  trim: '(t)',
  wordwrap: '(1000000)',
  urlize: '(10, extra_schemes=[t])',
  divisibleby: '(3)',
  in: '(t)',
  sameas: '(t)',
};
for (const name of ['==', '!=', '<', '<=', '>', '>=', 'eq', 'equalto', 'ne', 'lt', 'lessthan', 'le', 'gt', 'greaterthan', 'ge']) Object.assign(ARGUMENTS, { [name]: '(t)' });

const METHODS = [
  ...['upper', 'lower', 'casefold', 'title', 'capitalize', 'swapcase', 'strip', 'split', 'rsplit', 'splitlines', 'isdigit', 'isdecimal', 'isnumeric', 'isalpha', 'isalnum', 'isspace', 'isupper', 'islower', 'format'].map((name) => `${name}()`),
  ...['strip', 'lstrip', 'rstrip', 'startswith', 'endswith', 'removeprefix', 'removesuffix', 'split', 'rsplit', 'partition', 'rpartition', 'join', 'find', 'rfind', 'index', 'count'].map((name) => `${name}(t)`),
  ...['center', 'ljust', 'rjust', 'zfill'].map((name) => `${name}(300000)`),
  'replace(t, "b")',
  'replace("a", t)',
  'format(t, a=t)',
];

test('every filter, test and method is bounded on long texts', () => {
  const calls = [
    ...Object.keys(FILTERS).map((name) => `t | ${name}${ARGUMENTS[name] ?? ''}`),
    ...Object.keys(TESTS).filter((name) => /^\w+$/.test(name)).map((name) => `t is ${name}${ARGUMENTS[name] ?? ''}`),
    ...METHODS.map((call) => `t.${call}`),
    't[7]',
    't[::-1]',
    't == t',
    't < t',
    't in t',
    't ~ t',
    't % t',
    't * 3',
    '[t] * 3 | join',
    '{t: t}[t]',
  ];
  for (const text of LONG_TEXTS) for (const call of calls) renderInTime(`{{ ${call} }}`, { t: text });
});

test('what is shared many times over is printed and compared within the same bounds', () => {
  for (const template of [
    "{% set a=['x'*1000]*1000 %}{% set b=[a]*8000 %}{{ b ~ '' }}",
    "{% set a=['x'*1000]*1000 %}{% set b=[a]*1000 %}{{ b ~ '' }}",
    "{% set a=['x'*1000]*1000 %}{% set b=[a]*8000 %}{{ b | tojson }}",
    "{% set a=['x'*1000]*1000 %}{% set b=[a]*8000 %}{{ b | pprint }}",
    '{% set a=[0]*10000 %}{% set b=[a]*10000 %}{% set c=[[0]*10000]*10000 %}{{ b == c }}',
    '{% set a=[0]*10000 %}{% set b=[a]*10000 %}{% set c=[[0]*10000]*10000 %}{{ b < c }}',
    '{% set a=[0]*10000 %}{% set b=[a]*10000 %}{% set c=[[0]*10000] %}{{ c in [b] * 10000 }}{{ ([b] * 10000).count(c) }}',
    '{% set a=(0,)*10000 %}{% set b=(a,)*10000 %}{{ {b: 1} }}',
    `{{ {${'('.repeat(60)}1${',)'.repeat(60)}: 1} }}`,
    '{% set l=[0]*100000 %}{% for a in l %}{% for b in l %}{% endfor %}{% endfor %}',
    '{% set l=[0]*100000 %}{% for a in l if false %}{% endfor %}{% for a in l %}{% set b = l + [] %}{% endfor %}',
    "{% set t='x'*1000000 %}{% for a in [0]*100000 %}{% if t|length == 1 or t is upper or t[3] == 'y' or t == t ~ '' %}{% endif %}{% endfor %}",
    "{% set t='x'*1000000 %}{% set d={t: 1} %}{% for a in [0]*100000 %}{% if d[t] == 2 %}{% endif %}{% endfor %}",
    "{% for a in [0]*100000 %}{% set b = 2**9999 * 1 %}{% endfor %}",
    '{{ [] * 4000000000 }}{{ () * 4000000000 }}',
    '{{ lipsum(4000000000, min=-5, max=0) }}',
    '{{ [1] | tojson(5000000) }}{{ [[[[1]*1000]]] | tojson(900000) }}',
    "{{ '%9999d' * 150000 % ((1,) * 100000) }}",
    "{{ '%(a)9999d' * 110000 % {'a': 1} }}",
    "{{ '%(a).1s' * 120000 % {'a': 'x' * 1000000} }}",
    "{{ ('{0:9999}' * 120000).format(1) }}{{ ('{0:.1}' * 120000).format('x' * 1000000) }}",
    "{{ ('{0' ~ '['*200000 ~ '}').format(1) }}",
    "{{ 'x'.center(1000000, 'y' * 1000) }}",
    "{{ 'a b' * 100000 | wordwrap(1, wrapstring='y'*1000) }}",
    "{{ ('a b' * 100000) | wordwrap(1, wrapstring='y'*1000) }}",
    "{{ ('a ' * 100000) | wordwrap(1000000) }}",
    "{{ ('b' ~ 'a'*400000) in ('a'*900000) }}",
    "{{ ('a'*900000).rfind('a'*400000 ~ 'b') }}{{ ('a'*900000).replace('b' ~ 'a'*400000, '') }}",
    "{{ ('a'*900000).startswith(('a'*800000 ~ 'b',) * 100000) }}",
    "{{ ('a'*500000) | trim('b'*500000 ~ 'a') }}",
    "{{ [1]*100000 | map(attribute='a.'*400000) | list }}",
    "{{ ([1]*100000) | map(attribute='a.'*400000) | list }}",
    "{{ ([0, 1]*50000) | sort(attribute='a,'*400000) }}",
    "{{ (['a'*100000 ~ 'b']*1000 + ['a'*100000]) | sort }}",
    "{{ ([['x'*1000000, 1]]*100000) | urlencode }}",
    "{{ [[0]*1000]*1000 | sum(start=[]) }}",
    "{{ ([[0]*100]*100000) | sum(start=[]) }}",
    "{{ 'x' | urlize(extra_schemes=['a'*900000 ~ ':']*50000) }}",
    "{{ ('&'*900000) | forceescape | forceescape | forceescape | forceescape }}",
    "{{ ('x'*100000) | list | unique | list }}{{ range(100) | list * 1000 }}",
    `{% macro m(${Array.from({ length: 10_000 }, (_, index) => `a${index}`).join()}) %}{% endmacro %}{% for a in [0]*1000 %}{{ m(**big) }}{% endfor %}`,
    `{{ f(${'1,'.repeat(100_000)}1) }}`,
    `{% macro m(${Array.from({ length: 30_000 }, (_, index) => `a${index}`).join()}) %}{% endmacro %}`,
    `{{ 1${'+1'.repeat(100_000)} }}`,
    "{{ moment.strftime('%F' * 400000) }}",
    '{% for a in [0]*1000 %}{{ integer * 2 }}{{ integer | string | length }}{% endfor %}',
  ])
    renderInTime(template, { big: Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, index])), integer: JSON.rawJSON('9'.repeat(200_000)), moment: parseMoment('2026-01-01T00:00:00Z') });
});

test('ordinary templates over large payloads stay within the bounds', () => {
  const rows = Array.from({ length: 5000 }, (_, index) => ({ name: `row ${index % 1000}`, value: index, labels: ['a', 'b'] }));
  assert.equal(renderInTime('{% for row in rows %}{% if row.value is divisibleby(1000) %}{{ row.name | upper }} {% endif %}{% endfor %}', { rows }), 'ROW 0 '.repeat(5));
  assert.equal(renderInTime('{{ rows | tojson | length }} {{ rows | map(attribute="name") | unique | list | length }} {{ (rows | sort(attribute="value", reverse=true) | first).value }}', { rows }), `${JSON.stringify(rows).length + 5000 * 7 - 1} 1000 4999`);
  assert.equal(renderInTime('{{ text | upper | lower | replace("a", "b") | truncate(10) }} {{ text == text }} {{ "b" in text }}', { text: 'a'.repeat(300_000) }), 'bbbbbbb... True False');
});

test('reading a long template takes no longer', () => {
  for (const text of LONG_TEXTS) for (const template of [`{{ ${text} }}`, `{{ "${text} }}`, `{% raw %}${text}`, `{% ${text} %}`, `{# ${text}`, `{{ x }}${text}`]) renderInTime(template);
  for (const part of ['{% ', '{%', '{# ', '{{ ', '{% raw %}', '{% endraw', '{% if a %}', '1.', '1e', '0_', '"', '\\']) for (const start of ['{{ ', '{% raw %}', '{{ "', '']) renderInTime(start + part.repeat(50_000));
});

test('reading a template with deep expressions finds its names', () => {
  const sum = `{{ a${'+b'.repeat(20_000)} }}`;
  assert.equal(findTemplateFault(sum), undefined);
  assert.deepEqual([...namesInTemplates([sum])].toSorted(), ['a', 'b']);
  assert.equal(renderInTime('{{ a }}', { a: JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) }), undefined);
});
