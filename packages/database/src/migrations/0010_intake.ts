import { sql } from 'kysely';
import type { Migration } from './migration.ts';

const STATEMENTS = [
  // One row: from when to when the gateways have taken in events without a gap. Not worth the log: after a crash of Postgres
  // they write it anew.
  `create unlogged table praetor.intake (
    is_only boolean primary key default true check (is_only),
    since timestamptz not null,
    until timestamptz not null
  ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)`,
];

/** Whether anybody could be heard, so that silence means something. */
export const intake: Migration = {
  name: '0010_intake',
  breaking: false,
  transactional: true,
  async up(db) {
    await sql.raw(STATEMENTS.join(';\n')).execute(db);
  },
};
