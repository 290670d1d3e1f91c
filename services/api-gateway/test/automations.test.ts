import assert from 'node:assert/strict';
import { test } from '@praetor/test/support/postgres-test';
import { startGateway } from './support.ts';

const UNKNOWN = '11111111-2222-3333-4444-555555555555';
const trigger = { type: 'event', posture: 'Reactive', expect: ['zz.happened'] };
const nothing = { type: 'do-nothing' };
const automation = (name: string, changes: object = {}) => ({ name, trigger, actions: [nothing], ...changes });

test('automations', async (t) => {
  await using gateway = await startGateway();
  const { api, database, published } = gateway;

  await t.test('are created, read, replaced, switched and deleted, each with its event', async () => {
    const created = await api.expect(201, 'POST', '/automations/', automation('first', { description: 'd', tags: ['a'], actions_on_resolve: [nothing], trigger: { ...trigger, id: UNKNOWN } }));
    assert.deepEqual(Object.keys(created), ['name', 'description', 'enabled', 'tags', 'trigger', 'actions', 'actions_on_trigger', 'actions_on_resolve', 'id', 'created', 'updated']);
    assert.deepEqual(Object.keys(created.trigger), ['type', 'id', 'match', 'match_related', 'after', 'expect', 'for_each', 'posture', 'threshold', 'within']);
    assert.notEqual(created.trigger.id, UNKNOWN);
    assert.equal(JSON.stringify(await api.expect(200, 'GET', `/automations/${created.id}`)), JSON.stringify(created));

    await api.expect(204, 'PUT', `/automations/${created.id}`, { name: 'second', trigger: { posture: 'Proactive' }, actions: [] });
    const replaced = await api.expect(200, 'GET', `/automations/${created.id}`);
    assert.partialDeepStrictEqual(replaced, { name: 'second', description: 'd', tags: ['a'], actions: [], actions_on_resolve: [nothing], created: created.created });
    assert.equal(replaced.trigger.within, 10);
    assert.notEqual(replaced.trigger.id, created.trigger.id);

    await api.expect(204, 'PATCH', `/automations/${created.id}`, { enabled: false });
    const switched = await api.expect(200, 'GET', `/automations/${created.id}`);
    assert.deepEqual({ ...switched, updated: null }, { ...replaced, enabled: false, updated: null });
    await api.expect(204, 'PATCH', `/automations/${created.id}`, {});
    const touched = await api.expect(200, 'GET', `/automations/${created.id}`);
    assert.equal(touched.enabled, false);
    assert.ok(created.updated < replaced.updated && replaced.updated < switched.updated && switched.updated < touched.updated);

    await api.expect(204, 'DELETE', `/automations/${created.id}`);
    const missing = { exception_message: 'Automation not found' };
    assert.deepEqual(await api.expect(404, 'GET', `/automations/${created.id}`), missing);
    assert.deepEqual(await api.expect(404, 'PUT', `/automations/${created.id}`, automation('x')), missing);
    assert.deepEqual(await api.expect(404, 'PATCH', `/automations/${created.id}`, { enabled: true }), missing);
    assert.deepEqual(await api.expect(404, 'DELETE', `/automations/${created.id}`), missing);

    const resource = { 'prefect.resource.id': `prefect.automation.${created.id}`, 'prefect.resource.name': 'second' };
    assert.partialDeepStrictEqual(published.events, [
      { event: 'prefect.automation.created', resource: { ...resource, 'prefect.resource.name': 'first' }, related: [], payload: created, follows: null },
      { event: 'prefect.automation.updated', resource, payload: replaced },
      { event: 'prefect.automation.updated', resource, payload: switched },
      { event: 'prefect.automation.updated', resource, payload: touched },
      { event: 'prefect.automation.deleted', resource, payload: touched },
    ]);
  });

  await t.test('come back as they were sent, whatever the order in which the database keeps their keys', async () => {
    const compound = { type: 'compound', triggers: [{ type: 'sequence', triggers: [trigger], within: 'PT5S' }], within: null, require: 1 };
    const run = { type: 'run-deployment', deployment_id: UNKNOWN, parameters: { longest_key: JSON.rawJSON('1.0'), b: '{{ event.id }}' }, schedule_after: 5 };
    const created = await api.expect(201, 'POST', '/automations/', automation('nested', { trigger: compound, actions: [run] }));
    assert.equal(created.trigger.triggers[0].within, 5);
    const text = await (await fetch(`${api.url}/automations/${created.id}`)).text();
    assert.match(text, /"parameters":\{"b":"\{\{ event.id }}","longest_key":1.0\},"job_variables":null,"schedule_after":5/);
    assert.match(text, /"trigger":\{"type":"compound","id":"[^"]+","triggers":\[\{"type":"sequence","id":"[^"]+","triggers":\[\{"type":"event"/);
    await api.expect(204, 'DELETE', `/automations/${created.id}`);
  });

  await t.test('know the deployments that they run, and whom they belong to', async () => {
    const names = async (resource: string) => (await api.expect(200, 'GET', `/automations/related-to/${resource}`)).map(({ name }: { name: string }) => name);
    const run = { type: 'run-deployment', deployment_id: UNKNOWN };
    const owner = 'prefect.deployment.99999999-2222-3333-4444-555555555555';
    const runs = await api.expect(201, 'POST', '/automations/', automation('runs', { actions: [run, run, { type: 'pause-deployment', deployment_id: UNKNOWN }] }));
    const owned = await api.expect(201, 'POST', '/automations/', automation('owned', { owner_resource: owner }));
    assert.equal('owner_resource' in owned, false);
    assert.deepEqual(await names(`prefect.deployment.${UNKNOWN}`), ['runs']);
    assert.deepEqual(await names(owner), ['owned']);
    await api.expect(204, 'PUT', `/automations/${runs.id}`, automation('runs'));
    await api.expect(204, 'PUT', `/automations/${owned.id}`, automation('owned', { actions: [run] }));
    assert.deepEqual(await names(`prefect.deployment.${UNKNOWN}`), ['owned']);
    assert.deepEqual(await names(owner), ['owned']);
    assert.equal(await api.expect(202, 'DELETE', `/automations/owned-by/prefect.deployment.${UNKNOWN}`), null);
    assert.equal(await api.expect(202, 'DELETE', `/automations/owned-by/${owner}`), null);
    assert.deepEqual(await names(owner), []);
    await api.expect(404, 'GET', `/automations/${owned.id}`);
    await api.expect(200, 'GET', `/automations/${runs.id}`);
    assert.deepEqual([...(await database.sql`select * from automation_related_resource`)], []);
    await api.expect(204, 'DELETE', `/automations/${runs.id}`);
  });

  await t.test('are filtered, sorted, paged and counted', async () => {
    for (const [name, tags] of [['b', ['x']], ['a', ['x', 'y']], ['c', []]] as const) await api.expect(201, 'POST', '/automations/', automation(name, { tags }));
    const names = async (body?: object) => (await api.expect(200, 'POST', '/automations/filter', body)).map(({ name }: { name: string }) => name).join('');
    assert.equal(await names(), 'abc');
    assert.equal(await names({ sort: 'NAME_DESC' }), 'cba');
    assert.equal(await names({ sort: 'CREATED_DESC' }), 'cab');
    assert.equal(await names({ limit: 1, offset: 1 }), 'b');
    assert.equal(await names({ automations: { name: { any_: ['a', 'z'] } } }), 'a');
    assert.equal(await names({ automations: { id: { any_: [] } } }), '');
    assert.equal(await names({ automations: { tags: { all_: ['x', 'y'] } } }), 'a');
    assert.equal(await names({ automations: { tags: { any_: ['y', 'z'] } } }), 'a');
    assert.equal(await names({ automations: { tags: { is_null_: true } } }), 'c');
    assert.equal(await names({ automations: { created: { before_: '2020-01-01T00:00:00Z' } } }), '');
    assert.equal(await names({ automations: { operator: 'or_', name: { any_: ['c'] }, tags: { all_: ['y'] } } }), 'ac');
    assert.equal(await api.expect(200, 'POST', '/automations/count'), 3);
    assert.equal(await api.expect(200, 'POST', '/automations/count', { automations: { tags: { any_: ['x'] } } }), 2);
    for (const body of [{ limit: 201 }, { offset: -1 }, { sort: 'x' }, { automations: { zz: 1 } }, { automations: { created: { after_: '2020-01-01' } } }])
      await api.expect(422, 'POST', '/automations/filter', body);
  });

  await t.test('cannot be made a loop, neither by replacing nor by enabling', async () => {
    const loop = { trigger: { ...trigger, expect: ['prefect.flow-run.Running'] }, actions: [{ type: 'run-deployment', source: 'inferred' }] };
    await api.expect(422, 'POST', '/automations/', automation('loop', loop));
    const { id } = await api.expect(201, 'POST', '/automations/', automation('loop', { ...loop, enabled: false }));
    await api.expect(422, 'PUT', `/automations/${id}`, automation('loop', loop));
    const { exception_detail, request_body } = await api.expect(422, 'PATCH', `/automations/${id}`, { enabled: true });
    assert.partialDeepStrictEqual(exception_detail, [{ type: 'value_error', loc: [] }]);
    assert.deepEqual(request_body, { enabled: true });
    assert.equal((await api.expect(200, 'GET', `/automations/${id}`)).enabled, false);
  });

  await t.test('refuse what does not fit, and change nothing then', async () => {
    const before = await api.expect(200, 'POST', '/automations/filter', {});
    const selected = { type: 'run-deployment', deployment_id: UNKNOWN };
    for (const body of [
      automation('x', { trigger: { type: 'metric', posture: 'Metric' } }),
      automation('x', { trigger: { type: 'event' } }),
      automation('x', { trigger: null }),
      automation('x', { actions: [{ type: 'declare-incident' }] }),
      automation('x', { actions: [{ type: 'run-deployment' }] }),
      automation('x', { actions: null }),
      automation('x', { id: UNKNOWN }),
      {},
      [],
      undefined,
    ])
      await api.expect(422, 'POST', '/automations/', body);
    await api.expect(404, 'POST', '/automations/', automation('x', { actions: [{ ...selected, job_variables: { a: 1 } }] }));
    await api.expect(201, 'POST', '/automations/', automation('y', { actions: [{ ...selected, job_variables: {} }] }));
    await api.expect(404, 'PUT', `/automations/${before[0].id}`, automation('x', { actions: [{ ...selected, job_variables: {} }] }));
    await api.expect(422, 'PUT', `/automations/${before[0].id}`, automation('x', { owner_resource: 'x' }));
    await api.expect(422, 'PATCH', `/automations/${before[0].id}`, { enabled: null });
    const after = await api.expect(200, 'POST', '/automations/filter', {});
    assert.deepEqual(after.filter(({ name }: { name: string }) => name !== 'y'), before);
  });

  await t.test('check the job variables of the deployments that they run', async () => {
    const template = { job_configuration: { image: '{{ image }}' }, variables: { type: 'object', properties: { image: { type: 'string' } }, required: ['image'] } };
    const pool = await api.expect(201, 'POST', '/work_pools/', { name: 'pool', type: 'docker', base_job_template: template });
    const flow = await api.expect(201, 'POST', '/flows/', { name: 'flow' });
    const { id } = await api.expect(201, 'POST', '/deployments/', { name: 'deployment', flow_id: flow.id, work_pool_name: pool.name });
    const run = (job_variables: object) => automation('variables', { actions: [{ type: 'run-deployment', deployment_id: id, job_variables }] });
    assert.match((await api.expect(422, 'POST', '/automations/', run({ image: 5 }))).detail, /^Error creating automation: /);
    await api.expect(201, 'POST', '/automations/', run({ image: 'x' }));
  });

  await t.test('that an older server stored are shown in the form of today, and unreadable ones as they are', async () => {
    const store = (name: string, trigger: object, actions: object[]) =>
      database.sql`insert into automation (name, description, trigger, actions) values (${name}, '', ${JSON.stringify(trigger)}, ${JSON.stringify(actions)})`;
    await store('old', { posture: 'Reactive' }, [{ type: 'call-webhook', block_document_id: UNKNOWN, payload: { a: 1 } }]);
    await store('unreadable', { type: 'metric' }, []);
    const [old] = await api.expect(200, 'POST', '/automations/filter', { automations: { name: { any_: ['old'] } } });
    assert.deepEqual([old.trigger.type, old.trigger.threshold, old.actions[0].payload], ['event', 1, '{\n  "a": 1\n}']);
    const [unreadable] = await api.expect(200, 'POST', '/automations/filter', { automations: { name: { any_: ['unreadable'] } } });
    assert.deepEqual(unreadable.trigger, { type: 'metric' });
  });
});

test('templates', async (t) => {
  await using gateway = await startGateway();
  const { api } = gateway;

  await t.test('are looked at by two paths, which say on what line they are faulty', async () => {
    for (const path of ['/templates/validate', '/automations/templates/validate']) {
      await api.expect(204, 'POST', path, JSON.stringify('Run {{ flow_run.name | upper }} is {% if x %}y{% endif %}'));
      await api.expect(204, 'POST', path, '""');
      await api.expect(204, 'POST', path);
      const source = 'one\n\n{{ a b }}';
      assert.deepEqual(await api.expect(422, 'POST', path, JSON.stringify(source)), { error: { line: 3, message: "expected token 'end of print statement', got 'b'", source } });
      const loops = '{% for a in b %}{% endfor %}'.repeat(11);
      assert.partialDeepStrictEqual(await api.expect(422, 'POST', path, JSON.stringify(loops)), { error: { line: 0, source: loops } });
      await api.expect(422, 'POST', path, { a: 1 });
    }
  });

  await t.test('of actions must be readable', async () => {
    const selected = { type: 'run-deployment', deployment_id: UNKNOWN };
    const problemOf = async (action: object) => {
      const { exception_detail } = await api.expect(422, 'POST', '/automations/', automation('x', { actions: [action] }));
      return exception_detail.find(({ msg }: { msg: string }) => /template|jinja/i.test(msg)).msg;
    };
    assert.match(await problemOf({ type: 'send-notification', block_document_id: UNKNOWN, body: '{{ x' }), /'body' is not a valid template: unexpected end of template/);
    assert.match(await problemOf({ type: 'call-webhook', block_document_id: UNKNOWN, payload: { a: '{% zz %}' } }), /'payload' is not a valid template: Encountered unknown tag 'zz'/);
    assert.match(await problemOf({ ...selected, parameters: { a: { b: '{{ x' } } }), /a\.b: Invalid jinja/);
    assert.match(await problemOf({ ...selected, parameters: { a: { __prefect_kind: 'jinja' } } }), /'template'/);
    await api.expect(201, 'POST', '/automations/', automation('x', { actions: [{ ...selected, parameters: { a: '{{ x }}', b: ['{{ x'] } }] }));
  });
});
