import { indexes, ROW, table, trigramIndex } from './table.ts';

/** Where runs wait for workers. */
export const WORK_POOLS = [
  ...table('work_pool', `
    ${ROW},
    name varchar not null constraint uq_work_pool__name unique,
    description varchar,
    type varchar not null,
    base_job_template jsonb not null default '{}',
    is_paused boolean not null default false,
    concurrency_limit integer,
    default_queue_id uuid,
    status work_pool_status not null default 'NOT_READY',
    last_transitioned_status_at timestamptz,
    last_status_event_id uuid,
    storage_configuration jsonb not null default '{}'`),
  ...indexes('work_pool', 'type'),
  ...table('work_queue', `
    ${ROW},
    name varchar not null,
    filter jsonb,
    description varchar not null default '',
    is_paused boolean not null default false,
    concurrency_limit integer,
    last_polled timestamptz,
    priority integer not null default 1,
    work_pool_id uuid not null constraint fk_work_queue__work_pool_id__work_pool references work_pool on delete cascade,
    status work_queue_status not null default 'NOT_READY',
    constraint uq_work_queue__work_pool_id_name unique (work_pool_id, name)`),
  ...indexes('work_queue', 'work_pool_id', 'work_pool_id, priority'),
  trigramIndex('work_queue'),
  ...table('worker', `
    ${ROW},
    name varchar not null,
    last_heartbeat_time timestamptz not null default current_timestamp,
    work_pool_id uuid not null constraint fk_worker__work_pool_id__work_pool references work_pool on delete cascade,
    heartbeat_interval_seconds integer,
    status worker_status not null default 'OFFLINE',
    constraint uq_worker__work_pool_id_name unique (work_pool_id, name)`),
  ...indexes('worker', 'work_pool_id', 'work_pool_id, last_heartbeat_time'),
  ...table('agent', `
    ${ROW},
    name varchar not null constraint uq_agent__name unique,
    last_activity_time timestamptz not null default current_timestamp,
    work_queue_id uuid not null constraint fk_agent__work_queue_id__work_queue references work_queue`),
  ...indexes('agent', 'work_queue_id'),
  'alter table work_pool add constraint fk_work_pool__default_queue_id__work_queue foreign key (default_queue_id) references work_queue on delete restrict',
];
