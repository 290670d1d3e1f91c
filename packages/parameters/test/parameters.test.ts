import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hydrate } from '@praetor/parameters/hydration';
import { findDefaultMisfit, findJobVariableMisfit, referencedBlocks } from '@praetor/parameters/job-variables';
import { findMisfit, findSchemaFault } from '@praetor/parameters/json-schema';
import { type JsonObject, parseJson, toJson } from '@praetor/schema/json';

const kind = (name: string, fields: JsonObject = {}): JsonObject => ({ __prefect_kind: name, ...fields });

describe('hydration', () => {
  const variables = new Map([['greeting', 'hi' as const]]);
  const cases: [JsonObject, JsonObject][] = [
    [{ a: 1, b: [{ c: null }] }, { a: 1, b: [{ c: null }] }],
    [{ a: kind('none', { value: 'b' }) }, { a: 'b' }],
    [{ a: kind('none', { value: kind('json', { value: '[1]' }) }) }, { a: [1] }],
    [{ a: kind('json', { value: '{"x": 1}' }) }, { a: { x: 1 } }],
    [{ a: kind('json', { value: 7 }) }, { a: 7 }],
    [{ a: kind('json'), b: [kind('json'), 1] }, { b: [1] }],
    [{ a: kind('jinja', { template: '{{ 1 + 1 }}{% for i in range(3) %}{{ i }}{% endfor %}' }) }, { a: '2012' }],
    [{ a: kind('jinja', { template: kind('workspace_variable', { variable_name: 'greeting' }) }) }, { a: 'hi' }],
    [{ a: kind('workspace_variable', { variable_name: 'greeting' }) }, { a: 'hi' }],
    [{ a: kind('workspace_variable') }, {}],
    [{ a: kind('something-new', { value: kind('jinja') }) }, { a: kind('jinja') }],
    [kind('workspace_variable'), {}],
  ];
  for (const [given, wanted] of cases) test(toJson(given), () => assert.deepEqual(hydrate(given, variables), wanted));

  const faulty = [kind('none'), kind('json', { value: '{' }), kind('jinja'), kind('jinja', { template: '{{' }), kind('jinja', { template: '{{ range(101) }}' }), kind('workspace_variable', { variable_name: 'nope' })];
  for (const placeholder of faulty) test(`refuses ${toJson(placeholder)}`, () => assert.throws(() => hydrate({ a: placeholder }, variables), { name: 'BadRequestError' }));

  test('a template reaches no JavaScript', () => {
    for (const template of ['{{ "".constructor }}', '{{ range.constructor }}', '{{ {}.__proto__ }}']) assert.deepEqual(hydrate({ a: kind('jinja', { template }) }, variables), { a: '' });
  });
});

describe('fitting a schema', () => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer', default: 1 }, s: { type: 'string' }, o: { type: 'string' }, t: { type: 'array', items: [{ type: 'string' }, { type: 'integer' }] }, b: { $ref: '#/definitions/B' }, when: { type: 'string', format: 'date-time' } },
    required: ['s'],
    definitions: { B: { title: 'B', type: 'object', block_type_slug: 'b', properties: { x: { type: 'integer' } }, required: ['x'] } },
  };
  const fits = (text: string, options = { required: true }) => findMisfit(parseJson(text) as JsonObject, schema, options);

  for (const values of ['{"s": "a"}', '{"s": "a", "o": null}', '{"s": "a", "n": 5.0}', '{"s": "a", "n": 123456789012345678901234567890}', '{"s": "a", "t": ["x", 1]}', '{"s": "a", "b": {"x": 1}}', '{"s": "a", "b": {"$ref": {"block_document_id": "1"}}}', '{"s": "a", "when": "soon"}'])
    test(`takes ${values}`, () => assert.equal(fits(values), undefined));
  for (const values of ['{}', '{"s": null}', '{"s": "a", "n": null}', '{"s": "a", "n": true}', '{"s": "a", "t": [1]}', '{"s": "a", "b": {}}'])
    test(`refuses ${values}`, () => assert.match(fits(values) ?? '', /schema/));

  test('names the field', () => assert.match(fits('{"s": "a", "b": {"x": "1"}}') ?? '', /^The value of 'b/));
  test('required properties may be left out where more is to come', () => assert.equal(fits('{"b": {}}', { required: false }), undefined));
  test('null stands for a default where allowed', () => assert.equal(findMisfit({ n: null, s: 'a' }, schema, { required: true, nullForDefault: true }), undefined));
  test('a reference to nowhere', () => assert.match(findMisfit({}, { $ref: '#/definitions/x' }, { required: true }) ?? '', /faulty/));
  test('references without end', () => {
    const endless = { allOf: [{ $ref: '#/$defs/A' }], $defs: { A: { $ref: '#/$defs/B' }, B: { $ref: '#/$defs/A' } } };
    assert.throws(() => findMisfit({}, endless, { required: true }), { name: 'UnprocessableError' });
  });
  test('faults of a schema', () => {
    assert.equal(findSchemaFault({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' }), undefined);
    assert.match(findSchemaFault({ properties: { a: { type: 'strung' } } }) ?? '', /faulty/);
  });
});

describe('job variables', () => {
  const template = (properties: JsonObject, required: string[] = []): JsonObject => ({ job_configuration: {}, variables: { type: 'object', properties, required } });
  const pool = template({ image: { type: 'string', default: 'x' }, count: { type: 'integer' }, must: { type: 'string' } }, ['must']);
  const cases: [name: string, template: JsonObject, overrides: JsonObject, isComplete: boolean, isFitting: boolean][] = [
    ['no template', {}, { n: 'x' }, true, true],
    ['unknown variables are free', pool, { must: 'm', other: 1 }, true, true],
    ['a wrong type', pool, { must: 'm', count: 'x' }, true, false],
    ['null for an optional one', pool, { must: 'm', image: null, count: null }, true, true],
    ['a missing one in a run', pool, {}, true, false],
    ['a missing one in a deployment', pool, {}, false, true],
    ['a faulty schema', template({ a: { type: 'strung' } }), {}, false, false],
    ['a default that does not fit is nobody’s fault here', template({ must: { type: 'string', default: 3 } }, ['must']), {}, true, true],
  ];
  for (const [name, base, overrides, isComplete, isFitting] of cases)
    test(name, () => assert.equal(findJobVariableMisfit(base, overrides, { isComplete }) === undefined, isFitting));

  test('defaults are checked with their template', () => {
    assert.equal(findDefaultMisfit(pool), undefined);
    assert.match(findDefaultMisfit(template({ y: { type: 'string', default: 3 } })) ?? '', /'y'/);
    assert.equal(findDefaultMisfit(template({ y: { type: 'string', default: null } })), undefined);
  });
  test('defaults may refer to blocks', () => {
    assert.deepEqual(referencedBlocks(template({ y: { type: 'object', default: { $ref: { block_document_id: 'b1' } } } })), ['b1']);
    assert.deepEqual(referencedBlocks(pool), []);
  });
});
