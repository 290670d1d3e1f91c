import assert from 'node:assert/strict';
import { type SchemaValueError, schemaValidation } from '@praetor/schema/schema-validation';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

const integer = { type: 'integer' };
const SCHEMA = {
  type: 'object',
  required: ['a'],
  properties: {
    a: integer,
    optional: { type: 'string' },
    untyped: { title: 'untyped' },
    list: { type: 'array', items: integer },
    tuple: { type: 'array', items: [integer, { type: 'string' }] },
    day: { type: 'string', format: 'date', title: 'day' },
    choice: { enum: ['x', 'y'] },
    model: { $ref: '#/definitions/Model' },
    maybe: { anyOf: [{ $ref: '#/definitions/Model' }, { type: 'null' }] },
    models: { type: 'array', items: { $ref: '#/definitions/Model' } },
  },
  definitions: { Model: { type: 'object', properties: { q: { type: 'integer', minimum: 3 } }, required: ['q'], additionalProperties: false } },
};

/** Where the problems are, one line each: `a.0.b`. */
function placesOf(errors: readonly SchemaValueError[], at: string[] = []): string[] {
  return errors.flatMap((error) => (typeof error === 'string' ? [at.join('.')] : placesOf(error.errors, [...at, String('property' in error ? error.property : error.index)])));
}

test('values are checked before a form is sent', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const check = async (values: object, schema: object = SCHEMA) => {
    const { errors, valid } = schemaValidation.parse(await api.expect(200, 'POST', '/ui/schemas/validate', { schema, values }));
    assert.equal(valid, errors.length === 0);
    return placesOf(errors);
  };
  const placeholder = (kind: string, content: object = {}) => ({ __prefect_kind: kind, ...content });
  await api.expect(201, 'POST', '/variables/', { name: 'three', value: 3 });

  await t.test('and found good', async () => {
    for (const values of [{ a: 1 }, { a: 1, optional: null }, { a: 1, list: [1, 2] }, { a: 1, tuple: [1, 'x'] }, { a: 1, day: '2026-01-01' }, { a: 1, maybe: null }, { a: 1, models: [{ q: 3 }], extra: 1 }])
      assert.deepEqual(await check(values), [], JSON.stringify(values));
  });

  await t.test('and each problem is told in its place', async () => {
    assert.deepEqual(await check({}), ['a']);
    assert.deepEqual((await check({ a: 'x', optional: 2, choice: 'z', day: 'tomorrow' })).toSorted(), ['a', 'choice', 'day', 'optional']);
    assert.deepEqual(await check({ a: null }), ['a']);
    assert.deepEqual(await check({ a: 1, list: [1, 'x', 2, 'y'] }), ['list.1', 'list.3']);
    assert.deepEqual(await check({ a: 1, tuple: ['x', 1] }), ['tuple.0', 'tuple.1']);
    assert.deepEqual(await check({ a: 1, model: {} }), ['model.q']);
    assert.deepEqual(await check({ a: 1, models: [{ q: 4 }, { q: 'x' }, {}] }), ['models.1.q', 'models.2.q']);
    assert.deepEqual(await check({ a: 1, model: { q: 4, y: 1, z: 2 } }), ['model'], 'once for all properties');
    assert.deepEqual(await check({ a: 1, maybe: { q: 1 } }), ['maybe'], 'and not why each alternative does not fit');
    assert.deepEqual(await check({ x: 1 }, { minProperties: 2 }), [''], 'of the values as a whole');
    assert.deepEqual(await check({ x: 'b' }, { properties: { x: { type: 'string', minLength: 3, pattern: '^a' } }, required: ['x'] }), ['x', 'x']);
  });

  await t.test('and say what would fit', async () => {
    const { errors } = await api.expect(200, 'POST', '/ui/schemas/validate', { schema: SCHEMA, values: { a: 1, optional: 2 } });
    assert.deepEqual(errors, [{ property: 'optional', errors: ['must be string or null'] }]);
  });

  await t.test('with their placeholders filled in', async () => {
    assert.deepEqual(await check({ a: placeholder('json', { value: '1' }) }), []);
    assert.deepEqual(await check({ a: placeholder('json', { value: '{' }) }), ['a']);
    assert.deepEqual(await check({ a: placeholder('json') }), ['a'], 'what is not filled in is missing');
    assert.deepEqual(await check({ a: placeholder('none', { value: 'x' }) }), ['a']);
    assert.deepEqual(await check({ a: placeholder('none') }), ['a']);
    assert.deepEqual(await check({ a: placeholder('jinja', { template: '{{ x }}' }) }), [], 'a template may become anything');
    assert.deepEqual(await check({ a: placeholder('jinja', { template: '{{ x ' }) }), ['a']);
    assert.deepEqual(await check({ a: placeholder('workspace_variable', { variable_name: 'three' }) }), []);
    assert.deepEqual(await check({ a: placeholder('workspace_variable', { variable_name: 'four' }) }), ['a']);
    assert.deepEqual(await check({ a: 1, untyped: placeholder('json', { value: '{' }) }), ['untyped']);
    assert.deepEqual(await check({ a: 1, list: [1, placeholder('json', { value: '{' }), placeholder('jinja', { template: '{{ x }}' })] }), ['list.1']);
    assert.deepEqual(await check(placeholder('json', { value: '{"a": "x"}' })), ['a']);
    assert.deepEqual(await check(placeholder('json', { value: '3' })), ['']);
  });

  await t.test('unless the schema is faulty', async () => {
    for (const schema of [{ type: 'nope' }, { properties: { a: { $ref: '#/definitions/Z' } } }, { properties: { a: { $ref: '#/properties/a' } } }])
      assert.equal(typeof (await api.expect(422, 'POST', '/ui/schemas/validate', { schema, values: { a: 1 } })).detail, 'string');
    await api.expect(422, 'POST', '/ui/schemas/validate', { schema: 'x', values: {} });
    await api.expect(422, 'POST', '/ui/schemas/validate', { schema: {} });
  });
});
