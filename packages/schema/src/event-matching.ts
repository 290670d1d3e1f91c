import type { Event, EventAnyResourceFilter, EventFilter, EventNameFilter, EventResourceFilter, Resource, ResourceSpecification } from './event.ts';
import { compileGlob } from './glob.ts';
import { toJson } from './json.ts';
import { matchesText, parseTextSearch } from './text-search.ts';
import { toMicroseconds } from './timestamps.ts';

/* Does an event pass a filter (facts/events.md §6)? The same question to the database is packages/database/src/filter/events.ts. */

const asList = <T>(value: T | readonly T[] | null | undefined): readonly T[] => (value == null ? [] : Array.isArray(value) ? value : [value as T]);

/** An empty or missing list restricts nothing. */
const matchesAny = (list: readonly string[] | null | undefined, matches: (entry: string) => boolean): boolean =>
  !list || list.length === 0 || list.some(matches);

const identifier = (resource: Resource): string => resource['prefect.resource.id'] ?? '';

/** Makes the question whether a label's value matches a pattern; a missing label matches none, not even a negated one. */
export function compilePattern(pattern: string): (value: string | undefined) => boolean {
  const isNegated = pattern.startsWith('!');
  const matches = compileGlob(isNegated ? pattern.slice(1) : pattern);
  return (value) => value !== undefined && matches(value) !== isNegated;
}

/** Makes the question whether every label of a specification matches; a label with an empty list never does. */
export function compileSpecification(specification: ResourceSpecification): (resource: Resource) => boolean {
  const labels = Object.entries(specification).map(([label, patterns]) => ({ label, patterns: asList(patterns).map(compilePattern) }));
  return (resource) => labels.every(({ label, patterns }) => patterns.some((matches) => matches(resource[label])));
}

function matchesName(filter: EventNameFilter, name: string): boolean {
  const startsWith = (prefix: string) => name.startsWith(prefix);
  return (
    matchesAny(filter.prefix, startsWith) &&
    matchesAny(filter.name, (expected) => name === expected) &&
    !filter.exclude_prefix?.some(startsWith) &&
    !filter.exclude_name?.includes(name)
  );
}

function matchesResource(filter: EventResourceFilter | EventAnyResourceFilter, resource: Resource): boolean {
  return (
    matchesAny(filter.id, (id) => identifier(resource) === id) &&
    matchesAny(filter.id_prefix, (prefix) => identifier(resource).startsWith(prefix)) &&
    compileSpecification(filter.labels ?? {})(resource)
  );
}

function textOf(event: Event): string {
  return [event.event, ...[event.resource, ...event.related].flatMap((resource) => Object.values(resource)), toJson(event.payload)].join(' ');
}

/**
 * The question of a live subscription, put to one event after the other. Like Prefect's, it leaves out `related`: only
 * stored events can be searched by their related resources.
 */
export function createEventMatcher(filter: EventFilter): (event: Event) => boolean {
  const since = toMicroseconds(filter.occurred.since);
  const until = toMicroseconds(filter.occurred.until);
  const text = filter.text && parseTextSearch(filter.text.query);
  return (event) => {
    const moment = toMicroseconds(event.occurred);
    return (
      since <= moment &&
      moment <= until &&
      matchesAny(filter.id.id, (id) => event.id === id) &&
      (!filter.event || matchesName(filter.event, event.event)) &&
      (!filter.resource || matchesResource(filter.resource, event.resource)) &&
      asList(filter.any_resource).every((any) => [event.resource, ...event.related].some((resource) => matchesResource(any, resource))) &&
      (!text || matchesText(text, textOf(event)))
    );
  };
}
