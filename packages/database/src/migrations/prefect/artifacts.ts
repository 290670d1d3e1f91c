import { indexes, ROW, table } from './table.ts';

/** What runs produce for people to look at. */
export const ARTIFACTS = [
  ...table('artifact', `
    ${ROW},
    key varchar,
    type varchar,
    data json,
    metadata_ json,
    task_run_id uuid,
    flow_run_id uuid,
    description varchar`),
  ...indexes('artifact', 'flow_run_id', 'key', 'task_run_id'),
  'create index ix_artifact__key_created_desc on artifact (key, created desc) include (id, updated, type, task_run_id, flow_run_id)',
  ...table('artifact_collection', `
    ${ROW},
    key varchar not null constraint uq_artifact_collection__key unique,
    latest_id uuid not null,
    task_run_id uuid,
    flow_run_id uuid,
    type varchar,
    data json,
    description varchar,
    metadata_ json`),
  ...indexes('artifact_collection', 'key, latest_id'),
];
