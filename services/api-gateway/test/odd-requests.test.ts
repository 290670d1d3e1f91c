import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { isJsonObject } from '@praetor/schema/json';
import { after, before, suite, test } from '@praetor/test/support/postgres-test';
import { describeApi } from '../src/openapi.ts';
import { resources } from '../src/resources.ts';
import { type TestGateway, startGateway } from './support.ts';

/*
 * Whatever is sent to whatever route, the server does not fail: every operation of the document gets bodies that fit its
 * schema but for one odd value, and texts that are no JSON at all. The same values every time: the seed is fixed, or
 * PRAETOR_TEST_SEED, to look for more.
 */

const SEED = Number(process.env['PRAETOR_TEST_SEED'] ?? 1);
const ROUNDS = Number(process.env['PRAETOR_TEST_ROUNDS'] ?? 6);
const NIL = '00000000-0000-0000-0000-000000000000';

/** A generator of numbers from 0 to 1 that gives the same ones every time. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = createRandom(SEED);
function pick<T>(values: readonly T[]): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new RangeError('nothing to pick from');
  return value;
}


const nested = (depth: number): unknown => (depth === 0 ? {} : { a: [nested(depth - 1)] });

const ODD_VALUES: readonly unknown[] = [
  null, true, [], {}, [null], [[]], { '': null }, nested(60),
  '', ' ', '\0', 'a\0b', '\ud800', '\udfff\ud800', '😀'.repeat(300), 'x'.repeat(3000), "'; drop table flow; --", '%', '_', '\\', '(((', '[a-', '{{', '{{ x }}', '{% for %}', '../..', '\u202e', '$ref', '__proto__', 'constructor',
  0, -1, 1.5, 2 ** 15, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 2 ** 63, 1e20, 1e308, -1e308, 5e-324, -0,
  '0', '-1', '1e400', 'nan', 'Infinity', '99999999999999999999', '1_000',
  '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59-12:00', '0000-01-01', '10000-01-01T00:00:00Z', '2026-02-30', 'infinity', 253_402_300_800,
  NIL, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'P999999999D', 'PT1E9S', 'Mars/Olympus', 'UTC+99', '* * * * *', '0 0 31 2 *', 'FREQ=SECONDLY;INTERVAL=0', 'RRULE:FREQ=YEARLY;COUNT=0', { 'prefect.resource.id': '\0' }, { '\0': 1 }, { $ref: '#' }, { type: 'object', properties: { $ref: 1 } },
  { __prefect_kind: 'jinja', template: '{{ 1/0 }}' }, { __prefect_kind: 'json', value: '{' },
];

const document = describeApi(resources);

type Schema = Record<string, unknown>;

function asSchema(value: unknown): Schema {
  const schema: Schema = isJsonObject(value) ? value : {};
  const { $ref } = schema;
  if (typeof $ref !== 'string') return schema;
  const { components } = document;
  const schemas = isJsonObject(components) && isJsonObject(components['schemas']) ? components['schemas'] : {};
  return asSchema(schemas[$ref.replace('#/components/schemas/', '')]);
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Ids of what the server has made so far: many paths only go deep where something is found. */
const ids: string[] = [NIL];

/** A value that fits a schema, mostly, with optional fields at random; `odd` is the chance of each part to be replaced by an odd value. */
function generate(value: unknown, odd: number, depth = 0): unknown {
  if (random() < odd) return pick(ODD_VALUES);
  const schema = asSchema(value);
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return pick(schema['enum']);
  if (Array.isArray(schema['anyOf'])) return generate(pick(schema['anyOf']), odd, depth);
  switch (schema['type']) {
    case 'string':
      return generateText(schema);
    case 'integer':
    case 'number':
      return Math.floor(random() * 60) + Number(schema['minimum'] ?? schema['exclusiveMinimum'] ?? 0);
    case 'boolean':
      return random() < 0.5;
    case 'array':
      return Array.from({ length: depth > 5 ? 0 : Math.floor(random() * 3) }, () => generate(schema['items'], odd, depth + 1));
    case 'object':
      return generateObject(schema, odd, depth);
    default:
      return pick([1, 'text', null, { a: 1 }, [1]]);
  }
}

function generateText({ format, pattern }: Schema): string {
  if (format === 'uuid') return pick(ids);
  if (format === 'date-time') return new Date(Date.UTC(2026, 10, 21) + Math.floor(random() * 1e9)).toISOString();
  return pattern === undefined ? pick(['name', 'other-name', 'a b', 'é']) : pick(['name', 'other-name', 'third']);
}

function generateObject(schema: Schema, odd: number, depth: number): Schema {
  const required = listOf(schema['required']);
  const properties = isJsonObject(schema['properties']) ? Object.entries(schema['properties']) : [];
  const chosen = properties.filter(([name]) => required.includes(name) || (depth < 6 && random() < 0.4));
  const extra = isJsonObject(schema['additionalProperties']) ? [['key', generate(schema['additionalProperties'], odd, depth + 1)]] : [];
  return Object.fromEntries([...chosen.map(([name, field]) => [name, generate(field, odd, depth + 1)]), ...extra]);
}

interface Operation {
  method: string;
  path: string;
  parameters: readonly Schema[];
  body: unknown;
}

function listOperations(): Operation[] {
  const paths = isJsonObject(document['paths']) ? Object.entries(document['paths']) : [];
  return paths.flatMap(([path, item]) =>
    Object.entries(isJsonObject(item) ? item : {}).map(([method, operation]) => {
      const { parameters, requestBody } = asSchema(operation);
      const content = asSchema(asSchema(requestBody)['content'])['application/json'];
      return { method: method.toUpperCase(), path, parameters: listOf(parameters).map(asSchema), body: content === undefined ? undefined : asSchema(content)['schema'] };
    }),
  );
}

/** Text for a URL; lone surrogates have no place in one. */
const toUrlPart = (value: unknown): string => encodeURIComponent(String(typeof value === 'object' ? JSON.stringify(value) : value).toWellFormed().slice(0, 500));

function buildPath({ path, parameters }: Operation, odd: number): string {
  const valueOf = (parameter: Schema) => toUrlPart(generate(parameter['schema'], odd));
  const filled = parameters
    .filter((parameter) => parameter['in'] === 'path')
    .reduce((text, parameter) => text.replace(`{${String(parameter['name'])}}`, valueOf(parameter) || 'x'), path);
  const query = parameters.filter((parameter) => parameter['in'] === 'query' && (parameter['required'] === true || random() < 0.5));
  return query.length === 0 ? filled : `${filled}?${query.map((parameter) => `${String(parameter['name'])}=${valueOf(parameter)}`).join('&')}`;
}

interface RawBody {
  name: string;
  body: Buffer;
  headers?: Record<string, string>;
}

const RAW_BODIES: readonly RawBody[] = [
  { name: 'invalid UTF-8', body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]) },
  { name: 'random bytes', body: Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256))) },
  { name: 'NaN', body: Buffer.from('{"limit": NaN, "state": Infinity}') },
  { name: 'half a value', body: Buffer.from('{"name": "x", "tags": [') },
  { name: 'deep lists', body: Buffer.from('['.repeat(50_000)) },
  { name: 'deep objects', body: Buffer.from('{"a":'.repeat(900) + '1' + '}'.repeat(900)) },
  { name: 'no gzip', body: Buffer.from('{}'), headers: { 'content-encoding': 'gzip' } },
  { name: 'gzip', body: gzipSync('{}'), headers: { 'content-encoding': 'gzip' } },
  { name: 'an unknown encoding', body: Buffer.from('{}'), headers: { 'content-encoding': 'snappy' } },
  { name: 'an unknown charset', body: Buffer.from('{}'), headers: { 'content-type': 'application/json; charset=klingon' } },
  { name: 'UTF-16', body: Buffer.from('{"name": "x"}', 'utf16le') },
  { name: 'a form', body: Buffer.from('name=x'), headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  { name: 'duplicate keys', body: Buffer.from('{"name":"x","name":null,"__proto__":{"a":1},"constructor":1}') },
  { name: 'huge numbers', body: Buffer.from(`{"limit":${'9'.repeat(5000)},"offset":1e999999}`) },
];

function collectIds(value: unknown): void {
  if (Array.isArray(value)) for (const entry of value.slice(0, 3)) collectIds(entry);
  else if (isJsonObject(value) && typeof value['id'] === 'string' && ids.length < 300) ids.push(value['id']);
}

suite('odd requests', () => {
  let gateway: TestGateway;
  const failures: string[] = [];
  before(async () => {
    gateway = await startGateway();
  });
  after(() => gateway[Symbol.asyncDispose]());

  async function send(method: string, path: string, body: string | Buffer | undefined, headers: Record<string, string> = {}): Promise<void> {
    const request = `${method} ${path} ${String(body ?? '').slice(0, 600)}`;
    try {
      const response = await fetch(gateway.api.url + path, { method, headers: { 'content-type': 'application/json', ...headers }, ...(body !== undefined && method !== 'GET' && { body: typeof body === 'string' ? body : Uint8Array.from(body) }) });
      const text = await response.text();
      if (response.status >= 500) failures.push(`${response.status} ${request}`);
      else if (response.ok && response.headers.get('content-type')?.startsWith('application/json')) collectIds(JSON.parse(text));
    } catch (error) {
      failures.push(`${error instanceof Error ? String(error.cause ?? error) : 'no answer'}: ${request}`);
    }
  }

  const operations = listOperations();
  for (const [name, odd] of [['values that fit', 0], ['an odd value here and there', 0.04], ['many odd values', 0.3]] as const)
    test(`no route fails with ${name}`, async () => {
      for (let round = 0; round < ROUNDS / 3; round++)
        for (const operation of operations) {
          const body = operation.body === undefined ? undefined : JSON.stringify(generate(operation.body, odd));
          await send(operation.method, buildPath(operation, odd / 2), body);
        }
      assert.deepEqual(failures.splice(0), []);
    });

  test('no route fails with bytes that are no JSON', async () => {
    for (const [index, operation] of operations.filter(({ body }) => body !== undefined).entries())
      for (const { body, headers } of RAW_BODIES.filter((_, place) => (place + index) % 5 === 0)) await send(operation.method, buildPath(operation, 0), body, headers);
    assert.deepEqual(failures.splice(0), []);
  });
});
