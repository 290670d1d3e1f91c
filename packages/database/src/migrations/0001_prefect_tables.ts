import { type QueryExecutorProvider, sql } from 'kysely';
import { ALEMBIC_HEAD, readAlembicVersion } from './alembic.ts';
import type { Migration } from './migration.ts';
import { ARTIFACTS } from './prefect/artifacts.ts';
import { AUTOMATIONS } from './prefect/automations.ts';
import { BLOCKS } from './prefect/blocks.ts';
import { CONCURRENCY_LIMITS } from './prefect/concurrency-limits.ts';
import { DEPLOYMENTS } from './prefect/deployments.ts';
import { EVENTS } from './prefect/events.ts';
import { RUNS } from './prefect/runs.ts';
import { SERVER } from './prefect/server.ts';
import { WORK_POOLS } from './prefect/work-pools.ts';

const TYPES = [
  `create type deployment_status as enum ('READY', 'NOT_READY')`,
  `create type state_type as enum ('SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING')`,
  `create type work_pool_status as enum ('READY', 'NOT_READY', 'PAUSED')`,
  `create type work_queue_status as enum ('READY', 'NOT_READY', 'PAUSED')`,
  `create type worker_status as enum ('ONLINE', 'OFFLINE')`,
];

/** Each group refers only to groups before it. */
const TABLES = [ARTIFACTS, BLOCKS, WORK_POOLS, CONCURRENCY_LIMITS, RUNS, DEPLOYMENTS, AUTOMATIONS, EVENTS, SERVER].flat();

const ALEMBIC = [
  'create table alembic_version (version_num varchar(32) not null constraint alembic_version_pkc primary key)',
  `insert into alembic_version values ('${ALEMBIC_HEAD}')`,
];

/** Tries to have pg_trgm; false where it is not installed beside Postgres or the role may not create it. */
async function hasTrigrams(db: QueryExecutorProvider): Promise<boolean> {
  await sql`do $$ begin create extension if not exists pg_trgm; exception when others then null; end $$`.execute(db);
  const { rows } = await sql`select from pg_extension where extname = 'pg_trgm'`.execute(db);
  return rows.length > 0;
}

/**
 * The schema of Prefect 3.9.1, name by name, so that the Python server can take the database over and give it back.
 * A database that this version of Prefect has migrated is adopted as it is.
 */
export const prefectTables: Migration = {
  name: '0001_prefect_tables',
  breaking: true,
  transactional: true,
  async up(db) {
    if ((await readAlembicVersion(db)) !== undefined) return;
    const trigrams = await hasTrigrams(db);
    const statements = [...TYPES, ...TABLES, ...ALEMBIC].filter((statement) => trigrams || !statement.includes('gin_trgm_ops'));
    await sql.raw(statements.join(';\n')).execute(db);
  },
};
