import { sql } from 'kysely';
import type { Migration } from './migration.ts';

const STATEMENTS = [
  // The task workers that are connected to some gateway, a row for each connection; what is not `seen` again in time is gone.
  // Not worth the log: after a crash of Postgres the gateways write it anew.
  `create unlogged table praetor.task_worker (
    connection_id uuid primary key,
    identifier text not null,
    task_keys text[] not null,
    created timestamptz not null default clock_timestamp(),
    seen timestamptz not null default clock_timestamp()
  ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)`,
];

/** The task workers of all gateways. */
export const taskWorkers: Migration = {
  name: '0008_task_workers',
  breaking: false,
  transactional: true,
  async up(db) {
    await sql.raw(STATEMENTS.join(';\n')).execute(db);
  },
};
