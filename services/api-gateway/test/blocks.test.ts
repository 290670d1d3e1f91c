import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from '@praetor/test/support/postgres-test';
import { addBundledBlockTypes } from '../src/block-types/bundled.ts';
import { type TestGateway, startGateway } from './support.ts';

const FIELDS = { title: 'Store', type: 'object', properties: { a: { type: 'string' }, s: { type: 'string' } }, secret_fields: ['s'], block_type_slug: 'store' };
const SECRET_CHECKSUM = 'sha256:c078ed9c1e813e224c0b353d7ad4564a11d51d3198d9ac0686478165a1911c78';

/** A block type with one schema, and a way to make documents of it. */
async function registerType({ api }: TestGateway, slug: string, fields: object = { ...FIELDS, title: slug, block_type_slug: slug }) {
  const type = await api.expect(201, 'POST', '/block_types/', { name: slug.toUpperCase(), slug });
  const schema = await api.expect(201, 'POST', '/block_schemas/', { fields, block_type_id: type.id, version: '1' });
  const create = (name: string | null, data: object, more: object = {}) =>
    api.expect(201, 'POST', '/block_documents/', { name, data, block_schema_id: schema.id, block_type_id: type.id, ...more });
  return { type, schema, create };
}

test('block types', async (t) => {
  await using gateway = await startGateway();
  const { api, published } = gateway;

  await t.test('of Prefect itself are there from the start, under the checksums that its client asks for', async () => {
    const secret = await api.expect(200, 'GET', '/block_types/slug/secret');
    assert.deepEqual(Object.keys(secret), ['id', 'created', 'updated', 'name', 'slug', 'logo_url', 'documentation_url', 'description', 'code_example', 'is_protected']);
    assert.equal(secret.is_protected, true);
    const schema = await api.expect(200, 'GET', `/block_schemas/checksum/${SECRET_CHECKSUM}?version=3.9.1`);
    assert.equal(schema.block_type_id, secret.id);
    assert.deepEqual(schema.block_type, secret);
    assert.equal(await api.expect(200, 'POST', '/block_types/install_system_block_types', undefined), null);
    assert.equal((await api.expect(200, 'POST', '/block_types/filter', { block_types: { slug: { any_: ['secret'] } } })).length, 1);
  });

  await t.test('of the collections are there too, once, with the blocks within them', async () => {
    await Promise.all([addBundledBlockTypes(gateway.database.sql), addBundledBlockTypes(gateway.database.sql)]);
    assert.equal((await api.expect(200, 'POST', '/block_types/filter', {})).length, 55);
    const { id } = await api.expect(200, 'GET', '/block_types/slug/s3-bucket');
    const [{ fields, ...bucket }, ...others] = await api.expect(200, 'POST', '/block_schemas/filter', { block_schemas: { block_type_id: { any_: [id] } } });
    assert.deepEqual([others, bucket.version, bucket.capabilities.length], [[], '0.4.14', 4]);
    const slugs = fields.block_schema_references.credentials.map((reference: { block_type_slug: string }) => reference.block_type_slug);
    assert.deepEqual(slugs, ['aws-credentials', 'minio-credentials']);
    assert.deepEqual(Object.keys(fields.definitions).toSorted(), ['AwsClientParameters', 'AwsCredentials', 'MinIOCredentials']);
    const referred = Object.values(fields.properties.credentials.anyOf).map((option) => Object.values(option as object)[0].replace('#/definitions/', ''));
    assert.ok(referred.every((name) => name in fields.definitions));
  });

  await t.test('that are protected stay', async () => {
    const { id } = await api.expect(200, 'GET', '/block_types/slug/webhook');
    assert.deepEqual(await api.expect(403, 'DELETE', `/block_types/${id}`), { detail: 'protected block types cannot be deleted.' });
    const [schema] = await api.expect(200, 'POST', '/block_schemas/filter', { block_schemas: { block_type_id: { any_: [id] } } });
    await api.expect(403, 'DELETE', `/block_schemas/${schema.id}`);
    await api.expect(403, 'POST', '/block_types/', { name: 'PreFect x', slug: 'px' });
  });

  await t.test('are created, changed where something differs, and deleted, each with its event', async () => {
    const created = await api.expect(201, 'POST', '/block_types/', { name: 'Mine', slug: 'mine', description: '<b> & "q"', logo_url: 'http://l?a=1&b=2' });
    assert.equal(created.description, '&lt;b&gt; &amp; "q"');
    assert.equal(created.logo_url, 'http://l?a=1&b=2');
    await api.expect(409, 'POST', '/block_types/', { name: 'Other', slug: 'mine' });
    await api.expect(204, 'PATCH', `/block_types/${created.id}`, { description: '<b> & "q"', code_example: null });
    await api.expect(204, 'PATCH', `/block_types/${created.id}`, { code_example: 'x()' });
    assert.equal((await api.expect(200, 'GET', `/block_types/${created.id}`)).code_example, 'x()');
    await api.expect(204, 'DELETE', `/block_types/${created.id}`);
    await api.expect(404, 'GET', `/block_types/${created.id}`);
    const { id, created: _, updated, ...payload } = created;
    const resource = { 'prefect.resource.id': `prefect.block-type.${id}`, 'prefect.resource.name': 'Mine' };
    assert.partialDeepStrictEqual(published.events, [
      { event: 'prefect.block-type.created', resource, payload },
      { event: 'prefect.block-type.updated', resource, payload: { ...payload, code_example: 'x()' } },
      { event: 'prefect.block-type.deleted', resource },
    ]);
    assert.equal(published.events.length, 3);
  });

  await t.test('refuse what does not fit', async () => {
    for (const body of [{ name: 'a/b', slug: 'x' }, { name: 'x', slug: 'Not a slug' }, { name: 'x' }]) await api.expect(422, 'POST', '/block_types/', body);
    await api.expect(422, 'PATCH', `/block_types/${randomUUID()}`, { name: 'new' });
    await api.expect(404, 'PATCH', `/block_types/${randomUUID()}`, {});
  });
});

test('block schemas', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;
  const { type, schema } = await registerType(gateway, 'store', FIELDS);

  await t.test('are found by checksum, version, id and type', async () => {
    assert.deepEqual(Object.keys(schema), ['id', 'created', 'updated', 'checksum', 'fields', 'block_type_id', 'block_type', 'capabilities', 'version']);
    const body = { fields: FIELDS, block_type_id: type.id };
    assert.equal((await api.expect(200, 'POST', '/block_schemas/', { ...body, version: '1' })).id, schema.id);
    const newer = await api.expect(201, 'POST', '/block_schemas/', { ...body, version: '2', capabilities: ['b', 'a'] });
    assert.equal(newer.checksum, schema.checksum);
    assert.deepEqual(await api.expect(200, 'GET', `/block_schemas/checksum/${schema.checksum}`), newer);
    assert.deepEqual(await api.expect(200, 'GET', `/block_schemas/checksum/${schema.checksum}?version=1`), schema);
    await api.expect(404, 'GET', `/block_schemas/checksum/${schema.checksum}?version=3`);
    assert.deepEqual(await api.expect(200, 'GET', `/block_schemas/${schema.id}`), schema);
    const ofType = await api.expect(200, 'POST', '/block_schemas/filter', { block_schemas: { block_type_id: { any_: [type.id] } } });
    assert.deepEqual(ofType, [newer, schema]);
    const capabilities = await api.expect(200, 'GET', '/block_capabilities/');
    assert.ok(capabilities.includes('a') && capabilities.includes('write-path'));
    await api.expect(204, 'DELETE', `/block_schemas/${newer.id}`);
    await api.expect(404, 'DELETE', `/block_schemas/${newer.id}`);
  });

  await t.test('show the schemas of the blocks within them', async () => {
    const definitions = { Plain: { title: 'Plain' }, Store: { ...FIELDS, block_schema_references: {} }, Secret: { title: 'Secret', block_type_slug: 'secret' } };
    const fields = {
      title: 'Outer',
      properties: { one: { $ref: '#/definitions/Store' }, two: { anyOf: [{ $ref: '#/definitions/Store' }, { $ref: '#/definitions/Secret' }] }, p: { $ref: '#/definitions/Plain' } },
      definitions,
      block_type_slug: 'outer',
      block_schema_references: {
        one: { block_type_slug: 'store', block_schema_checksum: 'sha256:unknown' },
        two: [{ block_type_slug: 'store', block_schema_checksum: schema.checksum }, { block_type_slug: 'secret', block_schema_checksum: SECRET_CHECKSUM }],
      },
    };
    const outer = await api.expect(201, 'POST', '/block_types/', { name: 'Outer', slug: 'outer' });
    const { id, fields: posted } = await api.expect(201, 'POST', '/block_schemas/', { fields, block_type_id: outer.id });
    assert.deepEqual(posted, fields);
    const created = await api.expect(200, 'GET', `/block_schemas/${id}`);
    assert.deepEqual(Object.keys(created.fields.definitions).sort(), ['Plain', 'Secret', 'Store']);
    const { one, two } = created.fields.block_schema_references;
    assert.equal(one.block_type_slug, 'store');
    assert.notEqual(one.block_schema_checksum, 'sha256:unknown');
    assert.deepEqual(two.map((reference: { block_type_slug: string }) => reference.block_type_slug).sort(), ['secret', 'store']);
    const missing = { ...fields, title: 'Missing', block_schema_references: { one: { block_type_slug: 'nowhere', block_schema_checksum: 'sha256:x' } } };
    await api.expect(409, 'POST', '/block_schemas/', { fields: missing, block_type_id: outer.id });
  });

  await t.test('belong to a type', async () => {
    await api.expect(404, 'POST', '/block_schemas/', { block_type_id: randomUUID() });
    await api.expect(422, 'POST', '/block_schemas/', { fields: {} });
  });
});

test('block documents', async (t) => {
  await using gateway = await startGateway();
  const { api, database, published } = gateway;
  const { type, schema, create } = await registerType(gateway, 'store', FIELDS);
  const open = async (id: string) => (await api.expect(200, 'GET', `/block_documents/${id}?include_secrets=true`)).data;
  const names = async (body: object) => (await api.expect(200, 'POST', '/block_documents/filter', body)).map(({ name }: { name: string }) => name);

  await t.test('mask their secrets unless they are asked for, and are encrypted where they are stored', async () => {
    published.events.length = 0;
    const created = await create('first', { a: 'x', s: 'very secret', n: 1 });
    const keys = ['id', 'created', 'updated', 'name', 'data', 'block_schema_id', 'block_schema', 'block_type_id', 'block_type_name', 'block_type', 'block_document_references', 'is_anonymous'];
    assert.deepEqual(Object.keys(created), keys);
    assert.deepEqual(created.data, { a: 'x', s: '********', n: 1 });
    assert.deepEqual(created.block_schema, schema);
    assert.deepEqual(created.block_type, type);
    assert.deepEqual(await api.expect(200, 'GET', '/block_types/slug/store/block_documents/name/first'), created);
    assert.deepEqual(await api.expect(200, 'GET', '/block_types/slug/store/block_documents'), [created]);
    assert.equal((await open(created.id)).s, 'very secret');

    const { data } = await database.kysely.selectFrom('block_document').select('data').where('id', '=', created.id).executeTakeFirstOrThrow();
    assert.match(data, /^gAAAA/);

    await api.expect(204, 'DELETE', `/block_documents/${created.id}`);
    await api.expect(404, 'GET', `/block_documents/${created.id}`);
    const event = {
      resource: { 'prefect.resource.id': `prefect.block-document.${created.id}`, 'prefect.resource.name': 'first' },
      related: [
        { 'prefect.resource.id': `prefect.block-type.${type.id}`, 'prefect.resource.name': 'STORE', 'prefect.resource.role': 'block-type' },
        { 'prefect.resource.id': `prefect.block-schema.${schema.id}`, 'prefect.resource.role': 'block-schema' },
      ],
      payload: { name: 'first', data: { a: 'x' }, block_schema: { capabilities: [], block_type: { id: type.id, name: 'STORE' } } },
    };
    assert.partialDeepStrictEqual(published.events, [{ event: 'prefect.block-document.created', ...event }, { event: 'prefect.block-document.deleted', ...event }]);
  });

  await t.test('below a wildcard mask everything, and get back what the masks stood for', async () => {
    const { create: createDeep } = await registerType(gateway, 'deep', { ...FIELDS, title: 'deep', block_type_slug: 'deep', secret_fields: ['s', 'all.*'] });
    const { id, data } = await createDeep('masked', { s: null, all: { a: null, b: { c: 1 } }, open: null });
    assert.deepEqual(data, { s: null, all: { a: '********', b: { c: '********' } }, open: null });
    await api.expect(204, 'PATCH', `/block_documents/${id}`, { data });
    assert.deepEqual(await open(id), { s: null, all: { a: null, b: { c: 1 } }, open: null });
    await api.expect(204, 'DELETE', `/block_documents/${id}`);
  });

  await t.test('merge changes and keep a secret whose mask comes back', async () => {
    const { id } = await create('merged', { a: 'x', s: 'sec', o: { p: 1 } });
    await api.expect(204, 'PATCH', `/block_documents/${id}`, { data: { a: 'y', s: '********', o: {} } });
    assert.deepEqual(await open(id), { a: 'y', s: 'sec', o: {} });
    await api.expect(204, 'PATCH', `/block_documents/${id}`, {});
    await api.expect(204, 'PATCH', `/block_documents/${id}`, { data: { a: 'z' }, merge_existing_data: false });
    assert.deepEqual(await open(id), { a: 'z' });
    const { id: foreign } = (await api.expect(200, 'POST', '/block_schemas/filter', { block_schemas: { version: { any_: ['3.9.1'] } }, limit: 1 }))[0];
    await api.expect(400, 'PATCH', `/block_documents/${id}`, { data: {}, block_schema_id: foreign });
    const newer = await api.expect(201, 'POST', '/block_schemas/', { fields: FIELDS, block_type_id: type.id, version: '2' });
    await api.expect(204, 'PATCH', `/block_documents/${id}`, { data: {}, block_schema_id: newer.id });
    assert.equal((await api.expect(200, 'GET', `/block_documents/${id}`)).block_schema.version, '2');
    await api.expect(404, 'PATCH', `/block_documents/${randomUUID()}`, { data: {} });
  });

  await t.test('hold other documents, whose data they show', async () => {
    const inner = await create('inner', { a: 'x', s: 'sec' });
    const reference = { $ref: { block_document_id: inner.id } };
    const outer = await create('outer', { z: 1, inner: reference });
    assert.deepEqual(outer.data, { z: 1, inner: { a: 'x', s: '********' } });
    assert.deepEqual(outer.block_document_references, {
      inner: { block_document: { id: inner.id, name: 'inner', block_type: type, is_anonymous: false, block_document_references: {} } },
    });
    assert.deepEqual(await open(outer.id), { z: 1, inner: { a: 'x', s: 'sec' } });
    await api.expect(400, 'PATCH', `/block_documents/${inner.id}`, { data: { loop: { $ref: { block_document_id: outer.id } } } });
    await api.expect(400, 'PATCH', `/block_documents/${inner.id}`, { data: { loop: reference } });
    await api.expect(400, 'POST', '/block_documents/', { name: 'bad', data: { x: { $ref: {} } }, block_schema_id: schema.id, block_type_id: type.id });
    await api.expect(204, 'PATCH', `/block_documents/${outer.id}`, { data: { z: 2 } });
    assert.deepEqual(await open(outer.id), { z: 2 });
    await api.expect(204, 'PATCH', `/block_documents/${outer.id}`, { data: { inner: reference } });
    await api.expect(204, 'DELETE', `/block_documents/${inner.id}`);
    assert.deepEqual(await open(outer.id), { z: 2 });
  });

  await t.test('need a name unless they are anonymous, and then stay out of sight', async () => {
    published.events.length = 0;
    const { name } = await create(null, { s: 'q' }, { is_anonymous: true });
    assert.match(name, /^anonymous-[\da-f-]{36}$/);
    assert.deepEqual(published.events, []);
    await api.expect(200, 'GET', `/block_types/slug/store/block_documents/name/${name}`);
    assert.ok(!(await names({})).includes(name));
    assert.ok((await names({ block_documents: { is_anonymous: null } })).includes(name));
    assert.deepEqual(await names({ block_documents: { is_anonymous: { eq_: true } } }), [name]);
    const body = { block_schema_id: schema.id, block_type_id: type.id };
    await api.expect(422, 'POST', '/block_documents/', body);
    await api.expect(422, 'POST', '/block_documents/', { ...body, name: 'Not good' });
    assert.deepEqual(await api.expect(409, 'POST', '/block_documents/', { ...body, name: 'outer' }), { detail: 'Block already exists' });
    await api.expect(404, 'POST', '/block_documents/', { ...body, name: 'new', block_type_id: randomUUID() });
  });

  await t.test('are filtered, sorted and counted', async () => {
    const other = await registerType(gateway, 'another');
    await other.create('a-first', {});
    assert.deepEqual(await names({ block_types: { slug: { any_: ['another'] } } }), ['a-first']);
    assert.deepEqual(await names({ sort: 'BLOCK_TYPE_AND_NAME_ASC' }), ['a-first', 'merged', 'outer']);
    assert.deepEqual(await names({ sort: 'NAME_DESC', limit: 2 }), ['outer', 'merged']);
    assert.deepEqual(await names({ sort: null, block_schemas: { version: { any_: ['2'] } } }), ['merged']);
    assert.equal(await api.expect(200, 'POST', '/block_documents/count', { block_documents: { name: { like_: 'ER' } } }), 2);
    assert.deepEqual(await api.expect(404, 'GET', '/block_types/slug/nowhere/block_documents'), { detail: 'Block type not found' });
    await api.expect(404, 'GET', '/block_types/slug/store/block_documents/name/nothing');
  });

  await t.test('go with their type, and the default result storage with them', async () => {
    const { type: storage, create: createStorage } = await registerType(gateway, 'storage', { title: 'Storage' });
    const capable = await api.expect(201, 'POST', '/block_schemas/', { fields: { title: 'Capable' }, block_type_id: storage.id, capabilities: ['write-path'] });
    const { id } = await createStorage('results', {}, { block_schema_id: capable.id });
    await api.expect(200, 'PUT', '/admin/storage', { default_result_storage_block_id: id });
    await api.expect(204, 'DELETE', `/block_types/${storage.id}`);
    await api.expect(404, 'GET', `/block_documents/${id}`);
    assert.deepEqual(await api.expect(200, 'GET', '/admin/storage'), { default_result_storage_block_id: null });
  });
});

test('gateways that start together agree on one encryption key', async () => {
  await using gateway = await startGateway();
  const { create } = await registerType(gateway, 'store', FIELDS);
  const documents = await Promise.all(Array.from({ length: 8 }, (_, index) => create(`d${index}`, { s: `${index}` })));
  const rows = await gateway.database.kysely.selectFrom('configuration').select('value').where('key', '=', 'ENCRYPTION_KEY').execute();
  assert.equal(rows.length, 1);
  for (const [index, { id }] of documents.entries())
    assert.deepEqual((await gateway.api.expect(200, 'GET', `/block_documents/${id}?include_secrets=true`)).data, { s: `${index}` });
});

test('the encryption key may be given as a setting', async () => {
  await using gateway = await startGateway({ PREFECT_SERVER_ENCRYPTION_KEY: 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=' });
  const { create } = await registerType(gateway, 'store', FIELDS);
  await create('d', { s: 'x' });
  assert.deepEqual(await gateway.database.kysely.selectFrom('configuration').selectAll().execute(), []);
});
