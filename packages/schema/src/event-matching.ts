import type { Event, EventAnyResourceFilter, EventFilter, EventNameFilter, EventResourceFilter, Resource, ResourceSpecification } from './event.ts';
import { toJson } from './json.ts';
import { matchesText, parseTextSearch } from './text-search.ts';
import { toMicroseconds } from './timestamps.ts';

/* Does an event pass a filter (facts/events.md §6)? The same question to the database is packages/database/src/event-filter.ts. */

const asList = <T>(value: T | readonly T[] | null | undefined): readonly T[] => (value == null ? [] : Array.isArray(value) ? value : [value as T]);

/** An empty or missing list restricts nothing. */
const matchesAny = (list: readonly string[] | null | undefined, matches: (entry: string) => boolean): boolean =>
  !list || list.length === 0 || list.some(matches);

const identifier = (resource: Resource): string => resource['prefect.resource.id'] ?? '';

/** `*` is any run of characters, `?` any one, `[…]` a set of them, all else is itself: Python's fnmatch, case kept. */
function globToRegExp(pattern: string): RegExp {
  const body = pattern.replaceAll(/\*+|\?|\[(!?)(\]?[^\]]*)\]|[\\^$.|+()[\]{}]/g, (token: string, negated: string | undefined, set: string | undefined) => {
    if (token.startsWith('*')) return '.*';
    if (token === '?') return '.';
    if (set === undefined) return `\\${token}`;
    return `[${negated ? '^' : ''}${set.replaceAll(/[\\\]^[]/g, '\\$&')}]`;
  });
  return new RegExp(`^${body}$`, 'su');
}

/** Whether a label's value matches one pattern; a missing label matches none, not even a negated one. */
export function matchesPattern(pattern: string, value: string | undefined): boolean {
  if (value === undefined) return false;
  const negated = pattern.startsWith('!');
  const glob = negated ? pattern.slice(1) : pattern;
  const matches = /[*?[]/.test(glob) ? globToRegExp(glob).test(value) : glob === value;
  return matches !== negated;
}

/** Whether every label of a specification matches; a label with an empty list never does. */
function matchesLabels(specification: ResourceSpecification, resource: Resource): boolean {
  return Object.entries(specification).every(([label, patterns]) => asList(patterns).some((pattern) => matchesPattern(pattern, resource[label])));
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
    matchesLabels(filter.labels ?? {}, resource)
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
