import { sql } from 'kysely';
import type { Migration } from './migration.ts';

const STATEMENTS = [
  // Events that triggers have seen: each counts once however often it comes, and followers wait for their leader.
  `create table praetor.automation_seen_event (
    event_id uuid primary key,
    occurred timestamptz not null,
    seen timestamptz not null default clock_timestamp()
  ) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05)`,
  'create index ix_automation_seen_event__seen on praetor.automation_seen_event (seen)',

  // Actions of automations that have fired, from the transaction of the firing until they are done; a claimed one returns at `due`.
  `create table praetor.automation_action (
    id uuid primary key,
    body json not null,
    attempts integer not null default 0,
    due timestamptz not null default clock_timestamp(),
    created timestamptz not null default clock_timestamp()
  ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 2000)`,
  'create index ix_automation_action__due on praetor.automation_action (due)',

  // When each proactive trigger is looked at next.
  `create table praetor.automation_look (
    trigger_id uuid primary key,
    automation_id uuid not null references automation on delete cascade,
    due timestamptz not null,
    looked timestamptz not null
  )`,
  'create index ix_automation_look__automation on praetor.automation_look (automation_id)',
];

/** What the automations service remembers beside Prefect's own tables. */
export const automations: Migration = {
  name: '0006_automations',
  breaking: true,
  transactional: true,
  async up(db) {
    await sql.raw(STATEMENTS.join(';\n')).execute(db);
  },
};
