import type { Sequences } from '../twin-client.ts';
import { MALFORMED } from './cases.ts';

export const admin: Sequences = {
  'storage of results': async (api) => {
    const slug = api.name();
    const type = await api.post('/block_types/', { name: slug, slug });
    const make = async (capabilities: string[], version: string) => {
      const schema = await api.post('/block_schemas/', { fields: { title: 'T', type: 'object', properties: {}, block_type_slug: slug, version }, block_type_id: type.id, capabilities, version }, { unordered: true });
      return await api.post('/block_documents/', { name: `d-${version}`, data: {}, block_schema_id: schema.id, block_type_id: type.id }, { unordered: true });
    };
    const storage = await make(['read-path', 'write-path'], '1');
    const other = await make(['notify'], '2');
    await api.get('/admin/storage');
    await api.each('PUT', '/admin/storage', [
      { default_result_storage_block_id: storage.id },
      { default_result_storage_block_id: other.id },
      { default_result_storage_block_id: api.id() },
      { default_result_storage_block_id: 'x' },
      { default_result_storage_block_id: null },
      {},
      { unknown: 1 },
      { default_result_storage_block_id: storage.id, unknown: 1 },
      null,
      undefined,
      ...MALFORMED,
    ]);
    await api.get('/admin/storage');
    await api.delete(`/block_documents/${storage.id}`);
    await api.get('/admin/storage');
    await api.eachPath('DELETE', ['/admin/storage', '/admin/storage']);
    await api.get('/admin/storage');
  },

  'what is not there': async (api) => {
    await api.eachPath('GET', ['/admin/', '/admin', '/admin/database/clear', '/admin/settings/', '/block_capabilities', '/hello/x']);
    await api.get('/block_capabilities/', { unordered: true });
    await api.eachPath('POST', ['/admin/settings', '/admin/storage', '/hello', '/block_capabilities/', '/admin/database/clear'], {});
  },
};
