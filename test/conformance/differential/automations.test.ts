import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Event } from '@praetor/schema/event';
import type { JsonObject } from '@praetor/schema/json';
import { addSeconds, now } from '@praetor/schema/timestamps';
import { Api } from '@praetor/test/support/api';
import { makeEvent } from '@praetor/test/support/events';
import { until } from '@praetor/test/support/poll';
import { skipWithoutPrefect } from '@praetor/test/support/prefect';
import { startTwins } from './servers.ts';

/* The same automation and the same events on both servers: the same firings, by the same events, in the same order. */

/**
 * Events in the order of their arrival: `name@seconds`, with `/key` for another resource, `>n` to follow the n-th event, and
 * `=n` for the n-th event once more. Seconds are from now.
 */
type Script = string;

interface Case {
  trigger: JsonObject;
  script: Script;
}

/** Which events fired the automation of a case on each server, by their places in the script. */
interface Result {
  case: Case;
  real: number[];
  ours: number[];
}

const STEP_SECONDS = 2;
/** The real server takes its time where the machine is busy. */
const PATIENCE_SECONDS = 120;

const reactive = (fields: JsonObject): JsonObject => ({ type: 'event', posture: 'Reactive', ...fields });
const proactive = (fields: JsonObject): JsonObject => ({ type: 'event', posture: 'Proactive', within: 12, ...fields });
const EACH = ['prefect.resource.id'];
const one = (name: string, fields: JsonObject = {}): JsonObject => reactive({ expect: [name], ...fields });

/** Triggers that a number of random scripts are played to. */
const SHAPES: JsonObject[] = [
  reactive({ expect: ['a'] }),
  reactive({ expect: ['a', 'b'], threshold: 3 }),
  reactive({ expect: ['a'], threshold: 2, within: 10 }),
  reactive({ expect: ['a'], threshold: 3, within: 5, for_each: EACH }),
  reactive({ expect: ['a'], within: 8 }),
  reactive({ after: ['a'], expect: ['b'] }),
  reactive({ after: ['a'], expect: ['b'], within: 10, for_each: EACH }),
  reactive({ after: ['a'], expect: ['b'], within: 10, threshold: 2 }),
  reactive({ after: ['a'], expect: ['a'], within: 10 }),
  reactive({ after: ['a'], expect: ['a', 'b'], within: 15, threshold: 2 }),
  reactive({ after: ['a'], expect: ['*'], within: 10, threshold: 2 }),
  reactive({ expect: ['a'], threshold: 0, within: 6 }),
  { type: 'compound', require: 'all', within: null, triggers: [one('a'), one('b')] },
  { type: 'compound', require: 'any', within: 30, triggers: [one('a'), one('b', { threshold: 2 })] },
  { type: 'compound', require: 2, within: 30, triggers: [one('a'), one('b'), one('c')] },
  { type: 'sequence', within: 30, triggers: [one('a'), one('b')] },
  { type: 'sequence', within: null, triggers: [one('a'), one('b'), one('c', { for_each: EACH })] },
  { type: 'compound', require: 'all', within: null, triggers: [{ type: 'sequence', within: null, triggers: [one('a'), one('b')] }, one('c')] },
];
const SCRIPTS_PER_SHAPE = 4;

/** Numbers that are the same in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function writeScript(random: () => number): Script {
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  return Array.from({ length: 12 }, (_, index) => {
    if (index > 2 && random() < 0.15) return `=${Math.floor(random() * index)}`;
    // Mostly forward in time, sometimes far back.
    const seconds = random() < 0.25 ? -15 + random() * 13 : -15 + index + random();
    return `${pick(['a', 'a', 'b', 'b', 'c'])}@${seconds.toFixed(1)}${pick(['', '', '/other'])}`;
  }).join(' ');
}

const random = createRandom(7);
const CASES: Case[] = [
  ...SHAPES.flatMap((trigger) => Array.from({ length: SCRIPTS_PER_SHAPE }, () => ({ trigger, script: writeScript(random) }))),
  { trigger: reactive({ expect: ['a'], threshold: 2 }), script: 'a@0 a@-1000 a@-800' },
  { trigger: { type: 'sequence', within: null, triggers: [one('a'), one('b'), one('c')] }, script: 'c@0>1 b@-1>2 a@-2' },
  { trigger: one('a', { match: { 'prefect.resource.id': 'test.*' } }), script: 'a@0 a@0/other' },
  { trigger: one('a', { match: { 'prefect.resource.id': ['!test.other'] } }), script: 'a@0 a@0/other' },
  { trigger: one('a', { match: { missing: '!x' } }), script: 'a@0' },
];

/** What takes a while: absence. */
const SLOW_CASES: Case[] = [
  { trigger: proactive({ after: ['a'], expect: ['b'], for_each: EACH }), script: 'b@-1 a@0' },
  { trigger: proactive({ after: ['a'], expect: ['b'], for_each: EACH }), script: 'a@0 b@0.5 a@0/other' },
  { trigger: proactive({ after: ['a'], expect: ['a', 'b'], for_each: EACH }), script: 'a@0 a@1' },
  { trigger: proactive({ after: ['a'], expect: ['a', 'b'], for_each: EACH, threshold: 2 }), script: 'a@0 b@1 b@2 a@3/other b@4/other' },
  { trigger: proactive({ after: ['a'], expect: ['b'], for_each: EACH, threshold: 2 }), script: 'b@1 b@2 =1 a@0 b@1/other =4 a@0/other' },
  { trigger: { type: 'compound', require: 'all', within: null, triggers: [one('c'), proactive({ after: ['a'], expect: ['b'], for_each: EACH })] }, script: 'c@0 a@0' },
  // Silence is judged last, when the others have fired.
  { trigger: proactive({ after: ['a'], expect: ['b'], for_each: EACH }), script: 'b@0.5 a@0' },
  { trigger: proactive({ after: ['a'], expect: ['a', 'b'], for_each: EACH }), script: 'a@0 b@2 a@1' },
];

/** Gives the names within a trigger a place of their own. */
function rename(trigger: JsonObject, scope: string): JsonObject {
  const text = JSON.stringify(trigger, (key, value: unknown) => ((key === 'expect' || key === 'after') && Array.isArray(value) ? value.map((name) => `${scope}.${String(name)}`) : value));
  return JSON.parse(text);
}

function readScript(script: Script, scope: string): Event[] {
  const ids = script.split(' ').map(() => randomUUID());
  const start = now();
  const events: Event[] = [];
  for (const [index, step] of script.split(' ').entries()) {
    const again = /^=(\d+)$/.exec(step)?.[1];
    const repeated = again === undefined ? undefined : events[Number(again)];
    if (repeated) {
      events.push(repeated);
      continue;
    }
    const [, name, seconds, key, leader] = /^(\w+)@(-?[\d.]+)(?:\/(\w+))?(?:>(\d+))?$/.exec(step) ?? [];
    const follows = leader === undefined ? null : (ids[Number(leader)] ?? null);
    const resource = { 'prefect.resource.id': `test.${key ?? 'thing'}` };
    events.push(makeEvent({ id: ids[index] ?? '', event: `${scope}.${name}`, occurred: addSeconds(start, Number(seconds)), resource, follows }));
  }
  return events;
}

suite('automations fire as those of the real server', { skip: await skipWithoutPrefect('3.9.1') }, () => {
  let servers: { real: Api; ours: Api };
  const stack = new AsyncDisposableStack();

  before(async () => {
    const twins = stack.use(await startTwins());
    servers = { real: new Api(twins.real), ours: new Api(twins.ours) };
  });
  after(() => stack.disposeAsync());

  /** Plays cases to both servers and looks after some seconds. Where they differ they get as long as `PATIENCE_SECONDS` to agree. */
  async function play(cases: readonly Case[], seconds: number): Promise<Result[]> {
    const prepared = await Promise.all(
      cases.map(async (one, index) => {
        const scope = `case-${index}-${randomUUID()}`;
        const automation = { name: scope, trigger: rename(one.trigger, scope), actions: [] };
        const [real, ours] = await Promise.all([servers.real, servers.ours].map(async (api): Promise<string> => (await api.expect(201, 'POST', '/automations/', automation)).id));
        return { case: one, scope, real: real ?? '', ours: ours ?? '' };
      }),
    );
    await sleep(2000);
    const played = prepared.map((one) => ({ ...one, events: readScript(one.case.script, one.scope) }));
    // Events of one case follow each other with a pause between: the real server works on two at a time, in any order.
    for (let step = 0; played.some(({ events }) => step < events.length); step++) {
      const batch = played.flatMap(({ events }) => events[step] ?? []);
      await Promise.all([servers.real, servers.ours].map((api) => api.expect(204, 'POST', '/events', batch)));
      await sleep(STEP_SECONDS * 1000);
    }
    await sleep(seconds * 1000);
    const end = performance.now() + PATIENCE_SECONDS * 1000;
    const results: Result[] = [];
    for (const { case: one, real, ours, events } of played) {
      const settled = async (): Promise<Result> => ({ case: one, real: await firings(servers.real, real, events), ours: await firings(servers.ours, ours, events) });
      let result = await settled();
      for (; !agree(result) && performance.now() < end; result = await settled()) await sleep(1000);
      results.push(result);
    }
    return results;
  }

  /** The events that fired an automation, by their places in the script. */
  async function firings(api: Api, automation: string, events: readonly Event[]): Promise<number[]> {
    const filter = { resource: { id: [`prefect.automation.${automation}`] }, event: { name: ['prefect.automation.triggered'] }, order: 'ASC' };
    const { events: told }: { events: { payload: { triggering_event: { id: string } | null } }[] } = await api.expect(200, 'POST', '/events/filter', { filter });
    return told.map(({ payload }) => events.findIndex(({ id }) => id === payload.triggering_event?.id));
  }

  const sort = (found: readonly number[]): string => found.toSorted((left, right) => left - right).join();
  const agree = ({ real, ours }: Result): boolean => sort(real) === sort(ours);

  test(`${CASES.length} triggers of presence`, async () => {
    const results = await play(CASES, 5);
    assert.deepEqual(results.filter((result) => !agree(result)), []);
    assert.ok(results.reduce((sum, { real }) => sum + real.length, 0) > 100, 'the cases fire');
  });

  test(`${SLOW_CASES.length} triggers of absence`, async () => {
    const results = await play(SLOW_CASES, 25);
    assert.deepEqual(results.filter((result) => !agree(result)), []);
    assert.ok(results.some(({ real }) => real.length > 0) && results.some(({ real }) => real.length === 0));
  });

  /** Things on one server that actions act on. */
  async function createTargets(api: Api) {
    const flow_id: string = (await api.expect([200, 201], 'POST', '/flows/', { name: `flow-${randomUUID()}` })).id;
    const deploy = async (more: JsonObject = {}): Promise<string> => (await api.expect([200, 201], 'POST', '/deployments/', { name: `deployment-${randomUUID()}`, flow_id, ...more })).id;
    const start = async (type: string): Promise<string> => (await api.expect([200, 201], 'POST', '/flow_runs/', { flow_id, name: 'brisk-otter', state: { type } })).id;
    const pool = await api.expect(201, 'POST', '/work_pools/', { name: `pool-${randomUUID()}`, type: 'process' });
    const strict = await deploy({ parameter_openapi_schema: { type: 'object', properties: { n: { type: 'integer' } } }, enforce_parameter_schema: true });
    return { deployment: await deploy(), strict, pool: String(pool.id), queue: String(pool.default_queue_id), start };
  }
  type Targets = Awaited<ReturnType<typeof createTargets>>;

  const MISSING = '00000000-0000-4000-8000-000000000000';
  const ACTIONS: { action: (targets: Targets) => JsonObject; run?: string }[] = [
    { action: () => ({ type: 'do-nothing' }) },
    { action: ({ deployment }) => ({ type: 'run-deployment', deployment_id: deployment, parameters: { n: '{{ event.payload.n }}', text: 'n is {{ event.payload.n }}' } }) },
    { action: ({ strict }) => ({ type: 'run-deployment', deployment_id: strict, parameters: { n: 'x' } }) },
    { action: () => ({ type: 'run-deployment', deployment_id: MISSING }) },
    { action: () => ({ type: 'run-deployment', source: 'inferred' }) },
    { action: ({ deployment }) => ({ type: 'pause-deployment', deployment_id: deployment }) },
    { action: ({ deployment }) => ({ type: 'resume-deployment', deployment_id: deployment }) },
    { action: () => ({ type: 'pause-deployment', deployment_id: MISSING }) },
    { action: ({ pool }) => ({ type: 'pause-work-pool', work_pool_id: pool }) },
    { action: () => ({ type: 'resume-work-pool', work_pool_id: MISSING }) },
    { action: ({ queue }) => ({ type: 'pause-work-queue', work_queue_id: queue }) },
    { action: () => ({ type: 'resume-work-queue', work_queue_id: MISSING }) },
    { action: () => ({ type: 'pause-automation', automation_id: MISSING }) },
    { action: () => ({ type: 'cancel-flow-run' }), run: 'RUNNING' },
    { action: () => ({ type: 'cancel-flow-run' }), run: 'SCHEDULED' },
    { action: () => ({ type: 'cancel-flow-run' }) },
    { action: () => ({ type: 'suspend-flow-run' }), run: 'RUNNING' },
    { action: () => ({ type: 'change-flow-run-state', state: 'FAILED', name: 'Enough' }), run: 'RUNNING' },
    { action: () => ({ type: 'change-flow-run-state', state: 'PENDING' }), run: 'RUNNING' },
    { action: () => ({ type: 'resume-flow-run' }), run: 'PAUSED' },
    { action: () => ({ type: 'resume-flow-run' }), run: 'RUNNING' },
    { action: () => ({ type: 'delete-flow-run' }), run: 'COMPLETED' },
    { action: () => ({ type: 'call-webhook', block_document_id: MISSING, payload: 'x' }) },
    { action: () => ({ type: 'send-notification', block_document_id: MISSING, body: 'x' }) },
  ];

  interface Told {
    event: string;
    related: Record<string, string>[];
    payload: Record<string, unknown>;
  }

  /** What an action's event tells, but for ids and wording. */
  function essenceOf({ event, related, payload }: Told): unknown {
    const kinds = related.map(({ 'prefect.resource.id': id = '', 'prefect.resource.role': role }) => `${role} ${id.slice(0, id.lastIndexOf('.'))}`);
    return { event, kinds, fields: Object.keys(payload).toSorted(), status: payload['status_code'], action: [payload['action_type'], payload['action_index']] };
  }

  test(`${ACTIONS.length} actions`, async () => {
    const carryOut = async (api: Api): Promise<unknown[]> => {
      const targets = await createTargets(api);
      const act = async ({ action, run }: (typeof ACTIONS)[number]): Promise<unknown> => {
        const scope = randomUUID();
        const automation = { name: scope, trigger: one(scope), actions: [action(targets)] };
        const { id }: { id: string } = await api.expect(201, 'POST', '/automations/', automation);
        const flowRun = run && (await targets.start(run));
        const resource = { 'prefect.resource.id': flowRun === undefined ? 'test.thing' : `prefect.flow-run.${flowRun}` };
        // A busy real server takes its time to notice a new automation.
        await sleep(5000);
        await api.expect(204, 'POST', '/events', [makeEvent({ event: scope, resource, payload: { n: 5 } })]);
        const filter = { resource: { id: [`prefect.automation.${id}`] }, event: { name: ['prefect.automation.action.executed', 'prefect.automation.action.failed'] } };
        const told = await until(
          `${JSON.stringify(automation.actions)} is over`,
          async () => {
            const { events }: { events: Told[] } = await api.expect(200, 'POST', '/events/filter', { filter });
            return events[0];
          },
          PATIENCE_SECONDS,
        );
        return { action: automation.actions[0]?.['type'], run, told: essenceOf(told), state: flowRun && (await api.get(`/flow_runs/${flowRun}`)).body.state_name };
      };
      const outcomes = await Promise.all(ACTIONS.map(act));
      const runs: { parameters: unknown; created_by: { type: string } }[] = await api.expect(200, 'POST', '/flow_runs/filter', { deployments: { id: { any_: [targets.deployment] } } });
      return [...outcomes, runs.map(({ parameters, created_by }) => ({ parameters, creator: created_by.type }))];
    };
    const [real, ours] = await Promise.all([carryOut(servers.real), carryOut(servers.ours)]);
    assert.deepEqual(ours, real);
  });
});
