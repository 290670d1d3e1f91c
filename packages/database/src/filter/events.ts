import { type RawBuilder, sql } from 'kysely';
import type { EventAnyResourceFilter, EventFilter, EventNameFilter, EventRelatedFilter, EventResourceFilter, ResourceSpecification } from '@praetor/schema/event';
import { parseTextSearch } from '@praetor/schema/text-search';
import { type Condition, TRUE, and, exists, not, or } from '../filter.ts';

/*
 * Conditions over `events` for the filter of events (facts/events.md §6), whose empty lists restrict nothing. The same
 * question to a single event is packages/schema/src/event-matching.ts.
 */

type Column = RawBuilder<unknown>;
type Texts = readonly string[] | null | undefined;

const FALSE: Condition = sql`false`;

const asList = <T>(value: T | T[] | null | undefined): T[] => (value == null ? [] : Array.isArray(value) ? value : [value]);
const ifAny = (texts: Texts, condition: (texts: readonly string[]) => Condition): Condition => (texts && texts.length > 0 ? condition(texts) : TRUE);

const equalsAny = (column: Column, texts: Texts): Condition => ifAny(texts, (values) => sql`${column} = any(${values})`);
// `%` and `_` in a prefix stay wildcards, as with Prefect.
const prefixes = (texts: readonly string[]): string[] => texts.map((text) => `${text}%`);
const startsWithAny = (column: Column, texts: Texts): Condition => ifAny(texts, (values) => sql`${column} like any(${prefixes(values)})`);

/** The `like` pattern of a label's: `*` any run, `?` any character. */
const toLike = (pattern: string): string => pattern.replaceAll(/[\\%_]/g, String.raw`\$&`).replaceAll('*', '%').replaceAll('?', '_');

function matchesPattern(column: Column, pattern: string): Condition {
  return pattern.startsWith('!') ? sql`${column} not like ${toLike(pattern.slice(1))}` : sql`${column} like ${toLike(pattern)}`;
}

/** Every label matches one of its patterns; `columnOf` says where a label's value is. */
function matchesLabels(specification: ResourceSpecification | null | undefined, columnOf: (label: string) => Column): Condition {
  const conditions = Object.entries(specification ?? {}).map(([label, patterns]) => {
    const column = columnOf(label);
    const alternatives = asList(patterns).map((pattern) => matchesPattern(column, pattern));
    return alternatives.length === 0 ? FALSE : or(...alternatives);
  });
  return and(...conditions);
}

const name = (filter: EventNameFilter): Condition =>
  and(
    startsWithAny(sql`events.event`, filter.prefix),
    ifAny(filter.exclude_prefix, (texts) => not(startsWithAny(sql`events.event`, texts))),
    equalsAny(sql`events.event`, filter.name),
    ifAny(filter.exclude_name, (texts) => sql`events.event <> all(${texts})`),
  );

const subject = (filter: EventResourceFilter): Condition =>
  and(
    equalsAny(sql`events.resource_id`, filter.id),
    startsWithAny(sql`events.resource_id`, filter.id_prefix),
    matchesLabels(filter.labels, (label) => sql`events.resource ->> ${label}`),
  );

const RESOURCE_COLUMNS: Record<string, Column> = {
  'prefect.resource.id': sql`event_resources.resource_id`,
  'prefect.resource.role': sql`event_resources.resource_role`,
};
const resourceLabels = (specification: ResourceSpecification | null | undefined): Condition =>
  matchesLabels(specification, (label) => RESOURCE_COLUMNS[label] ?? sql`event_resources.resource ->> ${label}`);

/** One resource of the event fulfils the condition; its rows are bounded by the same times, which have an index. */
function someResource({ occurred }: EventFilter, condition: Condition): Condition {
  if (condition === TRUE) return TRUE;
  const correlation: Condition = sql`event_resources.event_id = events.id and event_resources.occurred between ${occurred.since} and ${occurred.until}`;
  return exists('event_resources', correlation, condition);
}

function related(filter: EventRelatedFilter): Condition {
  const condition = and(
    equalsAny(sql`event_resources.resource_id`, filter.id),
    equalsAny(sql`event_resources.resource_role`, filter.role),
    or(...asList(filter.resources_in_roles).map(([id, role]): Condition => sql`(event_resources.resource_id = ${id} and event_resources.resource_role = ${role})`)),
    resourceLabels(filter.labels),
  );
  // The subject has the empty role, and is no related resource.
  return condition === TRUE || filter.role?.length ? condition : and(condition, sql`event_resources.resource_role <> ''`);
}

const anyResource = (filter: EventAnyResourceFilter): Condition =>
  and(
    equalsAny(sql`event_resources.resource_id`, filter.id),
    startsWithAny(sql`event_resources.resource_id`, filter.id_prefix),
    resourceLabels(filter.labels),
  );

function text(query: string): Condition {
  const { include, require, exclude } = parseTextSearch(query);
  const content = sql`lower(concat(events.event, ' ', events.resource::text, ' ', events.related::text, ' ', events.payload::text))`;
  const contains = (term: string): Condition => sql`strpos(${content}, ${term}) > 0`;
  return and(
    or(...include.map(contains)),
    ...require.map(contains),
    ...exclude.map((term): Condition => sql`strpos(${content}, ${term}) = 0`),
  );
}

/** The condition under which a row of `events` passes the filter (order and `distinct` are left to the query). */
export function compileEventFilter(filter: EventFilter): Condition {
  return and(
    sql`events.occurred between ${filter.occurred.since} and ${filter.occurred.until}`,
    equalsAny(sql`events.id`, filter.id.id),
    filter.event ? name(filter.event) : TRUE,
    filter.resource ? subject(filter.resource) : TRUE,
    ...asList(filter.related).map((each) => someResource(filter, related(each))),
    ...asList(filter.any_resource).map((each) => someResource(filter, anyResource(each))),
    filter.text ? text(filter.text.query) : TRUE,
  );
}
