import type { Sequences, TwinClient } from '../twin-client.ts';
import { idFilters, likeFilters, MALFORMED, PAGES, textFilters } from './cases.ts';

const SECRET_CHECKSUM = 'sha256:c078ed9c1e813e224c0b353d7ad4564a11d51d3198d9ac0686478165a1911c78';

/** Of what a server brings along: it was made at its start, and its prose is its own. */
const BUNDLED = { unordered: true, ignore: ['created', 'updated', 'description', 'code_example', 'examples'] };

/** The fields of a block with secrets at several depths. */
const fieldsOf = (slug: string, more: object = {}) => ({
  title: 'Store',
  description: 'A store.',
  type: 'object',
  properties: { url: { type: 'string' }, token: { type: 'string', format: 'password' }, nested: { type: 'object' }, all: { type: 'object' } },
  required: ['url'],
  block_type_slug: slug,
  secret_fields: ['token', 'nested.inner', 'all.*'],
  block_schema_references: {},
  ...more,
});

async function makeType(api: TwinClient, prefix = 'block', fields?: object) {
  const slug = api.name(prefix);
  const type = await api.post('/block_types/', { name: slug, slug, description: 'A block.', code_example: 'x()' });
  const schema = await api.post('/block_schemas/', { fields: fields ?? fieldsOf(slug), block_type_id: type.id, capabilities: ['read', slug], version: '1' }, { unordered: true });
  return { slug, type, schema };
}

const DATA = { url: 'u', token: 't', nested: { inner: 1, open: 2 }, all: { a: 1, b: { c: null } } };

export const blocks: Sequences = {
  'types: those that come with Prefect': async (api) => {
    await api.post('/block_types/install_system_block_types', undefined);
    for (const slug of ['secret', 's3-bucket']) {
      const type = await api.get(`/block_types/slug/${slug}`, BUNDLED);
      await api.post('/block_schemas/filter', { block_schemas: { block_type_id: { any_: [type.id] } } }, BUNDLED);
      await api.get(`/block_types/${type.id}`, BUNDLED);
    }
    await api.get(`/block_schemas/checksum/${SECRET_CHECKSUM}?version=3.9.1`, BUNDLED);
    const secret = await api.get('/block_types/slug/secret', BUNDLED);
    await api.delete(`/block_types/${secret.id}`);
    await api.each('POST', '/block_types/', ['Prefect X', 'prefect', 'PREFECTx'].map((name) => ({ name, slug: api.name() })));
  },

  'types: create, read, change, delete': async (api) => {
    const { type, slug, schema } = await makeType(api);
    await api.each('POST', '/block_types/', [{ name: slug, slug }, { name: api.name(), slug }]);
    await api.eachPath('GET', [`/block_types/${type.id}`, `/block_types/slug/${slug}`, `/block_types/${api.id()}`, '/block_types/x', '/block_types/slug/unknown']);
    await api.each('PATCH', `/block_types/${type.id}`, [
      { description: '<b>new</b>' },
      { logo_url: 'https://example.org/logo.png', documentation_url: 'https://example.org/' },
      { code_example: null },
      {},
      { logo_url: 'no url' },
      { logo_url: null },
      { description: 1 },
      { name: 'x' },
      { slug: 'x' },
      { is_protected: true },
      null,
      undefined,
      ...MALFORMED,
    ]);
    await api.get(`/block_types/${type.id}`);
    await api.eachPath('PATCH', [`/block_types/${api.id()}`, '/block_types/x'], { description: 'x' });
    await api.eachPath('DELETE', [`/block_types/${type.id}`, `/block_types/${type.id}`, '/block_types/x']);
    await api.get(`/block_schemas/${schema.id}`);
  },

  'types: what one may be': async (api) => {
    const slug = () => api.name();
    await api.each('POST', '/block_types/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      { name: slug() },
      { slug: slug() },
      ...['', 'a/b', 'a%b', 'a<b', 1, null].map((name) => ({ name, slug: slug() })),
      ...['Upper', 'a_b', 'a b', 'ü', 1, null].map((bad) => ({ name: slug(), slug: bad })),
      ...['logo_url', 'documentation_url', 'description', 'code_example'].flatMap((field) => [null, 'text', 'http://example.org/?a=1&b=<x>', 1].map((value) => ({ name: slug(), slug: slug(), [field]: value }))),
      { name: slug(), slug: slug(), is_protected: true },
      { name: slug(), slug: slug(), unknown: 1 },
    ]);
  },

  'types: filter and page': async (api) => {
    const { slug, type } = await makeType(api, 'blockfilter');
    const other = await makeType(api, 'blockfilter');
    const own = { name: { like_: 'blockfilter' }, slug: { any_: [slug, other.slug] } };
    await api.each('POST', '/block_types/filter', PAGES.map((page) => ({ block_types: own, ...page })));
    const filters = [
      ...textFilters([slug]).map((one) => ({ name: { like_: slug }, slug: one })),
      ...likeFilters(slug.slice(3)).map((name) => ({ slug: { any_: [slug] }, name })),
      { unknown: 1 },
      null,
    ];
    await api.each('POST', '/block_types/filter', [...filters.map((block_types) => ({ block_types, block_schemas: { block_type_id: { any_: [type.id, other.type.id] } } })), ...MALFORMED.slice(1)]);
    const schemaFilters = [{ block_capabilities: { all_: [slug] } }, { block_capabilities: { all_: ['read', 'none'] } }, { block_capabilities: { all_: [] } }, { version: { any_: ['1'] } }, { version: { any_: ['2'] } }, { id: { any_: [api.id()] } }, {}];
    await api.each('POST', '/block_types/filter', schemaFilters.map((block_schemas) => ({ block_types: own, block_schemas })));
  },

  'schemas: create, read, delete': async (api) => {
    const { slug, type, schema } = await makeType(api);
    await api.each('POST', '/block_schemas/', [
      { fields: fieldsOf(slug), block_type_id: type.id, version: '1' },
      { fields: fieldsOf(slug), block_type_id: type.id, version: '2', capabilities: ['b', 'a', 'b'] },
      { fields: fieldsOf(slug), block_type_id: type.id },
      { fields: fieldsOf(slug, { title: 'Ünï', number: 1.5, list: [1, { a: 'b', secret_fields: ['kept'] }] }), block_type_id: type.id },
      { block_type_id: type.id, version: slug },
      { fields: {}, block_type_id: type.id, version: slug },
    ], { unordered: true });
    await api.post('/block_schemas/', `{"fields":{"title":"N","type":"object","properties":{"a":{"default":1.0},"b":{"default":1e20},"c":{"default":1E-7},"d":{"default":12345678901234567890}},"block_type_slug":"${slug}"},"block_type_id":"${type.id}"}`);
    await api.eachPath('GET', [
      `/block_schemas/${schema.id}`,
      `/block_schemas/checksum/${schema.checksum}`,
      `/block_schemas/checksum/${schema.checksum}?version=1`,
      `/block_schemas/checksum/${schema.checksum}?version=9`,
      '/block_schemas/checksum/unknown',
      `/block_schemas/${api.id()}`,
      '/block_schemas/x',
    ], undefined, { unordered: true });
    await api.each('POST', '/block_schemas/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      { fields: fieldsOf(slug), block_type_id: api.id() },
      { fields: fieldsOf(slug), block_type_id: 'x' },
      { fields: fieldsOf(slug), block_type_id: null },
      ...[null, 'x', [], 1].map((fields) => ({ fields, block_type_id: type.id })),
      ...[null, 'x', [1], {}].map((capabilities) => ({ fields: fieldsOf(slug), block_type_id: type.id, capabilities, version: '8' })),
      ...[null, 1, ''].map((version) => ({ fields: fieldsOf(slug), block_type_id: type.id, version })),
      { fields: fieldsOf(slug), block_type_id: type.id, unknown: 1 },
      { fields: fieldsOf(slug), block_type_id: type.id, checksum: 'x' },
    ], { unordered: true });
    const filters = [
      { block_type_id: { any_: [type.id] } },
      { block_type_id: { any_: [type.id] }, version: { any_: ['1', '2'] } },
      { block_type_id: { any_: [type.id] }, block_capabilities: { all_: ['read'] } },
      { block_type_id: { any_: [type.id] }, block_capabilities: { all_: null } },
      { operator: 'or_', id: { any_: [schema.id] }, version: { any_: ['none'] } },
      ...idFilters([schema.id]).map((id) => ({ id, block_type_id: { any_: [type.id] } })),
      { unknown: 1, id: { any_: [] } },
    ];
    await api.each('POST', '/block_schemas/filter', [...filters.map((block_schemas) => ({ block_schemas })), ...PAGES.map((page) => ({ block_schemas: filters[0], ...page })), ...MALFORMED.slice(1)], { unordered: true });
    await api.eachPath('DELETE', [`/block_schemas/${schema.id}`, `/block_schemas/${schema.id}`, '/block_schemas/x']);
  },

  'schemas: blocks within blocks': async (api) => {
    const inner = await makeType(api, 'inner');
    const second = await makeType(api, 'second');
    const slug = api.name('outer');
    const type = await api.post('/block_types/', { name: slug, slug });
    const innerFields = fieldsOf(inner.slug, { title: 'Inner' });
    const mine = await api.post('/block_schemas/', { fields: innerFields, block_type_id: inner.type.id, version: '1' }, { unordered: true });
    const reference = { block_type_slug: inner.slug, block_schema_checksum: mine.checksum };
    const outer = (references: object, definitions: object, properties: object) => ({ title: 'Outer', type: 'object', properties, block_type_slug: slug, secret_fields: ['inner.token'], block_schema_references: references, definitions });
    const known = outer({ inner: reference }, { Inner: innerFields, Mode: { enum: ['a'], type: 'string' }, Unused: { type: 'string' } }, { inner: { $ref: '#/definitions/Inner' }, mode: { $ref: '#/definitions/Mode' } });
    const unknownFields = fieldsOf(inner.slug, { title: 'Inner', extra: 'new' });
    const unknown = outer({ inner: { ...reference, block_schema_checksum: `sha256:${'0'.repeat(64)}` } }, { Inner: unknownFields }, { inner: { $ref: '#/definitions/Inner' } });
    const several = outer(
      { inner: [reference, { block_type_slug: second.slug, block_schema_checksum: second.schema.checksum }] },
      { Inner: innerFields, Store: fieldsOf(second.slug) },
      { inner: { anyOf: [{ $ref: '#/definitions/Inner' }, { $ref: '#/definitions/Store' }] } },
    );
    for (const fields of [known, unknown, several]) await api.post('/block_schemas/', { fields, block_type_id: type.id, version: '1' }, { unordered: true });
    await api.post('/block_schemas/', { fields: outer({ inner: { ...reference, block_type_slug: 'missing-type', block_schema_checksum: 'sha256:1' } }, { Inner: innerFields }, { inner: { $ref: '#/definitions/Inner' } }), block_type_id: type.id, version: '2' });
    await api.post('/block_schemas/', { fields: outer({ inner: { ...reference, block_schema_checksum: 'sha256:2' } }, {}, { inner: { $ref: '#/definitions/Inner' } }), block_type_id: type.id, version: '3' });
    await api.post('/block_schemas/filter', { block_schemas: { block_type_id: { any_: [type.id] } } }, { unordered: true });
    await api.post('/block_schemas/filter', { block_schemas: { block_type_id: { any_: [inner.type.id] } } }, { unordered: true });
  },

  'documents: create, read, delete': async (api) => {
    const { slug, type, schema } = await makeType(api);
    const ids = { block_schema_id: schema.id, block_type_id: type.id };
    const unordered = { unordered: true };
    const document = await api.post('/block_documents/', { name: 'mine', data: DATA, ...ids }, unordered);
    await api.post('/block_documents/', { name: 'mine', data: {}, ...ids }, unordered);
    const anonymous = await api.post('/block_documents/', { data: DATA, is_anonymous: true, ...ids }, unordered);
    await api.eachPath('GET', [
      `/block_documents/${document.id}`,
      ...['true', 'false', '1', 'x', ''].map((value) => `/block_documents/${document.id}?include_secrets=${value}`),
      `/block_documents/${anonymous.id}`,
      `/block_types/slug/${slug}/block_documents`,
      `/block_types/slug/${slug}/block_documents?include_secrets=true`,
      `/block_types/slug/${slug}/block_documents/name/mine`,
      `/block_types/slug/${slug}/block_documents/name/mine?include_secrets=true`,
      `/block_types/slug/${slug}/block_documents/name/unknown`,
      '/block_types/slug/unknown/block_documents',
      '/block_types/slug/unknown/block_documents/name/mine',
      `/block_documents/${api.id()}`,
      '/block_documents/x',
    ], undefined, unordered);
    await api.eachPath('DELETE', [`/block_documents/${document.id}`, `/block_documents/${document.id}`, `/block_documents/${anonymous.id}`, '/block_documents/x']);
  },

  'documents: what one may be': async (api) => {
    const { type, schema } = await makeType(api);
    const other = await makeType(api);
    const ids = { block_schema_id: schema.id, block_type_id: type.id };
    const name = () => api.name();
    await api.each('POST', '/block_documents/', [
      {},
      null,
      undefined,
      ...MALFORMED,
      { name: name(), data: {} },
      { data: {}, ...ids },
      { name: null, data: {}, ...ids },
      { name: '', data: {}, ...ids },
      { name: '', is_anonymous: true, ...ids },
      { name: name(), is_anonymous: true, ...ids },
      { name: name(), ...ids },
      ...['Upper', 'a_b', 'a b', 'a/b', 'ü', 1, []].map((bad) => ({ name: bad, ...ids })),
      ...[null, [], 'x', 1].map((data) => ({ name: name(), data, ...ids })),
      { name: name(), data: { unknown: { a: [1.5, null] }, token: null, nested: {}, all: null }, ...ids },
      { name: name(), data: { token: '', nested: { inner: {} }, all: { list: ['a', { b: 1 }], empty: {} } }, ...ids },
      { name: name(), data: { token: ['a', 'b'], nested: 'text', all: 'text' }, ...ids },
      { name: name(), data: {}, ...ids, block_schema_id: api.id() },
      { name: name(), data: {}, ...ids, block_type_id: api.id() },
      { name: name(), data: {}, ...ids, block_type_id: other.type.id },
      { name: name(), data: {}, ...ids, block_schema_id: 'x' },
      { name: name(), data: {}, ...ids, block_schema_id: null },
      { name: name(), data: {}, ...ids, unknown: 1 },
      { name: name(), data: {}, ...ids, is_anonymous: 'x' },
    ], { unordered: true });
  },

  'documents: change': async (api) => {
    const { slug, type, schema } = await makeType(api);
    const newer = await api.post('/block_schemas/', { fields: fieldsOf(slug, { title: 'Newer', secret_fields: ['url'] }), block_type_id: type.id, version: '2' }, { unordered: true });
    const other = await makeType(api);
    const document = await api.post('/block_documents/', { name: 'mine', data: DATA, block_schema_id: schema.id, block_type_id: type.id }, { unordered: true });
    const path = `/block_documents/${document.id}`;
    for (const changes of [
      { data: { url: 'new' } },
      { data: { token: '********', nested: { inner: '********', open: 3 } } },
      { data: { nested: { open: 4 } } },
      { data: { all: { a: '********', z: 1 } } },
      { data: { token: null } },
      {},
      { merge_existing_data: true },
      { data: { url: 'only' }, merge_existing_data: false },
      { data: { token: '********' }, merge_existing_data: false },
      { data: {}, merge_existing_data: false },
      { merge_existing_data: false },
      { data: { url: 'a', token: 'b' } },
      { block_schema_id: newer.id },
      { block_schema_id: newer.id, data: { url: 'secret now' } },
      { block_schema_id: null, data: { token: '1' } },
    ]) {
      await api.patch(path, changes);
      await api.get(path, { unordered: true });
      await api.get(`${path}?include_secrets=true`, { unordered: true });
    }
    await api.each('PATCH', path, [
      null,
      undefined,
      ...MALFORMED,
      { data: null },
      { data: 'x' },
      { data: [] },
      { name: 'x' },
      { unknown: 1 },
      { block_schema_id: api.id() },
      { block_schema_id: other.schema.id },
      { block_schema_id: api.id(), data: {} },
      { block_schema_id: other.schema.id, data: {} },
      { block_schema_id: 'x' },
      { merge_existing_data: null },
      { merge_existing_data: 'x' },
      { is_anonymous: true },
    ]);
    await api.eachPath('PATCH', [`/block_documents/${api.id()}`, '/block_documents/x'], { data: {} });
    await api.get(`${path}?include_secrets=true`, { unordered: true });
  },

  'documents: references': async (api) => {
    const inner = await makeType(api, 'inner');
    const slug = api.name('outer');
    const fields = {
      title: 'Outer',
      type: 'object',
      properties: { inner: { $ref: '#/definitions/Store' }, text: { type: 'string' } },
      block_type_slug: slug,
      secret_fields: ['inner.token'],
      block_schema_references: { inner: { block_type_slug: inner.slug, block_schema_checksum: inner.schema.checksum } },
      definitions: { Store: fieldsOf(inner.slug) },
    };
    const outer = await makeType(api, 'outer', fields);
    const unordered = { unordered: true };
    const child = await api.post('/block_documents/', { name: 'child', data: DATA, block_schema_id: inner.schema.id, block_type_id: inner.type.id }, unordered);
    const second = await api.post('/block_documents/', { name: 'second', data: { url: '2' }, block_schema_id: inner.schema.id, block_type_id: inner.type.id }, unordered);
    const anonymous = await api.post('/block_documents/', { is_anonymous: true, data: { url: '3' }, block_schema_id: inner.schema.id, block_type_id: inner.type.id }, unordered);
    const ids = { block_schema_id: outer.schema.id, block_type_id: outer.type.id };
    const to = (id: unknown) => ({ $ref: { block_document_id: id } });
    const parent = await api.post('/block_documents/', { name: 'parent', data: { inner: to(child.id), text: 'a' }, ...ids }, unordered);
    const grand = await api.post('/block_documents/', { name: 'grand', data: { inner: to(parent.id), more: to(anonymous.id) }, ...ids }, unordered);
    const read = async () => {
      for (const { id } of [parent, grand]) for (const query of ['', '?include_secrets=true']) await api.get(`/block_documents/${id}${query}`, unordered);
    };
    await read();
    await api.post('/block_documents/filter', { block_documents: { block_type_id: { any_: [outer.type.id] } }, include_secrets: true }, unordered);
    for (const data of [{ inner: to(second.id) }, { text: 'b' }, { inner: { url: 'inline' } }, { inner: to(child.id) }, { inner: null }, { inner: to(child.id), other: to(second.id) }]) {
      await api.patch(`/block_documents/${parent.id}`, { data });
      await read();
    }
    await api.patch(`/block_documents/${parent.id}`, { data: { inner: to(second.id) }, merge_existing_data: false });
    await read();
    for (const bad of [to(api.id()), to('x'), to(null), { $ref: {} }, { $ref: 'x' }, { $ref: child.id }, { $ref: { block_document_id: child.id, more: 1 } }, { $ref: { block_document_id: child.id }, more: 1 }]) {
      await api.post('/block_documents/', { name: api.name(), data: { inner: bad }, ...ids }, unordered);
      await api.patch(`/block_documents/${parent.id}`, { data: { inner: bad } });
    }
    await api.post('/block_documents/', { name: api.name(), data: { deep: { inner: to(child.id) }, list: [to(child.id)] }, ...ids }, unordered);
    for (const id of [parent.id, grand.id]) await api.patch(`/block_documents/${parent.id}`, { data: { inner: to(id) } });
    await read();
    await api.delete(`/block_documents/${second.id}`);
    await read();
  },

  'documents: filter, sort, page, count': async (api) => {
    const { slug, type, schema } = await makeType(api);
    const other = await makeType(api);
    const names = ['b', 'a', 'c'].map((letter) => `${slug}-${letter}`);
    const made = [];
    for (const name of names) made.push(await api.post('/block_documents/', { name, data: DATA, block_schema_id: schema.id, block_type_id: type.id }, { unordered: true }));
    await api.post('/block_documents/', { is_anonymous: true, data: {}, block_schema_id: schema.id, block_type_id: type.id }, { unordered: true });
    await api.post('/block_documents/', { name: names[0], data: {}, block_schema_id: other.schema.id, block_type_id: other.type.id }, { unordered: true });
    const own = { block_type_id: { any_: [type.id, other.type.id] } };
    for (const sort of ['NAME_ASC', 'NAME_DESC', 'BLOCK_TYPE_AND_NAME_ASC', 'CREATED_DESC', null, 1]) await api.post('/block_documents/filter', { block_documents: { block_type_id: { any_: [type.id] } }, sort });
    const filters = [
      ...[{}, { eq_: true }, { eq_: false }, { eq_: null }, null, { eq_: 'x' }].map((is_anonymous) => ({ ...own, is_anonymous })),
      ...idFilters(made.slice(0, 2).map(({ id }) => id)).map((id) => ({ ...own, id })),
      ...textFilters(names.slice(0, 2)).map((name) => ({ ...own, name })),
      ...likeFilters(slug).map((name) => ({ ...own, name })),
      ...idFilters([type.id]).map((block_type_id) => ({ block_type_id, name: { like_: slug } })),
      { operator: 'or_', block_type_id: { any_: [type.id] }, name: { any_: ['none'] }, is_anonymous: null },
      { ...own, unknown: 1 },
    ].map((block_documents) => ({ block_documents }));
    const related = [{ block_types: { slug: { any_: [slug] } } }, { block_schemas: { id: { any_: [other.schema.id] } } }, { block_types: { name: { like_: slug } }, block_schemas: { version: { any_: ['1'] } } }].map((filter) => ({ block_documents: own, ...filter }));
    for (const path of ['/block_documents/filter', '/block_documents/count'])
      await api.each('POST', path, [...filters, ...related, ...MALFORMED.slice(1), { block_documents: 'x' }, { block_documents: own, unknown: 1 }], { unordered: true });
    await api.each('POST', '/block_documents/filter', [...PAGES.map((page) => ({ block_documents: { block_type_id: { any_: [type.id] } }, ...page })), ...[true, 'x', null].map((include_secrets) => ({ block_documents: own, include_secrets }))], { unordered: true });
  },
};
