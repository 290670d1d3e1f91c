import { indexes, ROW, table } from './table.ts';

/** Events and, one row each, the resources that they name. */
export const EVENTS = [
  ...table('events', `
    occurred timestamptz not null,
    event text not null,
    resource_id text not null,
    resource jsonb not null,
    related_resource_ids jsonb not null default '[]',
    related jsonb not null default '[]',
    payload jsonb not null,
    received timestamptz not null,
    recorded timestamptz not null,
    follows uuid,
    ${ROW}`),
  ...indexes('events', 'event, occurred', 'event, occurred, id', 'event, resource_id, occurred', 'occurred', 'occurred, id'),
  'create index ix_events__event__id on events (event, id)',
  'create index ix_events__related_gin on events using gin (related)',
  'create index ix_events__related_resource_ids_gin on events using gin (related_resource_ids)',
  ...table('event_resources', `
    occurred timestamptz not null,
    resource_id text not null,
    resource_role text not null,
    resource json not null,
    event_id uuid not null,
    ${ROW}`),
  ...indexes('event_resources', 'event_id', 'occurred'),
  'create index ix_event_resources__resource_id__occurred on event_resources (resource_id, occurred)',
];
