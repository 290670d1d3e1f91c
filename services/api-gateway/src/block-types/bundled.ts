import type { Sql } from '@praetor/database/connect';
import { toJson } from '@praetor/schema/json';
import { PREFECT_VERSION } from '@praetor/schema/versions';
import collections from './collections.json' with { type: 'json' };
import prefect from './prefect.json' with { type: 'json' };

/** The blocks of Prefect itself, and those of its collections, each in the version of its own package. */
const BUNDLED = toJson([...prefect.map((block) => ({ ...block, version: PREFECT_VERSION, references: [] })), ...collections]);

/**
 * Adds the block types that a Prefect server brings along, with their schemas, where they are missing. The client looks a
 * schema up by the checksum that it computes from its own class, texts and all, so the files state the checksum and not
 * the texts behind it. Safe in any number of processes at once.
 */
export async function addBundledBlockTypes(sql: Sql): Promise<void> {
  await sql`
    insert into block_type (name, slug, logo_url, documentation_url, description, is_protected)
    select * from jsonb_to_recordset(${BUNDLED}::jsonb) as block
      (name text, slug text, logo_url text, documentation_url text, description text, is_protected boolean)
    on conflict (slug) do nothing`;
  // Fields that may hold one of several blocks list them in the order of creation.
  await sql`
    with block as materialized (
      select * from rows from (jsonb_to_recordset(${BUNDLED}::jsonb) as (slug text, checksum text, version text, capabilities jsonb, fields jsonb, "references" jsonb))
        with ordinality as block (slug, checksum, version, capabilities, fields, links, position)
    ), inserted as (
      insert into block_schema (created, checksum, version, capabilities, fields, block_type_id)
      select now() + position * interval '1 microsecond', checksum, block.version, capabilities, fields, block_type.id
      from block join block_type using (slug) order by position
      on conflict (checksum, version) do nothing
      returning id, created, checksum, version
    ), known as (
      select distinct on (checksum) checksum, id from (select id, created, checksum from inserted union all select id, created, checksum from block_schema) schema
      order by checksum, created desc
    )
    insert into block_schema_reference (name, parent_block_schema_id, reference_block_schema_id)
    select link.name, inserted.id, known.id
    from inserted join block using (checksum, version)
    cross join jsonb_to_recordset(block.links) as link (name text, checksum text)
    join known on known.checksum = link.checksum`;
}
