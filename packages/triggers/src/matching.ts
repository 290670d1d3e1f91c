import type { EventTrigger } from '@praetor/schema/automation/trigger';
import type { ReceivedEvent, Resource } from '@praetor/schema/event';
import { compilePattern, compileSpecification } from '@praetor/schema/event-matching';
import { compileGlob } from '@praetor/schema/glob';

/* Which events an event trigger looks at, and into which of its buckets they go (facts/events.md §7.3). */

/** The questions that a trigger puts to events, made once. */
export interface EventMatcher {
  /** Whether the name may concern the trigger at all; the cheapest question, and the same for all events of a name. */
  coversName(name: string): boolean;
  /** Whether the resources are those that the trigger is about. */
  coversResources(event: ReceivedEvent): boolean;
  /** The name arms the trigger: it is one of `after`. */
  startsAfter(name: string): boolean;
  /** The name counts: it is one of `expect`, or nothing in particular is expected. */
  expects(name: string): boolean;
  /** The values of the `for_each` labels, in the order of the labels; missing ones are empty. */
  bucketingKey(event: ReceivedEvent): string[];
}

/**
 * A star stands for at least one character here, other wildcards and `!` for themselves, and what follows the pattern is
 * left alone; so a name must meet this and be matched as a glob, too.
 */
function compilePrefix(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return (name) => name.startsWith(pattern);
  const [first = '', ...rest] = parts;
  return (name) => {
    if (!name.startsWith(first)) return false;
    let position = first.length;
    for (const part of rest) {
      // At least one character for the star, then the next occurrence of the part.
      const found = name.indexOf(part, position + 1);
      if (found === -1 || position >= name.length) return false;
      position = found + part.length;
    }
    return true;
  };
}

function compileNames({ expect, after }: EventTrigger): (name: string) => boolean {
  if (expect.length === 0) return (name) => name !== '';
  const patterns = [...expect, ...after];
  const globs = patterns.map(compileGlob);
  const prefixes = patterns.map(compilePrefix);
  return (name) => globs.some((matches) => matches(name)) && prefixes.some((matches) => matches(name));
}

function findLabel({ resource, related }: ReceivedEvent, label: string): string | undefined {
  const end = label.lastIndexOf(':');
  const [directive, ...role] = label.slice(0, Math.max(end, 0)).split(':');
  if (directive === 'related') {
    const found = related.find((one) => one['prefect.resource.role'] === role.join(':'));
    if (found) return found[label.slice(end + 1)];
  }
  return resource[label];
}

/** The labels by whose values a trigger tells its buckets apart, in the order of a bucket's key. */
export function bucketingLabels({ for_each }: EventTrigger): string[] {
  return for_each.toSorted((one, other) => (one < other ? -1 : 1));
}

export function compileMatcher(trigger: EventTrigger): EventMatcher {
  const coversName = compileNames(trigger);
  const matchesResource = compileSpecification(trigger.match);
  const specifications = Array.isArray(trigger.match_related) ? trigger.match_related : [trigger.match_related];
  const related = specifications.filter((specification) => Object.keys(specification).length > 0).map(compileSpecification);
  const after = trigger.after.map(compilePattern);
  const expect = trigger.expect.map(compilePattern);
  const labels = bucketingLabels(trigger);
  return {
    coversName,
    coversResources: (event) => matchesResource(event.resource) && related.every((matches: (resource: Resource) => boolean) => event.related.some(matches)),
    startsAfter: (name) => after.some((matches) => matches(name)),
    expects: (name) => expect.length === 0 || expect.some((matches) => matches(name)),
    bucketingKey: (event) => labels.map((label) => findLabel(event, label) ?? ''),
  };
}
