import { z } from 'zod';
import { describedDuration, duration } from '../duration.ts';
import { resourceSpecification } from '../event.ts';
import { isJsonObject } from '../json.ts';
import { integer, orElse, uuid } from '../primitives.ts';
import { runSchema, taggedUnion } from '../tagged-union.ts';
import { textSet } from '../text-set.ts';

/* What an automation waits for (facts/events.md §7.2, facts/prefect-3.9.1.md §1.3). Keys stand in the order of the wire. */

/** The shortest window, in seconds, in which events can be missed. */
const MINIMUM_PROACTIVE_WINDOW = 10;

/** Clients may send ids, but the server gives its own: `renewTriggerIds`. */
const triggerId = () => orElse(uuid(), () => crypto.randomUUID());

const texts = () => orElse(textSet(), () => []);

/** Says what is wrong inside of labels without naming the member of a union that they were meant to be; false where something is. */
function checkLabels(value: unknown, issues: z.core.$ZodRawIssue[], at: PropertyKey[] = []): boolean {
  if (!isJsonObject(value)) return true;
  const { issues: found } = runSchema(resourceSpecification, value);
  issues.push(...found.map((issue) => ({ ...issue, path: [...at, ...(issue.path ?? [])] })));
  return found.length === 0;
}

/* pydantic knows labels by two names, and gives both where a value is neither. */
/** The same without its name in the document. */
const plainLabels = resourceSpecification.meta({});
const labels = () => taggedUnion({ ResourceSpecification: resourceSpecification, 'dict[str,union[str,list[str]]]': plainLabels });

const matchLabels = () =>
  z.preprocess((value, { issues }) => {
    checkLabels(value, issues);
    return value;
  }, labels());

const matchRelated = () =>
  z.preprocess(
    (value, { issues }) => {
      // Only the first faulty entry of a list is spoken of.
      if (Array.isArray(value)) value.every((entry, index) => checkLabels(entry, issues, [index]));
      else checkLabels(value, issues);
      return value;
    },
    taggedUnion({
      ResourceSpecification: resourceSpecification,
      'dict[str,union[str,list[str]]]': plainLabels,
      'list[union[ResourceSpecification,dict[str,union[str,list[str]]]]]': z.array(labels()),
    }),
  );

const POSTURES = ['Reactive', 'Proactive'] as const;

/** pydantic calls the values of this one by their names in Python. */
const posture = () =>
  z.preprocess((value, context) => {
    if (value === undefined || POSTURES.some((known) => known === value)) return value;
    const expected = POSTURES.map((known) => `Posture.${known}`).join(' or ');
    context.issues.push({ code: 'custom', input: value, message: `Input should be ${expected}`, params: { type: 'literal_error', ctx: { expected } } });
    return z.NEVER;
  }, z.literal(POSTURES));

const notNegative = (seconds: z.ZodNumber) =>
  seconds.refine((given) => given >= 0, {
    error: 'Input should be greater than or equal to 0 seconds',
    params: { type: 'greater_than_equal', ctx: { ge: '0 seconds' } },
  });

const window = duration();

/** A Proactive trigger without a window gets the shortest one, and may have none that is shorter. */
function completeWindow(value: unknown, issues: z.core.$ZodRawIssue[]): unknown {
  if (!isJsonObject(value)) return value;
  const refuse = (message: string): unknown => {
    issues.push({ code: 'custom', input: value, message });
    return value;
  };
  if (value['within'] === null) return refuse('`within` should be a valid timedelta');
  const within = window.safeParse(value['within'] ?? 0);
  if (value['posture'] !== 'Proactive' || !within.success) return value;
  if (within.data === 0) return { ...value, within: MINIMUM_PROACTIVE_WINDOW };
  if (within.data < MINIMUM_PROACTIVE_WINDOW) return refuse(`\`within\` for Proactive triggers must be at least ${MINIMUM_PROACTIVE_WINDOW} seconds`);
  return value;
}

export const eventTrigger = z.preprocess(
  (value, { issues }) => completeWindow(value, issues),
  z
    .object({
      type: z.literal('event').default('event'),
      id: triggerId(),
      match: orElse(matchLabels(), () => ({})),
      match_related: orElse(matchRelated(), () => ({})),
      after: texts(),
      expect: texts(),
      for_each: texts(),
      posture: posture(),
      threshold: integer().default(1),
      within: duration(notNegative)
        .default(0)
        .meta({ describedAs: describedDuration.optional(), minimum: 0, default: 'PT0S' }),
    })
    .meta({ id: 'EventTrigger' }),
);
export type EventTrigger = z.output<typeof eventTrigger>;

/* Types, not interfaces: these are JSON, and TypeScript takes only types for objects with free keys. */

type CompositeTrigger<T extends string> = {
  type: T;
  id: string;
  triggers: Trigger[];
  /** Seconds; null: the children's firings are remembered forever. */
  within: number | null;
};

/** Fires when so many of its children fired within the window. */
export type CompoundTrigger = CompositeTrigger<'compound'> & { require: number | 'any' | 'all' };

/** Fires when its children fired in their order within the window. */
export type SequenceTrigger = CompositeTrigger<'sequence'>;

export type Trigger = EventTrigger | CompoundTrigger | SequenceTrigger;

/* So pydantic calls a model that is checked as a whole; twice where the type, which holds itself, is complete. */
const COMPOUND_CHECKED = 'function-after[validate_require(), CompoundTrigger]';
const COMPOUND_CHECKED_TWICE = 'function-after[validate_require(), function-after[validate_require(), CompoundTrigger]]';

const anyTrigger = (compoundTag: string): z.ZodType<Trigger> =>
  taggedUnion<Record<string, z.ZodType<Trigger>>>({ EventTrigger: eventTrigger, [compoundTag]: compoundTrigger, SequenceTrigger: sequenceTrigger });

const compositeFields = (compoundTag: string) => ({ id: triggerId(), triggers: z.array(z.lazy(() => anyTrigger(compoundTag))), within: duration().nullable().meta({ describedAs: describedDuration.nullable(), required: true }) });

const requirement = () => taggedUnion({ int: integer(), "literal['any','all']": z.literal(['any', 'all']) });

const compoundTrigger = z
  .object({ type: z.literal('compound').default('compound'), ...compositeFields(COMPOUND_CHECKED), require: requirement() })
  .check(({ value, issues }) => {
    if (typeof value.require !== 'number') return;
    if (value.require < 1) issues.push({ code: 'custom', input: value, message: 'require must be at least 1' });
    else if (value.require > value.triggers.length)
      issues.push({ code: 'custom', input: value, message: 'require must be less than or equal to the number of triggers' });
  })
  .meta({ id: 'CompoundTrigger' });

const sequenceTrigger = z
  .object({ type: z.literal('sequence').default('sequence'), ...compositeFields(COMPOUND_CHECKED_TWICE) })
  .meta({ id: 'SequenceTrigger' });

export const trigger = anyTrigger(COMPOUND_CHECKED_TWICE);

/** A trigger and, if it is composite, all those below it. */
export function allTriggers(trigger: Trigger): Trigger[] {
  return trigger.type === 'event' ? [trigger] : [trigger, ...trigger.triggers.flatMap(allTriggers)];
}

/** The same trigger with new ids, also of those below it: a saved trigger never goes by an id that its sender chose. */
export function renewTriggerIds<T extends Trigger>(trigger: T): T {
  const id = crypto.randomUUID();
  return trigger.type === 'event' ? { ...trigger, id } : { ...trigger, id, triggers: trigger.triggers.map(renewTriggerIds) };
}
