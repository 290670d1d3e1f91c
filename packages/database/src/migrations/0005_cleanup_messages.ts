import { sql } from 'kysely';
import type { Migration } from './migration.ts';

const STATEMENTS = [
  // Clean-up work for workers, delivered through their channels: reserved by one worker at a time until `lease_expires_at`,
  // deleted when it is done. What failed too often has `died` and stays to be looked at.
  `create table praetor.cleanup_message (
    id uuid primary key,
    work_pool_id uuid not null references work_pool on delete cascade,
    work_queue_id uuid,
    kind text not null,
    target json not null,
    data json not null default '{}',
    delivery_count integer not null default 0,
    reservation_token text,
    reserved_by uuid,
    lease_expires_at timestamptz,
    release_reason text,
    created timestamptz not null default clock_timestamp(),
    available timestamptz not null default clock_timestamp(),
    died timestamptz
  ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 2000)`,
  'create index ix_cleanup_message__work_pool on praetor.cleanup_message (work_pool_id, available) where died is null',
];

/** The queue of clean-up work for workers. */
export const cleanupMessages: Migration = {
  name: '0005_cleanup_messages',
  breaking: false,
  transactional: true,
  async up(db) {
    await sql.raw(STATEMENTS.join(';\n')).execute(db);
  },
};
