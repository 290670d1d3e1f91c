import { indexes, ROW, table, trigramIndex } from './table.ts';

/** Blocks: typed configuration, with schemas and references to one another. */
export const BLOCKS = [
  ...table('block_type', `
    ${ROW},
    name varchar not null,
    logo_url varchar,
    documentation_url varchar,
    description varchar,
    code_example varchar,
    is_protected boolean not null default false,
    slug varchar not null`),
  trigramIndex('block_type'),
  'create unique index uq_block_type__slug on block_type (slug)',
  ...table('block_schema', `
    ${ROW},
    fields jsonb not null default '{}',
    checksum varchar not null,
    block_type_id uuid not null constraint fk_block_schema__block_type_id__block_type references block_type on delete cascade,
    capabilities jsonb not null default '[]',
    version varchar not null default 'non-versioned'`),
  ...indexes('block_schema', 'block_type_id', 'created'),
  'create index ix_block_schema__capabilities on block_schema using gin (capabilities)',
  'create unique index uq_block_schema__checksum_version on block_schema (checksum, version)',
  ...table('block_schema_reference', `
    ${ROW},
    name varchar not null,
    parent_block_schema_id uuid not null constraint fk_block_schema_reference__parent_block_schema_id__block_schema references block_schema on delete cascade,
    reference_block_schema_id uuid not null constraint fk_block_schema_reference__reference_block_schema_id__b_6e5d references block_schema on delete cascade`),
  ...table('block_document', `
    ${ROW},
    name varchar not null,
    data jsonb not null default '{}',
    block_schema_id uuid not null constraint fk_block__block_schema_id__block_schema references block_schema on delete cascade,
    block_type_id uuid not null constraint fk_block_document__block_type_id__block_type references block_type on delete cascade,
    is_anonymous boolean not null default false,
    block_type_name varchar`),
  ...indexes('block_document', 'is_anonymous', 'name'),
  'create index ix_block_document__block_type_name__name on block_document (block_type_name, name)',
  trigramIndex('block_document'),
  'create unique index uq_block__type_id_name on block_document (block_type_id, name)',
  ...table('block_document_reference', `
    ${ROW},
    name varchar not null,
    parent_block_document_id uuid not null constraint fk_block_document_reference__parent_block_document_id___328f references block_document on delete cascade,
    reference_block_document_id uuid not null constraint fk_block_document_reference__reference_block_document_i_5759 references block_document on delete cascade,
    constraint ck_block_document_reference__ck_block_document_referenc_824f check (parent_block_document_id <> reference_block_document_id)`),
];
