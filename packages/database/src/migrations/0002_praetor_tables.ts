import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/* These tables stay small while rows come and go quickly: they are vacuumed by count, not by a share of their size. */
const QUEUE = 'autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 2000';

const STATEMENTS = [
  // Events on their way: written in the transaction of the change they tell of, deleted when they are in `events`.
  `create table praetor.outbox (
    id uuid primary key,
    body json not null,
    created timestamptz not null default clock_timestamp(),
    published timestamptz
  ) with (${QUEUE})`,
  'create index ix_outbox__due on praetor.outbox (coalesce(published, created))',

  // Slots of concurrency limits that somebody holds until `expiration`, which is not indexed so that a renewal stays a cheap (HOT) update.
  `create table praetor.lease (
    id uuid primary key,
    resource_ids uuid[] not null,
    slots integer not null,
    holder_type text,
    holder_id uuid,
    expiration timestamptz not null,
    created timestamptz not null default clock_timestamp()
  ) with (fillfactor = 70, ${QUEUE})`,
  'create index ix_lease__holder on praetor.lease (holder_id) where holder_id is not null',
  'create index ix_lease__resource_ids on praetor.lease using gin (resource_ids)',

  // Background task runs that wait for a task server; a claimed one returns at `claimed_until` unless acknowledged.
  `create table praetor.task_queue (
    task_run_id uuid primary key references task_run on delete cascade,
    task_key text not null,
    is_retry boolean not null default false,
    enqueued timestamptz not null default clock_timestamp(),
    claimed_until timestamptz
  ) with (${QUEUE})`,
  'create index ix_task_queue__key on praetor.task_queue (task_key, is_retry desc, enqueued)',

  // Messages that a consumer group could not handle, kept to be looked at and replayed.
  `create table praetor.dead_letter (
    id uuid primary key default gen_random_uuid(),
    topic text not null,
    consumer_group text not null,
    data json not null,
    error text not null,
    attempts integer not null,
    died timestamptz not null default clock_timestamp()
  )`,
  'create index ix_dead_letter__topic_died on praetor.dead_letter (topic, died)',
];

/** Our own tables, in a schema of their own so that the Python server never meets them. */
export const praetorTables: Migration = {
  name: '0002_praetor_tables',
  breaking: true,
  transactional: true,
  async up(db) {
    await sql.raw(STATEMENTS.join(';\n')).execute(db);
  },
};
