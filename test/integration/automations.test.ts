import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createApiGateway } from '@praetor/api-gateway/service';
import { createAutomations } from '@praetor/automations/service';
import { createEventPersister } from '@praetor/event-persister/service';
import type { JsonObject } from '@praetor/schema/json';
import { createBroker } from '@praetor/streams/create-broker';
import { createTaskRunRecorder } from '@praetor/task-run-recorder/service';
import { Api } from '@praetor/test/support/api';
import { createTestContext, runServices } from '@praetor/test/support/context';
import { type TestDatabase, createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';
import { makeEvent } from '@praetor/test/support/events';
import { until } from '@praetor/test/support/poll';
import { findFreePort } from '@praetor/test/support/ports';

/* Automations from their creation to what their actions have done, through the API, with two copies of the service. */

const skip = (await isPostgresReachable()) ? false : 'needs Postgres';

/** An event as the API lists it; what the events of actions tell. */
interface Told {
  id: string;
  event: string;
  follows: string | null;
  resource: Record<string, string>;
  related: Record<string, string>[];
  payload: Record<string, unknown>;
}

describe('automations', { skip }, () => {
  const stack = new AsyncDisposableStack();
  let database: TestDatabase;
  let api: Api;

  before(async () => {
    database = stack.use(await createTestDatabase());
    const broker = stack.use(createBroker({ saveDeadLetter: async (letter) => assert.fail(letter.error), onError: () => {} }));
    const port = await findFreePort();
    const context = () => createTestContext(database, broker, { PREFECT_SERVER_API_PORT: String(port), PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY: '1' });
    stack.use(runServices(...[createEventPersister, createTaskRunRecorder, createAutomations, createAutomations].map((create) => create(context()))));
    stack.use(runServices(createApiGateway(context())));
    api = new Api(`http://127.0.0.1:${port}/api`);
    await until('the API answers', () => api.get('/health').then(() => true, () => false));
  });
  after(() => stack.disposeAsync());

  /** An automation that watches one event of its own; gives how to set it off and how to hear of its actions. */
  async function watch(actions: JsonObject[], trigger: JsonObject = {}) {
    const name = `watched.${randomUUID()}`;
    const { id }: { id: string } = await api.expect(201, 'POST', '/automations/', { name: `on ${name}`, trigger: { type: 'event', posture: 'Reactive', expect: [name], ...trigger }, actions });
    const told = async (events: string[]): Promise<Told[]> => {
      const { events: found } = await api.expect(200, 'POST', '/events/filter', { filter: { resource: { id: [`prefect.automation.${id}`] }, event: { name: events }, order: 'ASC' } });
      return found;
    };
    return {
      id,
      name,
      told,
      async fire(resource: Record<string, string> = {}, related: Record<string, string>[] = []) {
        const event = makeEvent({ event: name, resource: { 'prefect.resource.id': 'test.thing', ...resource }, related });
        await api.expect(204, 'POST', '/events', [event]);
        return event;
      },
      /** The events that tell how actions ended, once there are so many. */
      ended: (count = 1) =>
        until(`${count} actions are over`, async () => {
          const found = await told(['prefect.automation.action.executed', 'prefect.automation.action.failed']);
          return found.length >= count && found;
        }),
    };
  }

  async function createFlow(): Promise<string> {
    const { id } = await api.expect([200, 201], 'POST', '/flows/', { name: `flow-${randomUUID()}` });
    return id;
  }

  async function createDeployment(more: JsonObject = {}): Promise<string> {
    const { id } = await api.expect([200, 201], 'POST', '/deployments/', { name: `deployment-${randomUUID()}`, flow_id: await createFlow(), ...more });
    return id;
  }

  async function createRun(type: string, more: JsonObject = {}): Promise<string> {
    const { id } = await api.expect([200, 201], 'POST', '/flow_runs/', { flow_id: await createFlow(), state: { type }, ...more });
    return id;
  }

  const stateOf = async (run: string): Promise<string> => (await api.expect(200, 'GET', `/flow_runs/${run}`)).state_name;
  const outcomeOf = ({ event, payload }: Told) => [event.split('.').at(-1), payload['status_code']];

  test('what a firing tells', async () => {
    const automation = await watch([{ type: 'do-nothing' }]);
    const cause = await automation.fire();
    const [executed] = await automation.ended();
    const [fired] = await automation.told(['prefect.automation.triggered']);
    const [triggered] = await automation.told(['prefect.automation.action.triggered']);
    assert.equal(triggered?.follows, cause.id);
    assert.equal(executed?.follows, triggered?.id);
    const labels = { 'prefect.resource.id': `prefect.automation.${automation.id}`, 'prefect.resource.name': `on ${automation.name}`, 'prefect.posture': 'Reactive' };
    assert.deepEqual(fired?.resource, labels);
    assert.deepEqual(executed?.resource, { ...labels, 'prefect.trigger-type': 'event' });
    assert.deepEqual(executed?.related, [
      { 'prefect.resource.id': `prefect.event.${fired?.id}`, 'prefect.resource.role': 'automation-triggered-event' },
      { 'prefect.resource.id': `prefect.event.${cause.id}`, 'prefect.resource.role': 'triggering-event' },
    ]);
    assert.deepEqual([executed?.payload['action_index'], executed?.payload['action_type']], [0, 'do-nothing']);
  });

  test('runs a deployment once for each firing', async () => {
    const deployment = await createDeployment({ parameters: { a: 1, b: 2 }, tags: ['t'] });
    const automation = await watch([{ type: 'run-deployment', deployment_id: deployment, parameters: { b: 3 }, schedule_after: 60 }]);
    const event = await automation.fire();
    await automation.fire();
    await api.expect(204, 'POST', '/events', [event]);
    const ended = await automation.ended(2);
    assert.deepEqual(ended.map(outcomeOf), [['executed', 201], ['executed', 201]]);
    const runs: { id: string; name: string; parameters: unknown; created_by: unknown; expected_start_time: string }[] = await api.expect(200, 'POST', '/flow_runs/filter', { deployments: { id: { any_: [deployment] } } });
    assert.equal(runs.length, 2);
    for (const run of runs) {
      assert.deepEqual(run.parameters, { a: 1, b: 3 });
      assert.deepEqual(run.created_by, { id: automation.id, type: 'AUTOMATION', display_value: `on ${automation.name}` });
      assert.ok(Date.parse(run.expected_start_time) > Date.now() + 30_000);
    }
    const made = runs.find(({ id }) => ended[0]?.related.some((related) => related['prefect.resource.id'] === `prefect.flow-run.${id}`));
    assert.deepEqual(ended[0]?.related.slice(0, 2), [
      { 'prefect.resource.id': `prefect.deployment.${deployment}`, 'prefect.resource.role': 'target' },
      { 'prefect.resource.id': `prefect.flow-run.${made?.id}`, 'prefect.resource.name': made?.name, 'prefect.resource.role': 'flow-run' },
    ]);
  });

  test('a deployment that is inferred, missing, or refuses', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } } };
    const strict = await createDeployment({ parameter_openapi_schema: schema, enforce_parameter_schema: true });
    const automation = await watch([{ type: 'run-deployment', source: 'inferred', parameters: { n: 'x' } }]);
    const about = (id: string) => [{ 'prefect.resource.id': `prefect.deployment.${id}`, 'prefect.resource.role': 'deployment' }];
    await automation.fire({}, about(await createDeployment()));
    await automation.ended(1);
    await automation.fire();
    await automation.ended(2);
    await automation.fire({}, about(randomUUID()));
    await automation.ended(3);
    await automation.fire({}, about(strict));
    const ended = await automation.ended(4);
    assert.deepEqual(ended.map(outcomeOf), [['executed', 201], ['failed', undefined], ['failed', 404], ['failed', 409]]);
    assert.match(String(ended[3]?.payload['validation_error']), /'n'/);
  });

  for (const [action, from, state, outcome] of [
    [{ type: 'cancel-flow-run' }, 'RUNNING', 'Cancelling', ['executed', 201]],
    [{ type: 'cancel-flow-run' }, 'SCHEDULED', 'Cancelled', ['failed', 201]],
    [{ type: 'change-flow-run-state', state: 'COMPLETED', name: 'Enough' }, 'RUNNING', 'Enough', ['executed', 201]],
    [{ type: 'change-flow-run-state', state: 'PENDING' }, 'RUNNING', 'Running', ['failed', 200]],
    [{ type: 'change-flow-run-state', state: 'RUNNING', force: true }, 'COMPLETED', 'Running', ['executed', 201]],
    [{ type: 'resume-flow-run' }, 'PAUSED', 'Running', ['executed', undefined]],
    [{ type: 'resume-flow-run' }, 'RUNNING', 'Running', ['failed', undefined]],
  ] as const)
    test(`${JSON.stringify(action)} of a run in ${from}`, async () => {
      const run = await createRun(from);
      const automation = await watch([action]);
      await automation.fire({ 'prefect.resource.id': `prefect.flow-run.${run}` });
      const [ended] = await automation.ended();
      assert.deepEqual(ended && outcomeOf(ended), outcome);
      assert.equal(await stateOf(run), state);
      assert.deepEqual(ended?.related[0], { 'prefect.resource.id': `prefect.flow-run.${run}`, 'prefect.resource.role': 'target' });
    });

  test('suspends and deletes the run of a bucket', async () => {
    const run = await createRun('RUNNING', { deployment_id: await createDeployment() });
    const automation = await watch([{ type: 'suspend-flow-run' }], { for_each: ['prefect.resource.id'] });
    await automation.fire({ 'prefect.resource.id': `prefect.flow-run.${run}` });
    assert.deepEqual((await automation.ended()).map(outcomeOf), [['executed', 201]]);
    assert.equal(await stateOf(run), 'Suspended');
    const deletion = await watch([{ type: 'delete-flow-run' }]);
    await deletion.fire({ 'prefect.resource.id': `prefect.flow-run.${run}` });
    await deletion.ended();
    await deletion.fire({ 'prefect.resource.id': `prefect.flow-run.${run}` });
    assert.deepEqual((await deletion.ended(2)).map(outcomeOf), [['executed', 204], ['failed', 404]]);
    await api.expect(404, 'GET', `/flow_runs/${run}`);
  });

  test('pauses and resumes deployments, pools, queues and automations', async () => {
    const deployment = await createDeployment();
    const pool = await api.expect(201, 'POST', '/work_pools/', { name: `pool-${randomUUID()}`, type: 'process' });
    const other = await watch([]);
    const targets = { deployment_id: deployment, work_pool_id: pool.id, work_queue_id: pool.default_queue_id, automation_id: other.id };
    const kinds = ['deployment', 'work-pool', 'work-queue', 'automation'];
    const actions = (verb: string) => kinds.map((kind, index) => ({ type: `${verb}-${kind}`, [Object.keys(targets)[index] ?? '']: Object.values(targets)[index] }));
    const states = async () => [
      (await api.expect(200, 'GET', `/deployments/${deployment}`)).paused,
      (await api.expect(200, 'GET', `/work_pools/${pool.name}`)).is_paused,
      (await api.expect(200, 'GET', `/work_queues/${pool.default_queue_id}`)).is_paused,
      !(await api.expect(200, 'GET', `/automations/${other.id}`)).enabled,
    ];
    for (const [verb, isPaused] of [['pause', true], ['resume', false]] as const) {
      const automation = await watch(actions(verb));
      await automation.fire();
      const ended = await automation.ended(4);
      const byKind = new Map(ended.map((one) => [one.payload['action_type'], one]));
      assert.deepEqual(kinds.map((kind) => byKind.get(`${verb}-${kind}`)?.payload['status_code']), [200, 204, 204, 204]);
      assert.deepEqual(await states(), [isPaused, isPaused, isPaused, isPaused]);
    }
    const inferred = await watch([{ type: 'pause-work-pool', source: 'inferred' }]);
    await inferred.fire({ 'prefect.resource.id': `prefect.work-pool.${pool.id}` });
    const [ended] = await inferred.ended();
    assert.deepEqual(ended?.related[0], { 'prefect.resource.id': `prefect.work-pool.${pool.id}`, 'prefect.resource.name': pool.name, 'prefect.resource.role': 'target' });
  });

  test('templates see what has happened', async () => {
    const pool = await api.expect(201, 'POST', '/work_pools/', { name: `pool-${randomUUID()}` });
    const deployment = await createDeployment({ work_pool_name: pool.name, concurrency_limit: 3, schedules: [{ schedule: { cron: '0 0 31 2 *' }, active: false }] });
    await api.expect(201, 'POST', '/variables/', { name: 'region', value: { code: 7 } });
    const parameters = {
      number: '{{ event.payload.n }}',
      text: 'run {{ flow_run.name }} is {{ flow_run.state.name }}',
      labels: ['{{ event.resource.id }}'],
      variable: { __prefect_kind: 'workspace_variable', variable_name: 'region' },
      code: '{{ variables.region.code }}',
      automation: '{{ automation.name }}',
      queue: '{{ work_queue.name }} {{ work_queue.late_runs_count }} {{ work_queue.healthy }}',
      run: '{{ flow_run.work_pool_name }} {{ flow_run.estimated_run_time.total_seconds() >= 0 }} {{ flow_run.estimated_start_time_delta }}',
      deployment: '{{ deployment.schedules|length }} {{ deployment.global_concurrency_limit.limit }}',
    };
    const automation = await watch([{ type: 'run-deployment', deployment_id: deployment, parameters }, { type: 'run-deployment', deployment_id: deployment, parameters: { x: '{{ 1 / 0 }}' } }]);
    const run = await createRun('RUNNING', { name: 'brisk-otter', work_pool_name: pool.name });
    const subject = `prefect.flow-run.${run}`;
    const related = Object.entries({ 'work-queue': pool.default_queue_id, deployment }).map(([kind, id]) => ({ 'prefect.resource.id': `prefect.${kind}.${id}`, 'prefect.resource.role': kind }));
    const event = makeEvent({ event: automation.name, resource: { 'prefect.resource.id': subject }, related, payload: { n: 5 } });
    await api.expect(204, 'POST', '/events', [event]);
    const ended = (await automation.ended(2)).toSorted((one, other) => Number(one.payload['action_index']) - Number(other.payload['action_index']));
    assert.deepEqual(ended.map(({ event: name }) => name.split('.').at(-1)), ['executed', 'failed']);
    const [made] = await api.expect(200, 'POST', '/flow_runs/filter', { deployments: { id: { any_: [deployment] } } });
    assert.deepEqual(made.parameters, { number: 5, text: 'run brisk-otter is Running', labels: [subject], variable: { code: 7 }, code: 7, automation: `on ${automation.name}`, queue: 'default 0 False', run: `${pool.name} True 0:00:00`, deployment: '1 3' });
    assert.ok('template_error' in (ended[1]?.payload ?? {}));
  });

  async function createBlock(slug: string, data: JsonObject): Promise<string> {
    const type = await api.expect(200, 'GET', `/block_types/slug/${slug}`);
    const [schema] = await api.expect(200, 'POST', '/block_schemas/filter', { block_schemas: { block_type_id: { any_: [type.id] } } });
    return (await api.expect(201, 'POST', '/block_documents/', { name: `block-${randomUUID()}`, data, block_type_id: type.id, block_schema_id: schema.id })).id;
  }

  test('webhooks and notifications go out through blocks, rendered and once', async () => {
    const received: string[] = [];
    let refusals = 1;
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      received.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(request.url === '/busy' && refusals-- > 0 ? 503 : 200, { 'x-answer': 'yes', 'set-cookie': 'secret' }).end('thanks');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stack.defer(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const [webhook, busy, custom, forbidden, secret] = await Promise.all([
      createBlock('webhook', { url: `${url}/hook`, allow_private_urls: true }),
      createBlock('webhook', { url: `${url}/busy`, allow_private_urls: true }),
      createBlock('custom-webhook', { name: 'c', url: `${url}/notify`, json_data: { text: '{{subject}}: {{body}}' }, allow_private_urls: true }),
      createBlock('webhook', { url: `${url}/never` }),
      createBlock('secret', { value: 'x' }),
    ]);
    const automation = await watch([
      { type: 'call-webhook', block_document_id: webhook, payload: '{"event": "{{ event.event }}"}' },
      { type: 'call-webhook', block_document_id: busy, payload: 'again' },
      { type: 'send-notification', block_document_id: custom, subject: 'on {{ event.event }}', body: '{{ event.resource.id }}' },
      { type: 'call-webhook', block_document_id: forbidden },
      { type: 'send-notification', block_document_id: secret, body: 'x' },
      { type: 'send-notification', block_document_id: randomUUID(), body: 'x' },
    ]);
    await automation.fire();
    const ended = await automation.ended(6);
    const outcomes = Map.groupBy(ended, ({ payload }) => payload['action_index']);
    assert.deepEqual([0, 1, 2, 3, 4, 5].map((index) => outcomes.get(index)?.map(outcomeOf)), [[['executed', 200]], [['executed', 200]], [['executed', undefined]], [['failed', undefined]], [['failed', undefined]], [['failed', undefined]]]);
    const called = outcomes.get(0)?.[0];
    assert.equal(called?.payload['response_body'], 'thanks');
    const headers = Object.keys(Object(called?.payload['response_headers']));
    assert.ok(headers.includes('x-answer') && !headers.includes('set-cookie'));
    assert.deepEqual(called?.related.slice(0, 2).map((related) => [related['prefect.resource.id'], related['prefect.resource.role']]), [[`prefect.block-document.${webhook}`, 'block'], ['prefect.block-type.webhook', 'block-type']]);
    assert.match(String(outcomes.get(3)?.[0]?.payload['reason']), /private/);
    assert.match(String(outcomes.get(4)?.[0]?.payload['reason']), /'secret'/);
    assert.deepEqual(received.toSorted(), ['POST /busy again', 'POST /busy again', `POST /hook {"event": "${automation.name}"}`, `POST /notify {"text":"on ${automation.name}: test.thing"}`]);
  });

  test('absence is noticed without any event', async () => {
    const automation = await watch([{ type: 'do-nothing' }], { posture: 'Proactive', within: 10 });
    const [ended] = await automation.ended();
    assert.deepEqual(ended && outcomeOf(ended), ['executed', undefined]);
    const [fired] = await automation.told(['prefect.automation.triggered']);
    assert.deepEqual(fired?.payload, { triggering_labels: {}, triggering_event: null });
    assert.deepEqual(fired?.related, []);
  });
});
