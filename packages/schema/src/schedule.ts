import { z } from 'zod';
import { parseCron } from './cron.ts';
import { boolean, duration, integer, jsonObject, recordFields, timestamp, uuid } from './primitives.ts';
import { parseRecurrence } from './recurrence.ts';
import { taggedUnion } from './tagged-union.ts';
import { isTimeZone } from './time-zone.ts';
import { now } from './timestamps.ts';

/* When a deployment runs (facts/rules.md §6, §9). packages/schedules finds the dates. */

const MAXIMUM_RRULE_LENGTH = 6500;

/** Refuses text that a parser refuses, with the parser's reason. */
const readable = (parse: (text: string) => unknown) =>
  z.string().check((payload) => {
    try {
      parse(payload.value);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      payload.issues.push({ code: 'custom', input: payload.value, message: error.message });
    }
  });

function parseShort(rrule: string): void {
  if (rrule.length > MAXIMUM_RRULE_LENGTH) throw new SyntaxError(`a rule has at most ${MAXIMUM_RRULE_LENGTH} characters`);
  parseRecurrence(rrule);
}

const INVALID_TIMEZONE = 'not a time zone by its IANA name, such as America/New_York';

const isKnown = (name: string | null) => !name || isTimeZone(name);

export const intervalSchedule = z
  .strictObject({
    interval: duration((seconds) => seconds.refine((given) => given > 0, 'interval must be positive')).meta({ describedAs: z.union([z.number().positive(), z.string()]) }),
    anchor_date: timestamp()
      .optional()
      .transform((given) => given ?? now()),
    timezone: z
      .string()
      .nullish()
      .transform((given) => given ?? 'UTC'),
  })
  .refine(({ timezone }) => isKnown(timezone), INVALID_TIMEZONE)
  .meta({ id: 'IntervalSchedule' });
export type IntervalSchedule = z.output<typeof intervalSchedule>;

export const cronSchedule = z
  .strictObject({ cron: readable(parseCron), timezone: z.string().nullable().default(null), day_or: boolean().default(true) })
  .refine(({ timezone }) => isKnown(timezone), INVALID_TIMEZONE)
  .meta({ id: 'CronSchedule' });
export type CronSchedule = z.output<typeof cronSchedule>;

export const rruleSchedule = z
  .strictObject({ rrule: readable(parseShort), timezone: z.string().refine(isTimeZone, INVALID_TIMEZONE).nullable().default('UTC') })
  .meta({ id: 'RRuleSchedule' });
export type RRuleSchedule = z.output<typeof rruleSchedule>;

/* So pydantic calls two of the models, which it checks as a whole. */
export const schedule = taggedUnion({
  'function-after[validate_timezone(), IntervalSchedule]': intervalSchedule,
  'function-after[validate_timezone(), CronSchedule]': cronSchedule,
  RRuleSchedule: rruleSchedule,
});
export type Schedule = z.output<typeof schedule>;

const IMPLIED_START = Temporal.PlainDateTime.from('2020-01-01T00:00:00');

/** Where a rule without DTSTART begins: in 2020, or, in step with that, just before now if it would have come round millions of times. */
function impliedStart({ rrule, timezone }: RRuleSchedule): Temporal.PlainDateTime {
  const { rules, dates, exceptRules, exceptDates } = parseRecurrence(rrule);
  const [rule] = rules;
  const isAlone = rules.length + dates.length + exceptRules.length + exceptDates.length === 1;
  if (rule === undefined || !isAlone || rule.count !== undefined || (rule.frequency !== 'SECONDLY' && rule.frequency !== 'MINUTELY')) return IMPLIED_START;
  const period = rule.interval * (rule.frequency === 'MINUTELY' ? 60 : 1);
  const elapsed = IMPLIED_START.until(Temporal.Now.plainDateTimeISO(timezone || 'UTC')).total({ unit: 'seconds', relativeTo: IMPLIED_START });
  return IMPLIED_START.add({ seconds: Math.max(0, Math.floor(elapsed / period)) * period });
}

/** A saved rule spells out its start. One that could not be read with it (UNTIL has a zone, this start has none) stays as it is. */
function addStart(schedule: RRuleSchedule): RRuleSchedule {
  if (/DTSTART/i.test(schedule.rrule)) return schedule;
  const start = impliedStart(schedule).toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  const anchored = { ...schedule, rrule: `DTSTART:${start}\n${schedule.rrule}` };
  return rruleSchedule.safeParse(anchored).success ? anchored : schedule;
}

const savedSchedule = () => schedule.transform((given): Schedule => ('rrule' in given ? addStart(given) : given));

const createFields = {
  active: boolean(),
  schedule: savedSchedule(),
  max_scheduled_runs: integer((count) => count.positive()).nullable(),
  parameters: jsonObject(),
  slug: z.string().nullable(),
  /** Slug of the schedule that becomes this one (PATCH of a deployment only). */
  replaces: z.string().nullable(),
};

export const deploymentScheduleCreate = z
  .strictObject({
    active: createFields.active.default(true),
    schedule: createFields.schedule,
    max_scheduled_runs: createFields.max_scheduled_runs.default(null),
    parameters: createFields.parameters.default(() => ({})),
    slug: createFields.slug.default(null),
    replaces: createFields.replaces.default(null),
  })
  .meta({ id: 'DeploymentScheduleCreate' });
export type DeploymentScheduleCreate = z.output<typeof deploymentScheduleCreate>;

/** What is left out stays as it is, as does a schedule or `active` that is null. */
export const deploymentScheduleUpdate = z
  .strictObject({ ...createFields, schedule: createFields.schedule.nullable(), active: createFields.active.nullable() })
  .partial()
  .meta({ id: 'DeploymentScheduleUpdate' });
export type DeploymentScheduleUpdate = z.output<typeof deploymentScheduleUpdate>;

export const deploymentSchedule = z
  .object({
    ...recordFields(),
    deployment_id: uuid().nullable(),
    schedule,
    active: boolean(),
    max_scheduled_runs: integer((count) => count.positive()).nullable(),
    parameters: jsonObject(),
    slug: z.string().nullable(),
  })
  .meta({ id: 'DeploymentSchedule' });
export type DeploymentSchedule = z.output<typeof deploymentSchedule>;
