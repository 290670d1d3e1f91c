import type { Sequences } from '../twin-client.ts';

const event = { type: 'event', posture: 'Reactive', expect: ['zz.happened'] };
const proactive = { type: 'event', posture: 'Proactive' };
const nothing = { type: 'do-nothing' };

const ACTIONS = [
  'do-nothing',
  'run-deployment',
  'pause-deployment',
  'resume-deployment',
  'cancel-flow-run',
  'delete-flow-run',
  'change-flow-run-state',
  'pause-work-queue',
  'resume-work-queue',
  'send-notification',
  'call-webhook',
  'pause-automation',
  'resume-automation',
  'suspend-flow-run',
  'resume-flow-run',
  'pause-work-pool',
  'resume-work-pool',
  'declare-incident',
];

/** Values that are not what anything here takes. */
const ODD = [null, true, 0, -1, 1.5, '', 'x', [], {}];

export const automations: Sequences = {
  'create, read, replace, switch, delete': async (api) => {
    const name = api.name();
    const created = await api.post('/automations/', { name, trigger: event, actions: [nothing], description: 'd', tags: ['a'], actions_on_resolve: [nothing] });
    const path = `/automations/${created.id}`;
    await api.eachPath('GET', [path, `/automations/${api.id()}`, '/automations/no-uuid']);
    await api.each('PUT', path, [
      { name, trigger: proactive, actions: [] },
      { name, trigger: event, actions: [nothing], enabled: false, tags: [] },
      { name, trigger: { ...event, id: api.id() }, actions: [nothing] },
      { name, trigger: event },
      { name, trigger: event, actions: [], id: created.id },
      { name, trigger: event, actions: [], owner_resource: 'x' },
      {},
      [],
      undefined,
    ]);
    await api.get(path);
    for (const body of [{ enabled: true }, { enabled: false }, { enabled: 'yes' }, { enabled: 0 }, {}]) {
      await api.patch(path, body);
      await api.get(path);
    }
    await api.each('PATCH', path, [{ enabled: null }, { enabled: 'maybe' }, { name }, [], undefined, 'null', '{']);
    await api.patch(`/automations/${api.id()}`, { enabled: true });
    await api.put(`/automations/${api.id()}`, { name, trigger: event, actions: [] });
    await api.eachPath('DELETE', [path, path, '/automations/no-uuid']);
  },

  'what an automation may be': async (api) => {
    const owner = `zz.${api.name()}`;
    const good = () => ({ name: api.name(), trigger: event, actions: [nothing], enabled: false, owner_resource: owner });
    await api.each('POST', '/automations/', [{}, [], null, undefined, '', '{', ...['name', 'trigger', 'actions'].map((field) => ({ ...good(), [field]: undefined }))]);
    for (const field of ['name', 'description', 'enabled', 'tags', 'trigger', 'actions', 'actions_on_trigger', 'actions_on_resolve', 'owner_resource', 'id', 'unknown'])
      await api.each('POST', '/automations/', ODD.map((value) => ({ ...good(), [field]: value })));
    await api.each('POST', '/automations/', [{ ...good(), tags: ['a', 'a'] }, { ...good(), tags: [1] }, { ...good(), actions: ['x'] }, { ...good(), actions: [null, nothing] }]);
    await api.delete(`/automations/owned-by/${owner}`);
  },

  'event triggers': async (api) => {
    const owner = `zz.${api.name()}`;
    const create = (trigger: object) => ({ name: api.name(), trigger, actions: [], enabled: false, owner_resource: owner });
    const withins = [...ODD, 5, 10, 9.99, 'PT30S', '00:00:20', 'P1D', '30', '1 day', 'P1M', '1:00', 1e20];
    await api.each('POST', '/automations/', withins.map((within) => create({ type: 'event', posture: 'Reactive', within })));
    // The real server prints `true` as 1.0 here, because it changes what it then shows as the input.
    await api.each('POST', '/automations/', withins.filter((within) => within !== true).map((within) => create({ type: 'event', posture: 'Proactive', within })));
    for (const field of ['type', 'id', 'match', 'match_related', 'after', 'expect', 'for_each', 'posture', 'threshold', 'unknown'])
      await api.each('POST', '/automations/', ODD.map((value) => create({ ...event, [field]: value })));
    const labels = [{ a: 'b', c: ['d', 'e'], f: [] }, { a: 1 }, { a: [1] }, { a: null }, { a: {} }];
    await api.each('POST', '/automations/', labels.map((match) => create({ ...event, match })));
    await api.each('POST', '/automations/', [...labels, labels.slice(0, 1), [{}], ['x'], [[]]].map((match_related) => create({ ...event, match_related })));
    await api.each('POST', '/automations/', [{ expect: ['a'], after: ['b'], for_each: ['c'] }, { expect: [1] }, { threshold: '3' }, { threshold: 3.0 }, { posture: 'Metric' }, { type: 'metric' }].map((change) => create({ ...event, ...change })));
    await api.delete(`/automations/owned-by/${owner}`);
  },

  'compound and sequence triggers': async (api) => {
    const owner = `zz.${api.name()}`;
    const create = (trigger: object) => ({ name: api.name(), trigger, actions: [], enabled: false, owner_resource: owner });
    const compound = { type: 'compound', triggers: [event, { type: 'event', posture: 'Reactive' }], within: 60, require: 'any' };
    const sequence = { type: 'sequence', triggers: [event], within: 60 };
    for (const trigger of [compound, sequence])
      for (const field of ['triggers', 'within', 'require']) {
        await api.post('/automations/', create({ ...trigger, [field]: undefined }));
        await api.each('POST', '/automations/', ODD.map((value) => create({ ...trigger, [field]: value })));
      }
    await api.each('POST', '/automations/', ['all', 1, 2, 3, '1'].map((require) => create({ ...compound, require })));
    await api.each('POST', '/automations/', [
      create(compound),
      create(sequence),
      create({ ...sequence, triggers: [compound, event] }),
      create({ ...compound, triggers: [sequence, compound], require: 2 }),
      create({ ...compound, triggers: [{ ...compound, require: 5 }] }),
      create({ triggers: [], within: null, require: 'any' }),
      create({ triggers: [], within: null }),
    ]);
    await api.delete(`/automations/owned-by/${owner}`);
  },

  'every kind of action': async (api) => {
    const owner = `zz.${api.name()}`;
    const create = (action: unknown) => ({ name: api.name(), trigger: event, actions: [action], enabled: false, owner_resource: owner });
    const id = api.id();
    await api.each('POST', '/automations/', ODD.map(create));
    for (const type of ACTIONS) {
      await api.each('POST', '/automations/', [{ type }, { type, source: 'inferred' }, { type, source: 'zz' }].map(create));
      for (const kind of ['deployment', 'work_queue', 'work_pool', 'automation', 'block_document'])
        await api.each('POST', '/automations/', [{ type, [`${kind}_id`]: id }, { type, source: 'inferred', [`${kind}_id`]: id }, { type, [`${kind}_id`]: null }].map(create));
    }
    await api.each('POST', '/automations/', [{ deployment_id: id }, { source: 'inferred' }, { work_pool_id: id }, { block_document_id: id }, { block_document_id: id, body: 'x' }, { state: 'FAILED' }, { unknown: 1 }].map(create));
    const run = { type: 'run-deployment', deployment_id: id };
    await api.each('POST', '/automations/', [...ODD, 5, 'PT5S', '5'].map((schedule_after) => create({ ...run, schedule_after })));
    await api.each('POST', '/automations/', [null, {}, [], 'x', { a: 1 }].map((job_variables) => create({ ...run, job_variables })));
    const state = { type: 'change-flow-run-state', state: 'FAILED' };
    await api.each('POST', '/automations/', [{ state: 'failed' }, { state: null }, { name: 1 }, { name: null, message: 'x', force: 'yes' }, { force: 'x' }].map((change) => create({ ...state, ...change })));
    await api.delete(`/automations/owned-by/${owner}`);
  },

  'templates in actions': async (api) => {
    const owner = `zz.${api.name()}`;
    const create = (action: object) => ({ name: api.name(), trigger: event, actions: [action], enabled: false, owner_resource: owner });
    const templates = ['', 'x', '{{ x }}', '{{ x', '{% for x in y %}', '{{ x | unknown }}', '{% unknown %}', ...ODD];
    const notify = { type: 'send-notification', block_document_id: api.id(), body: 'b' };
    await api.each('POST', '/automations/', templates.map((body) => create({ ...notify, body })));
    await api.each('POST', '/automations/', templates.map((subject) => create({ ...notify, subject })));
    await api.each('POST', '/automations/', [...templates, { message: 'm', n: [1, 'é'] }].map((payload) => create({ type: 'call-webhook', block_document_id: api.id(), payload })));
    const jinja = (template: unknown) => ({ __prefect_kind: 'jinja', template });
    const parameters = [
      ...ODD,
      { a: 1, b: [1.5, null], c: { d: true } },
      { a: '{{ x }}' },
      { a: '{{ x' },
      { a: ['{{ x'] },
      { a: jinja('{{ x }}') },
      { a: jinja('{{ x') },
      { a: { b: jinja('{{') } },
      { a: [jinja('{{')] },
      { a: { __prefect_kind: 'jinja' } },
      { a: { __prefect_kind: 'json' } },
      { a: { __prefect_kind: 'json', value: '{' } },
      { a: { __prefect_kind: 'json', value: jinja('{{') } },
      { a: { __prefect_kind: 'none' } },
      { a: { __prefect_kind: 'workspace_variable' } },
      { a: { __prefect_kind: 'unknown' } },
      jinja('{{'),
    ];
    await api.each('POST', '/automations/', parameters.map((given) => create({ type: 'run-deployment', deployment_id: api.id(), parameters: given })));
    await api.delete(`/automations/owned-by/${owner}`);
  },

  'loops that would never end': async (api) => {
    const running = { ...event, expect: ['prefect.flow-run.Running'] };
    const inferred = { type: 'run-deployment', source: 'inferred' };
    const selected = { type: 'run-deployment', deployment_id: api.id() };
    const every = { 'prefect.resource.id': 'prefect.flow-run.*' };
    const create = (trigger: object, action: object, enabled = true) => ({ name: api.name(), trigger, actions: [action], enabled });
    const cases = [create(running, inferred), create(running, selected), create({ ...running, match: every }, selected), create({ ...running, match_related: [{}, { x: 'y' }] }, selected), create({ ...running, match: { 'prefect.resource.id': ['a', 'prefect.flow-run.*'] } }, selected)];
    await api.each('POST', '/automations/', cases);
    const { id } = await api.post('/automations/', create(running, inferred, false));
    await api.each('PATCH', `/automations/${id}`, [{ enabled: true }, {}, { enabled: false }]);
    await api.put(`/automations/${id}`, create(running, inferred));
    await api.get(`/automations/${id}`);
    await api.delete(`/automations/${id}`);
    // These are allowed, and must not stay: they would watch every flow run of the server.
    for (const match of [{ ...every, a: 'zz' }, { 'prefect.resource.id': 'zz' }]) {
      const created = await api.post('/automations/', create({ ...running, match }, selected));
      await api.delete(`/automations/${created.id}`);
    }
  },

  'related and owned': async (api) => {
    const [deployment, owner] = [api.id(), `zz.${api.name()}`];
    const run = { type: 'run-deployment', deployment_id: deployment };
    const create = (changes: object) => ({ name: api.name(), trigger: event, actions: [nothing], enabled: false, ...changes });
    const runs = await api.post('/automations/', create({ actions: [run, run, { type: 'pause-deployment', deployment_id: api.id() }] }));
    const owned = await api.post('/automations/', create({ owner_resource: owner }));
    const related = [`/automations/related-to/prefect.deployment.${deployment}`, `/automations/related-to/${owner}`, `/automations/related-to/zz.${api.name()}`];
    await api.eachPath('GET', related);
    await api.put(`/automations/${runs.id}`, create({}));
    await api.put(`/automations/${owned.id}`, create({ actions: [run] }));
    await api.eachPath('GET', related);
    await api.eachPath('DELETE', [`/automations/owned-by/prefect.deployment.${deployment}`, `/automations/owned-by/${owner}`, `/automations/owned-by/${owner}`]);
    await api.eachPath('GET', related);
    await api.eachPath('GET', [`/automations/${owned.id}`, `/automations/${runs.id}`, '/automations/', '/automations', '/automations/filter', '/automations/related-to/', '/automations/owned-by/x']);
  },

  'filter, sort, page, count': async (api) => {
    const [tag, other] = [api.name(), api.name()];
    const names = ['a', 'b', 'c'].map((letter) => `${tag}-${letter}`);
    for (const [index, name] of names.entries()) await api.post('/automations/', { name, trigger: event, actions: [], enabled: false, tags: index === 1 ? [tag, other] : [tag] });
    const own = { tags: { all_: [tag] } };
    const [first, second] = await api.post('/automations/filter', { automations: own });
    for (const sort of ['CREATED_DESC', 'UPDATED_DESC', 'NAME_DESC', 'NAME_ASC', 'ID_DESC', null, 1]) await api.post('/automations/filter', { automations: own, sort });
    for (const page of [{ limit: 2 }, { limit: 0 }, { limit: 201 }, { limit: -1 }, { limit: 'x' }, { offset: 1 }, { offset: -1 }, { offset: null }]) await api.post('/automations/filter', { automations: own, ...page });
    const filters = [
      { id: { any_: [first.id, api.id()] } },
      { id: { any_: [] } },
      { id: { any_: ['x'] } },
      { id: null },
      { name: { any_: [second.name] } },
      { name: { like_: 'x' } },
      { created: { before_: '2020-01-01T00:00:00Z' } },
      { created: { before_: '2100-01-01T00:00:00Z' } },
      { created: { after_: '2020-01-01T00:00:00Z' } },
      { tags: { all_: [tag], any_: [other] } },
      { tags: { all_: [tag], any_: [] } },
      { tags: { all_: [tag], operator: 'or_', any_: [other] } },
      { tags: { is_null_: true }, name: { any_: [first.name] } },
      { operator: 'or_', id: { any_: [first.id] }, name: { any_: [second.name] } },
      { operator: 'xor_' },
      { unknown: 1 },
    ].map((filter) => ({ ...own, ...filter }));
    for (const path of ['/automations/filter', '/automations/count']) await api.each('POST', path, [...filters.map((automations) => ({ automations })), { automations: [] }, { automations: 'x' }, [], '{']);
  },

  'are told of in events': async (api) => {
    const name = api.name();
    const created = await api.post('/automations/', { name, trigger: event, actions: [], enabled: false });
    await api.patch(`/automations/${created.id}`, { enabled: false });
    await api.delete(`/automations/${created.id}`);
    const filter = { resource: { id: [`prefect.automation.${created.id}`] }, order: 'ASC' };
    await api.eventually((events) => events.total === 3, 'POST', '/events/filter', { filter });
  },

  'templates': async (api) => {
    const loop = '{% for a in b %}';
    const templates = ['', '{{ x }}', '{{ x', '\n\n{{ a b }}', 'a\n{% if %}', '{% endfor %}', '{# x', '{% raw %}', '{{ "x', '{{ a ? b }}', '{{ (a }}', '{% include "x" %}', '{{ x | unknown }}', `${loop}{% endfor %}`.repeat(11), loop.repeat(3) + '{% endfor %}'.repeat(3)];
    const allowed = ['{{ x.y.z | default(1) }}', '{% set x = 1 %}{{ x }}', '{{ range(1000) }}', '{{ 1 / 0 }}', '{{ x() }}', '{{ x[0] }}', '{% macro a() %}{% endmacro %}', '{{ flow_run|ui_url }}'];
    await api.each('POST', '/automations/templates/validate', allowed.map((template) => JSON.stringify(template)));
    for (const path of ['/templates/validate', '/automations/templates/validate']) await api.each('POST', path, [...templates.map((template) => JSON.stringify(template)), undefined, 'null', 5, [], {}, '{{']);
  },
};
