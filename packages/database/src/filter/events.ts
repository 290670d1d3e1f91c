import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { EventAnyResourceFilter, EventFilter, EventNameFilter, EventRelatedFilter, EventResourceFilter, ResourceSpecification } from '@praetor/schema/event';
import { parseTextSearch } from '@praetor/schema/text-search';
import { type Condition, TRUE, and, not, or } from '../filter.ts';

/*
 * The filter of events (facts/events.md §6), on the table `events` and, for resources that are not the subject, on
 * `event_resources`. Unlike the other filters it takes an empty list for no restriction. The same question to one event in
 * memory is packages/schema/src/event-matching.ts.
 */

type Column = RawBuilder<unknown>;
type Texts = readonly string[] | null | undefined;

const FALSE: Condition = sql<SqlBool>`false`;

const asList = <T>(value: T | readonly T[] | null | undefined): readonly T[] => (value == null ? [] : Array.isArray(value) ? value : [value as T]);

const isAny = (column: Column, values: Texts): Condition => (values?.length ? sql<SqlBool>`${column} = any(${values})` : TRUE);

/** `%` and `_` in a prefix stay wildcards, as with Prefect. */
const startsWithAny = (column: Column, prefixes: Texts): Condition =>
  prefixes?.length ? sql<SqlBool>`${column} like any(${prefixes.map((prefix) => `${prefix}%`)})` : TRUE;

const unless = (condition: Condition): Condition => (condition === TRUE ? TRUE : not(condition));

/** `*` is any run of characters, `?` any one, `!` in front negates; what is missing matches nothing, negated or not. */
function matchesPattern(column: Column, pattern: string): Condition {
  const negated = pattern.startsWith('!');
  const like = (negated ? pattern.slice(1) : pattern).replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%').replaceAll('?', '_');
  return negated ? sql<SqlBool>`${column} not like ${like}` : sql<SqlBool>`${column} like ${like}`;
}

/** Every label matches one of its patterns; one without patterns never does. Some labels stand in columns of their own. */
function matchesLabels(labels: ResourceSpecification | null | undefined, resource: Column, columns: Record<string, Column>): Condition {
  const conditions = Object.entries(labels ?? {}).map(([label, patterns]): Condition => {
    const column = columns[label] ?? sql`(${resource} ->> ${label})`;
    const alternatives = asList(patterns).map((pattern) => matchesPattern(column, pattern));
    return alternatives.length === 0 ? FALSE : or(...alternatives);
  });
  return and(...conditions);
}

const NAME = sql`events.event`;
const SUBJECT_ID = sql`events.resource_id`;
const RESOURCE_ID = sql`event_resources.resource_id`;
const ROLE = sql`event_resources.resource_role`;

function nameCondition({ prefix, exclude_prefix, name, exclude_name }: EventNameFilter): Condition {
  return and(startsWithAny(NAME, prefix), unless(startsWithAny(NAME, exclude_prefix)), isAny(NAME, name), unless(isAny(NAME, exclude_name)));
}

function subjectCondition({ id, id_prefix, labels }: EventResourceFilter): Condition {
  return and(isAny(SUBJECT_ID, id), startsWithAny(SUBJECT_ID, id_prefix), matchesLabels(labels, sql`events.resource`, { 'prefect.resource.id': SUBJECT_ID }));
}

const resourceLabels = (labels: ResourceSpecification | null | undefined): Condition =>
  matchesLabels(labels, sql`event_resources.resource`, { 'prefect.resource.id': RESOURCE_ID, 'prefect.resource.role': ROLE });

function relatedCondition({ id, role, resources_in_roles, labels }: EventRelatedFilter): Condition {
  const inRoles = (resources_in_roles ?? []).map(([id, role]): Condition => sql<SqlBool>`(${RESOURCE_ID} = ${id} and ${ROLE} = ${role})`);
  const condition = and(isAny(RESOURCE_ID, id), isAny(ROLE, role), or(...inRoles), resourceLabels(labels));
  // The subject has no role; unless one is asked for, related resources are those that have any.
  return condition === TRUE || role?.length ? condition : and(condition, sql<SqlBool>`${ROLE} <> ''`);
}

function anyResourceCondition({ id, id_prefix, labels }: EventAnyResourceFilter): Condition {
  return and(isAny(RESOURCE_ID, id), startsWithAny(RESOURCE_ID, id_prefix), resourceLabels(labels));
}

function textCondition(query: string): Condition {
  const { include, require, exclude } = parseTextSearch(query);
  const text = sql`lower(events.event || ' ' || events.resource::text || ' ' || events.related::text || ' ' || events.payload::text)`;
  const occurs = (term: string): Condition => sql<SqlBool>`strpos(${text}, ${term}) > 0`;
  return and(or(...include.map(occurs)), ...require.map(occurs), ...exclude.map((term) => not(occurs(term))));
}

/** The condition of an event filter on table `events`; `order` and `distinct` are the query's own affair. */
export function compileEventFilter({ occurred, event, resource, related, any_resource, id, text }: EventFilter): Condition {
  // Some resource of the event fits; its own moment lets Postgres use the index by resource and time.
  const involves = (condition: Condition): Condition =>
    condition === TRUE
      ? TRUE
      : sql<SqlBool>`events.id in (select event_id from event_resources
          where event_resources.occurred between ${occurred.since} and ${occurred.until} and ${condition})`;
  return and(
    sql<SqlBool>`events.occurred between ${occurred.since} and ${occurred.until}`,
    isAny(sql`events.id`, id.id),
    event ? nameCondition(event) : TRUE,
    resource ? subjectCondition(resource) : TRUE,
    ...asList(related).map((filter) => involves(relatedCondition(filter))),
    ...asList(any_resource).map((filter) => involves(anyResourceCondition(filter))),
    text ? textCondition(text.query) : TRUE,
  );
}
