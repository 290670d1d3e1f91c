import { ROW, table } from './table.ts';

/** Limits by task tag (the first kind, still honoured) and global limits (the second kind). */
export const CONCURRENCY_LIMITS = [
  ...table('concurrency_limit', `
    ${ROW},
    tag varchar not null,
    concurrency_limit integer not null,
    active_slots jsonb not null default '[]'`),
  'create unique index uq_concurrency_limit__tag on concurrency_limit (tag)',
  ...table('concurrency_limit_v2', `
    ${ROW},
    active boolean not null,
    name varchar not null constraint uq_concurrency_limit_v2__name unique,
    "limit" integer not null,
    active_slots integer not null,
    denied_slots integer not null,
    slot_decay_per_second double precision not null,
    avg_slot_occupancy_seconds double precision not null`),
];
