import type { Sql } from '@praetor/database/connect';
import { toJson } from '@praetor/schema/json';
import { PREFECT_VERSION } from '@praetor/schema/versions';
import bundled from './bundled.json' with { type: 'json' };

/**
 * Adds the block types that Prefect itself brings along, with their schemas, where they are missing. The client looks a
 * schema up by the checksum that it computes from its own class, texts and all, so the file states the checksum and not
 * the texts behind it.
 */
export async function addBundledBlockTypes(sql: Sql): Promise<void> {
  const blocks = toJson(bundled);
  await sql`
    insert into block_type (name, slug, logo_url, documentation_url, description, is_protected)
    select * from jsonb_to_recordset(${blocks}::jsonb) as block
      (name text, slug text, logo_url text, documentation_url text, description text, is_protected boolean)
    on conflict (slug) do nothing`;
  await sql`
    insert into block_schema (checksum, version, capabilities, fields, block_type_id)
    select block.checksum, ${PREFECT_VERSION}, block.capabilities, block.fields, block_type.id
    from jsonb_to_recordset(${blocks}::jsonb) as block (slug text, checksum text, capabilities jsonb, fields jsonb)
    join block_type using (slug)
    on conflict (checksum, version) do nothing`;
}
