import { z } from 'zod';
import { type TemplateChecks, createActionSchema } from './automation/action.ts';
import { type Trigger, trigger } from './automation/trigger.ts';
import { boolean, orElse, recordFields, tags } from './primitives.ts';

/* Automations: what to wait for and what to do then (facts/events.md §7). automation/ holds triggers and actions. */

/** What a replacement may leave out stays as it is, although the document tells of a default. */
const kept = <T extends z.ZodType>(schema: T, describedAs: z.ZodType) => schema.optional().meta({ describedAs });

function fields(checks?: TemplateChecks) {
  const actions = z.array(createActionSchema(checks));
  const required = { name: z.string(), trigger, actions };
  const optional = { description: z.string(), enabled: boolean(), tags: tags(), actions_on_trigger: actions, actions_on_resolve: actions };
  const defaulted = {
    description: optional.description.default(''),
    enabled: optional.enabled.default(true),
    tags: orElse(optional.tags, () => []),
    actions_on_trigger: orElse(actions, () => []),
    actions_on_resolve: orElse(actions, () => []),
  };
  const { name } = required;
  const { description, enabled, tags: tagList, ...otherActions } = defaulted;
  return {
    // In the order of the wire.
    create: { name, description, enabled, tags: tagList, trigger, actions, ...otherActions },
    update: {
      name,
      description: kept(optional.description, defaulted.description),
      enabled: kept(optional.enabled, defaulted.enabled),
      tags: kept(optional.tags, defaulted.tags),
      trigger,
      actions,
      actions_on_trigger: kept(actions, defaulted.actions_on_trigger),
      actions_on_resolve: kept(actions, defaulted.actions_on_resolve),
    },
  };
}

/** An automation as it is stored and read. */
export const automation = z.object({ ...fields().create, ...recordFields() }).meta({ id: 'Automation' });
export type Automation = z.output<typeof automation>;

/** Every run of a deployment goes through these states. */
const EVENTS_OF_EVERY_RUN = new Set(['prefect.flow-run.Scheduled', 'prefect.flow-run.Pending', 'prefect.flow-run.Running', 'prefect.flow-run.*']);

function matchesEveryFlowRun(labels: Readonly<Record<string, string | string[]>>): boolean {
  const [[label, patterns] = [], ...others] = Object.entries(labels);
  if (label === undefined) return true;
  return others.length === 0 && label === 'prefect.resource.id' && [patterns].flat().includes('prefect.flow-run.*');
}

function letsEveryFlowRunThrough(trigger: Extract<Trigger, { type: 'event' }>): boolean {
  return matchesEveryFlowRun(trigger.match) && [trigger.match_related].flat().some(matchesEveryFlowRun);
}

/** Why an automation would set off itself again and again, if it would: by running a deployment whenever any flow run starts. */
export function findInfiniteLoop({ enabled = true, trigger, actions }: Pick<AutomationUpdate, 'enabled' | 'trigger' | 'actions'>): string | undefined {
  if (!enabled || trigger.type !== 'event' || trigger.posture !== 'Reactive') return undefined;
  if (!trigger.expect.some((name) => EVENTS_OF_EVERY_RUN.has(name))) return undefined;
  for (const action of actions) {
    if (action.type !== 'run-deployment') continue;
    if (action.source === 'inferred') return 'Running the deployment of the flow run that set this off would go on forever; select a deployment and narrow down the flow runs.';
    if (letsEveryFlowRunThrough(trigger)) return 'Running a deployment whenever any flow run starts would go on forever; narrow down the flow runs by match or match_related.';
  }
  return undefined;
}

const refuseLoops = ({ value, issues }: z.core.ParsePayload<AutomationUpdate>): void => {
  const message = findInfiniteLoop(value);
  if (message !== undefined) issues.push({ code: 'custom', input: value, message });
};

/** The schemas of what clients send; `checks` look at the templates in it. */
export function createAutomationSchemas(checks: TemplateChecks) {
  const { create, update } = fields(checks);
  return {
    automationCreate: z
      .strictObject({ ...create, owner_resource: z.string().nullable().default(null) })
      .check(refuseLoops)
      .meta({ id: 'AutomationCreate' }),
    automationUpdate: z.strictObject(update).check(refuseLoops).meta({ id: 'AutomationUpdate' }),
  };
}

export type AutomationCreate = Omit<Automation, 'id' | 'created' | 'updated'> & { owner_resource: string | null };
/** Takes the place of an automation; what is left out stays. */
export type AutomationUpdate = Pick<AutomationCreate, 'name' | 'trigger' | 'actions'> & Partial<Omit<AutomationCreate, 'name' | 'trigger' | 'actions' | 'owner_resource'>>;

/** PATCH knows only this; left out, nothing changes. */
export const automationPartialUpdate = z.strictObject({ enabled: kept(boolean(), boolean().default(true)) }).meta({ id: 'AutomationPartialUpdate' });
