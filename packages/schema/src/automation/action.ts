import { z } from 'zod';
import { duration } from '../duration.ts';
import type { JsonObject } from '../json.ts';
import { boolean, jsonObject, uuid } from '../primitives.ts';
import { stateType } from '../state.ts';
import { taggedUnion } from '../tagged-union.ts';

/* What an automation does when it fires (facts/events.md §7.7). Keys stand in the order of the wire. */

/** Say why a template, or the templates inside of parameters, cannot be read; undefined where they can (packages/templates). */
export interface TemplateChecks {
  readonly template: (text: string) => string | undefined;
  readonly parameters: (parameters: JsonObject) => string | undefined;
}

const simpleAction = <T extends string>(type: T) => z.object({ type: z.literal(type).default(type) });

/**
 * An action on one thing: the one chosen by `{kind}_id`, or the one that the triggering event tells of. The id is required
 * in the one case and refused in the other.
 */
function targetFields<K extends string>(idField: K) {
  const fields = { source: z.literal(['selected', 'inferred']).default('selected'), [idField]: uuid().nullable().default(null) };
  // The computed key is the one that is named, which TypeScript widens to any string.
  return fields as { source: typeof fields.source } & Record<K, z.ZodDefault<z.ZodNullable<ReturnType<typeof uuid>>>>;
}

const checkTarget =
  (idField: string) =>
  ({ value, issues }: z.core.ParsePayload<object & { source?: unknown; [key: string]: unknown }>): void => {
    const { source, [idField]: id } = value;
    const isGiven = typeof id === 'string';
    if (isGiven !== (source === 'selected')) issues.push({ code: 'custom', input: value, message: `${idField} is ${isGiven ? 'not allowed' : 'required'}` });
  };

const targetAction = <T extends string, K extends string>(type: T, idField: K) =>
  z.object({ type: z.literal(type).default(type), ...targetFields(idField) }).check(checkTarget(idField));

const notNegative = (seconds: z.ZodNumber) => seconds.refine((given) => given >= 0, 'schedule_after must be non-negative');

const changeFlowRunState = z
  .object({
    type: z.literal('change-flow-run-state').default('change-flow-run-state'),
    name: z.string().nullable().default(null),
    state: stateType,
    message: z.string().nullable().default(null),
    force: boolean().default(false),
  })
  .meta({ id: 'ChangeFlowRunState' });

const DEFAULT_SUBJECT = 'Prefect automated notification';

/** Older clients send the payload of a webhook as a JSON value; it is kept as that value's text. */
const payload = (template: z.ZodString) => z.preprocess((value) => (value == null || typeof value === 'string' ? value : JSON.stringify(value, null, 2)), template);

/** The schema of all actions. Templates are looked at only where `checks` are given. */
export function createActionSchema(checks?: TemplateChecks) {
  const template = (field: string) =>
    z.string().check(({ value, issues }) => {
      const problem = checks?.template(value);
      if (problem !== undefined) issues.push({ code: 'custom', input: value, message: `'${field}' is not a valid template: ${problem}` });
    });
  const parameters = jsonObject().check(({ value, issues }) => {
    const problem = checks?.parameters(value);
    if (problem !== undefined) issues.push({ code: 'custom', input: value, message: `Invalid parameters: ${problem}` });
  });
  const runDeployment = z
    .object({
      type: z.literal('run-deployment').default('run-deployment'),
      ...targetFields('deployment_id'),
      parameters: parameters.nullable().default(null),
      job_variables: jsonObject().nullable().default(null),
      schedule_after: duration(notNegative)
        .default(0)
        .meta({ describedAs: z.union([z.number().min(0), z.string().meta({ format: 'duration' })]).optional() }),
    })
    .check(checkTarget('deployment_id'))
    .meta({ id: 'RunDeployment' });
  const sendNotification = z
    .object({
      type: z.literal('send-notification').default('send-notification'),
      block_document_id: uuid(),
      subject: template('subject').default(DEFAULT_SUBJECT),
      body: template('body'),
    })
    .meta({ id: 'SendNotification' });
  const callWebhook = z
    .object({ type: z.literal('call-webhook').default('call-webhook'), block_document_id: uuid(), payload: payload(template('payload')).default('') })
    .meta({ id: 'CallWebhook' });
  // The names are pydantic's: it names the check of a whole model too.
  return taggedUnion({
    DoNothing: simpleAction('do-nothing').meta({ id: 'DoNothing' }),
    'function-after[selected_deployment_requires_id(), RunDeployment]': runDeployment,
    'function-after[selected_deployment_requires_id(), PauseDeployment]': targetAction('pause-deployment', 'deployment_id').meta({ id: 'PauseDeployment' }),
    'function-after[selected_deployment_requires_id(), ResumeDeployment]': targetAction('resume-deployment', 'deployment_id').meta({ id: 'ResumeDeployment' }),
    CancelFlowRun: simpleAction('cancel-flow-run').meta({ id: 'CancelFlowRun' }),
    DeleteFlowRun: simpleAction('delete-flow-run').meta({ id: 'DeleteFlowRun' }),
    ChangeFlowRunState: changeFlowRunState,
    'function-after[selected_work_queue_requires_id(), PauseWorkQueue]': targetAction('pause-work-queue', 'work_queue_id').meta({ id: 'PauseWorkQueue' }),
    'function-after[selected_work_queue_requires_id(), ResumeWorkQueue]': targetAction('resume-work-queue', 'work_queue_id').meta({ id: 'ResumeWorkQueue' }),
    SendNotification: sendNotification,
    CallWebhook: callWebhook,
    'function-after[selected_automation_requires_id(), PauseAutomation]': targetAction('pause-automation', 'automation_id').meta({ id: 'PauseAutomation' }),
    'function-after[selected_automation_requires_id(), ResumeAutomation]': targetAction('resume-automation', 'automation_id').meta({ id: 'ResumeAutomation' }),
    SuspendFlowRun: simpleAction('suspend-flow-run').meta({ id: 'SuspendFlowRun' }),
    ResumeFlowRun: simpleAction('resume-flow-run').meta({ id: 'ResumeFlowRun' }),
    'function-after[selected_work_pool_requires_id(), PauseWorkPool]': targetAction('pause-work-pool', 'work_pool_id').meta({ id: 'PauseWorkPool' }),
    'function-after[selected_work_pool_requires_id(), ResumeWorkPool]': targetAction('resume-work-pool', 'work_pool_id').meta({ id: 'ResumeWorkPool' }),
  });
}

export type Action = z.output<ReturnType<typeof createActionSchema>>;
