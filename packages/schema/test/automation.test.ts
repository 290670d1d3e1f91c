import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { createAutomationSchemas } from '../src/automation.ts';
import { type Trigger, allTriggers, renewTriggerIds, trigger } from '../src/automation/trigger.ts';

const { automationCreate } = createAutomationSchemas({
  template: (text) => (text.includes('{{ broken') ? 'it is broken' : undefined),
  parameters: (parameters) => (parameters['text'] === '{{ broken' ? 'text is broken' : undefined),
});

const DEPLOYMENT = '11111111-2222-3333-4444-555555555555';
const event = { type: 'event', posture: 'Reactive' };
const proactive = { type: 'event', posture: 'Proactive' };

const parse = (changes: object) => automationCreate.safeParse({ name: 'a', trigger: event, actions: [], ...changes });

/** The flat locations and texts of all errors, as the gateway will print them. */
function problems(result: z.ZodSafeParseResult<unknown>): string[] {
  const flatten = (issue: z.core.$ZodIssue, prefix: PropertyKey[]): string[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code === 'invalid_union') return issue.errors.flatMap((branch) => branch.flatMap((inner) => flatten(inner, path)));
    const location = path.map((key) => (typeof key === 'symbol' ? key.description : String(key))).join('.');
    return [`${location}: ${issue.code === 'custom' ? issue.message : issue.code}`];
  };
  return (result.error?.issues ?? []).flatMap((issue) => flatten(issue, []));
}

function parseTrigger(given: unknown): Trigger {
  return trigger.parse(given);
}

test('an event trigger gets its defaults in the order of the wire', () => {
  const { id, ...rest } = parseTrigger(event);
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.equal(
    JSON.stringify(rest),
    '{"type":"event","match":{},"match_related":{},"after":[],"expect":[],"for_each":[],"posture":"Reactive","threshold":1,"within":0}',
  );
});

test('a trigger without a type is the one that knows most of its fields', () => {
  assert.equal(parseTrigger({ posture: 'Reactive' }).type, 'event');
  assert.equal(parseTrigger({ triggers: [], within: null }).type, 'sequence');
  assert.equal(parseTrigger({ triggers: [], within: 5, require: 'any' }).type, 'compound');
});

test('the window of an event trigger follows its posture', () => {
  const window = (given: object) => {
    const result = trigger.safeParse(given);
    return result.success && result.data.type === 'event' ? result.data.within : problems(result).filter((problem) => problem.startsWith('EventTrigger'));
  };
  assert.equal(window(event), 0);
  assert.equal(window({ ...event, within: 5 }), 5);
  assert.equal(window({ ...event, within: true }), 1);
  assert.equal(window({ ...event, within: 'P1D' }), 86_400);
  assert.equal(window(proactive), 10);
  assert.equal(window({ ...proactive, within: 0 }), 10);
  assert.equal(window({ ...proactive, within: '00:00:20' }), 20);
  assert.deepEqual(window({ ...event, within: -1 }), ['EventTrigger.within: Input should be greater than or equal to 0 seconds']);
  assert.deepEqual(window({ ...proactive, within: 5 }), ['EventTrigger: `within` for Proactive triggers must be at least 10 seconds']);
  assert.deepEqual(window({ ...event, within: null }), ['EventTrigger: `within` should be a valid timedelta']);
  assert.deepEqual(window({ ...event, within: '30' }), ['EventTrigger.within: Input should be a valid timedelta, "day" identifier in duration not correctly formatted']);
  assert.deepEqual(window({ ...event, within: [] }), ['EventTrigger.within: Input should be a valid timedelta']);
});

test('labels are texts or lists of texts, and related labels may be several', () => {
  const match = { a: 'b', c: ['d', 'e'], f: [] };
  const parsed = parseTrigger({ ...event, match, match_related: [match, {}], expect: ['b', 'a', 'b'] });
  assert.ok(parsed.type === 'event');
  assert.deepEqual([parsed.match, parsed.match_related, parsed.expect], [match, [match, {}], ['b', 'a']]);
  const eventProblems = (given: object) => problems(trigger.safeParse({ ...event, ...given })).filter((problem) => problem.startsWith('EventTrigger'));
  assert.deepEqual(eventProblems({ match: { a: 1 } }), ['EventTrigger.match.a.str: invalid_type', 'EventTrigger.match.a.list[str]: invalid_type']);
  assert.deepEqual(eventProblems({ match: 'x' }), ['EventTrigger.match.ResourceSpecification: invalid_type', 'EventTrigger.match.dict[str,union[str,list[str]]]: invalid_type']);
  assert.deepEqual(eventProblems({ match_related: [{}, { a: 1 }, { b: 1 }] }), ['EventTrigger.match_related.1.a.str: invalid_type', 'EventTrigger.match_related.1.a.list[str]: invalid_type']);
  assert.equal(eventProblems({ match_related: 'x' }).length, 3);
  assert.deepEqual(eventProblems({ expect: 'x' }), ['EventTrigger.expect: Input should be a valid set']);
  assert.deepEqual(eventProblems({ id: 'x', threshold: null }).map((problem) => problem.split(':')[0]), ['EventTrigger.id', 'EventTrigger.threshold']);
});

test('a compound trigger cannot require more than it has', () => {
  const compound = { type: 'compound', within: null, triggers: [event, proactive] };
  for (const require of ['any', 'all', 1, 2, '1', true]) assert.equal(parseTrigger({ ...compound, require }).type, 'compound');
  for (const require of [0, 3, -1, 'x', null, 1.5]) assert.equal(trigger.safeParse({ ...compound, require }).success, false);
  assert.equal(trigger.safeParse({ ...compound, triggers: [], require: 'any' }).success, true);
});

test('nested triggers keep their order, and all get new ids', () => {
  const nested = parseTrigger({ type: 'sequence', within: 5, triggers: [event, { type: 'compound', within: 1, require: 'all', triggers: [proactive] }] });
  const ids = allTriggers(nested).map(({ id }) => id);
  const renewed = allTriggers(renewTriggerIds(nested));
  assert.deepEqual(renewed.map(({ type }) => type), ['sequence', 'event', 'compound', 'event']);
  assert.equal(new Set([...ids, ...renewed.map(({ id }) => id)]).size, 8);
});

test('triggers that nest without end are refused in good time', () => {
  let nested: object = { type: 'event' };
  for (let level = 0; level < 200; level += 1) nested = { type: 'sequence', within: 1, triggers: [nested] };
  assert.equal(trigger.safeParse(nested).success, false);
  let shallow: object = { type: 'event' };
  for (let level = 0; level < 30; level += 1) shallow = { type: 'sequence', within: 1, triggers: [shallow] };
  assert.ok(problems(trigger.safeParse(shallow)).length < 5000);
});

test('an action without a type is the one that knows most of its fields', () => {
  const typeOf = (action: object) => parse({ actions: [action] }).data?.actions[0]?.type;
  assert.equal(typeOf({}), 'do-nothing');
  assert.equal(typeOf({ foo: 1 }), 'do-nothing');
  assert.equal(typeOf({ deployment_id: DEPLOYMENT }), 'run-deployment');
  assert.equal(typeOf({ source: 'inferred' }), 'run-deployment');
  assert.equal(typeOf({ block_document_id: DEPLOYMENT, body: 'x' }), 'send-notification');
  assert.equal(typeOf({ block_document_id: DEPLOYMENT }), 'call-webhook');
  assert.equal(typeOf({ work_pool_id: DEPLOYMENT }), 'pause-work-pool');
  assert.equal(typeOf({ type: 'declare-incident' }), undefined);
});

test('an action on a selected thing needs its id, one on an inferred thing refuses it', () => {
  for (const [kind, types] of Object.entries({
    deployment: ['run-deployment', 'pause-deployment', 'resume-deployment'],
    work_queue: ['pause-work-queue', 'resume-work-queue'],
    work_pool: ['pause-work-pool', 'resume-work-pool'],
    automation: ['pause-automation', 'resume-automation'],
  }))
    for (const type of types) {
      const idField = `${kind}_id`;
      const refusal = (action: object) => problems(parse({ actions: [{ type, ...action }] })).filter((problem) => problem.includes(idField));
      assert.equal(parse({ actions: [{ type, [idField]: DEPLOYMENT.toUpperCase().replaceAll('-', '') }] }).success, true);
      assert.equal(parse({ actions: [{ type, source: 'inferred' }] }).success, true);
      assert.ok(refusal({}).some((problem) => problem.endsWith(`${idField} is required`)), type);
      assert.ok(refusal({ source: 'inferred', [idField]: DEPLOYMENT }).some((problem) => problem.endsWith(`${idField} is not allowed`)), type);
    }
});

test('actions keep the order of the wire and the text of numbers', () => {
  const action = { schedule_after: 'PT5S', deployment_id: DEPLOYMENT, parameters: { a: JSON.rawJSON('1.0') }, type: 'run-deployment', unknown: 1 };
  assert.equal(
    JSON.stringify(parse({ actions: [action] }).data?.actions),
    `[{"type":"run-deployment","source":"selected","deployment_id":"${DEPLOYMENT}","parameters":{"a":1.0},"job_variables":null,"schedule_after":5}]`,
  );
});

test('the payload of a webhook becomes text', () => {
  const payloadOf = (payload: unknown) => parse({ actions: [{ type: 'call-webhook', block_document_id: DEPLOYMENT, payload }] }).data?.actions[0];
  assert.deepEqual(payloadOf({ message: 'hi' }), { type: 'call-webhook', block_document_id: DEPLOYMENT, payload: '{\n  "message": "hi"\n}' });
  assert.equal(payloadOf(null), undefined);
});

test('templates and parameters of actions are checked', () => {
  const find = (action: object, text: string) => problems(parse({ actions: [action] })).filter((problem) => problem.includes(text));
  const notification = { type: 'send-notification', block_document_id: DEPLOYMENT, body: '{{ broken' };
  assert.deepEqual(find(notification, 'template'), ["actions.0.SendNotification.body: 'body' is not a valid template: it is broken"]);
  assert.equal(find({ type: 'run-deployment', deployment_id: DEPLOYMENT, parameters: { text: '{{ broken' } }, 'parameters: Invalid').length, 1);
});

test('an automation may not run deployments on every start of a flow run', () => {
  const running = { ...event, expect: ['prefect.flow-run.Running'] };
  const selected = { type: 'run-deployment', deployment_id: DEPLOYMENT };
  const inferred = { type: 'run-deployment', source: 'inferred' };
  const every = { 'prefect.resource.id': 'prefect.flow-run.*' };
  const accepts = (trigger: object, action: object, changes: object = {}) => parse({ trigger, actions: [action], ...changes }).success;
  assert.equal(accepts(running, inferred), false);
  assert.equal(accepts(running, inferred, { enabled: false }), true);
  assert.equal(accepts(running, selected), false);
  assert.equal(accepts({ ...running, match: every }, selected), false);
  assert.equal(accepts({ ...running, match: every, match_related: { x: 'y' } }, selected), true);
  assert.equal(accepts({ ...running, match: { ...every, a: 'b' } }, selected), true);
  assert.equal(accepts({ ...running, match_related: [{}, { x: 'y' }] }, selected), false);
  assert.equal(accepts({ ...running, match_related: [] }, selected), true);
  assert.equal(accepts({ ...running, expect: ['prefect.*'] }, selected), true);
});

test('unknown keys are refused in the automation, and dropped inside of it', () => {
  assert.deepEqual(problems(parse({ id: DEPLOYMENT })), [': unrecognized_keys']);
  assert.equal('zzz' in (parse({ trigger: { ...event, zzz: 1 } }).data?.trigger ?? {}), false);
});

test('both unions are documented by their members', () => {
  const { $defs = {} } = z.toJSONSchema(z.object({ automationCreate }), { io: 'input', unrepresentable: 'any' });
  const { trigger, actions } = $defs['AutomationCreate']?.properties ?? {};
  const members = (schema: unknown) => JSON.stringify(schema).match(/#\/\$defs\/\w+/g);
  assert.deepEqual(members(trigger), ['#/$defs/EventTrigger', '#/$defs/CompoundTrigger', '#/$defs/SequenceTrigger']);
  assert.equal(members(actions)?.length, 17);
});
