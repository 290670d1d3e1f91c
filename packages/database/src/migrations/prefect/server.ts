import { indexes, ROW, table } from './table.ts';

/** What the server keeps for itself and for the user interface. */
export const SERVER = [
  ...table('variable', `
    ${ROW},
    name varchar not null constraint uq_variable__name unique,
    tags jsonb not null default '[]',
    value jsonb`),
  ...table('saved_search', `
    ${ROW},
    name varchar not null constraint uq_saved_search__name unique,
    filters jsonb not null default '[]'`),
  ...table('configuration', `
    ${ROW},
    key varchar not null constraint uq_configuration__key unique,
    value jsonb not null`),
  ...indexes('configuration', 'key'),
  ...table('csrf_token', `
    token varchar not null,
    client varchar not null constraint uq_csrf_token__client unique,
    expiration timestamptz not null,
    ${ROW}`),
];
