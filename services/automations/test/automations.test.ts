import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Registry } from 'prom-client';
import { claimActions, postponeAction } from '@praetor/automations/actions/queue';
import { ActionWorker } from '@praetor/automations/actions/worker';
import { AutomationSet } from '@praetor/automations/automation-set';
import { type Committed, findLostFollowers, handleEvents } from '@praetor/automations/handle-events';
import { lookAtTriggers, readEventsClock } from '@praetor/automations/look';
import { createMetrics } from '@praetor/automations/metrics';
import { sweep } from '@praetor/automations/sweep';
import type { ReceivedEvent } from '@praetor/schema/event';
import { addSeconds, now } from '@praetor/schema/timestamps';
import { createBroker } from '@praetor/streams/create-broker';
import { createTestContext } from '@praetor/test/support/context';
import { type TestDatabase, createTestDatabase, isPostgresReachable, openDatabase } from '@praetor/test/support/database';
import { makeEvent } from '@praetor/test/support/events';
import { makeTrigger, storeAutomation } from './support.ts';

const skip = (await isPostgresReachable()) ? false : 'needs Postgres';
const START = addSeconds(now(), -5);

const happen = (event: string, seconds = 0, fields: Partial<ReceivedEvent> = {}): ReceivedEvent => {
  const occurred = addSeconds(START, seconds);
  return { ...makeEvent({ event, occurred, ...fields }), received: fields.received ?? occurred };
};

describe('the evaluation of events', { skip }, () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(async () => {
    await database[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await database.sql`truncate automation, praetor.outbox, praetor.automation_seen_event, automation_event_follower, praetor.automation_action cascade`;
  });

  const createSet = (sql = database.sql) => new AutomationSet(sql, (id, error) => assert.fail(`${id}: ${String(error)}`));
  const ignore = (_committed: Committed) => {};

  async function handle(...events: ReceivedEvent[]): Promise<void> {
    await handleEvents(database, createSet(), events, ignore);
  }

  async function countFirings(): Promise<number> {
    const [row] = await database.sql<{ count: number }[]>`select count(*) from praetor.outbox where body ->> 'event' = 'prefect.automation.triggered'`;
    return row?.count ?? 0;
  }

  test('an automation fires once for an event that comes often', async () => {
    const id = await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'], for_each: ['prefect.resource.id'] }), actions: [{ type: 'do-nothing' }, { type: 'do-nothing' }], actionsOnTrigger: [{ type: 'do-nothing' }] });
    const event = happen('x', 0, { payload: { n: 1.5 } });
    await handle(event, event);
    await handle(event);
    const told = await database.sql<{ body: ReceivedEvent }[]>`select body from praetor.outbox`;
    assert.equal(told.length, 1);
    const body = told[0]?.body;
    assert.deepEqual([body?.event, body?.follows], ['prefect.automation.triggered', null]);
    assert.deepEqual(body?.resource, { 'prefect.resource.id': `prefect.automation.${id}`, 'prefect.resource.name': 'watch', 'prefect.posture': 'Reactive' });
    assert.deepEqual(body?.related, [{ 'prefect.resource.id': `prefect.event.${event.id}`, 'prefect.resource.role': 'triggering-event' }]);
    assert.deepEqual(body?.payload, { triggering_labels: { 'prefect.resource.id': 'test.thing' }, triggering_event: event });
    const actions = await database.sql<{ index: number; cause: string }[]>`
      select (body ->> 'action_index')::integer as index, body -> 'triggering_event' ->> 'event' as cause from praetor.automation_action order by 1`;
    assert.deepEqual(actions.map(({ index, cause }) => [index, cause]), [[0, 'x'], [1, 'x'], [2, 'prefect.automation.triggered']]);
  });

  test('an action that ended every process which tried it is given up', async () => {
    await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'] }), actions: [{ type: 'do-nothing' }, { type: 'do-nothing' }] });
    await handle(happen('x'));
    await database.sql`update praetor.automation_action set attempts = 6 where body ->> 'action_index' = '0'`;
    await using broker = createBroker({ saveDeadLetter: async () => {}, onError: () => {} });
    const performed: number[] = [];
    const finished = new Map<number, string>();
    const stop = new AbortController();
    const worker = new ActionWorker({
      context: createTestContext(database, broker),
      perform: async ({ action_index: index }) => {
        performed.push(index);
        return {};
      },
      onFinished: ({ action_index: index }, result) => {
        finished.set(index, result);
        if (finished.size === 2) stop.abort();
      },
      onRetry: () => assert.fail('tried again'),
      onProgress: () => {},
    });
    await worker.run(stop.signal);
    assert.deepEqual([performed, [...finished].toSorted()], [[1], [[0, 'failed'], [1, 'executed']]]);
  });

  test('an attempt that comes to its end late does not put off the next one', async () => {
    await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'] }) });
    await handle(happen('x'));
    const [late] = await claimActions(database.sql, 1, 0);
    const [next] = await claimActions(database.sql, 1, 60);
    assert.ok(late && next);
    await postponeAction(database.sql, late, 0);
    assert.deepEqual(await claimActions(database.sql, 1, 60), []);
    await postponeAction(database.sql, next, 0);
    assert.equal((await claimActions(database.sql, 1, 60)).length, 1);
  });

  test('counts are kept between batches, for each key', async () => {
    await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'], threshold: 2, for_each: ['prefect.resource.id'] }) });
    const about = (id: string) => ({ resource: { 'prefect.resource.id': id } });
    await handle(happen('x', 0, about('a')), happen('x', 1, about('b')));
    assert.equal(await countFirings(), 0);
    await handle(happen('x', 2, about('a')), happen('y', 3, about('b')));
    assert.equal(await countFirings(), 1);
    await handle(happen('x', 4, about('a')), happen('x', 5, about('b')));
    assert.equal(await countFirings(), 2);
  });

  test('a change of the automations counts from the next event on', async () => {
    const set = createSet();
    const fire = async () => {
      await handleEvents(database, set, [happen('x')], ignore);
      return await countFirings();
    };
    const id = await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'] }) });
    assert.equal(await fire(), 1);
    await database.sql`update automation set enabled = false, updated = clock_timestamp() where id = ${id}::uuid`;
    assert.equal(await fire(), 1);
    await database.sql`update automation set enabled = true, updated = clock_timestamp() where id = ${id}::uuid`;
    assert.equal(await fire(), 2);
    await database.sql`delete from automation where id = ${id}::uuid`;
    assert.equal(await fire(), 2);
    await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'] }) });
    assert.equal(await fire(), 3);
  });

  test('a sequence within a compound fires through both', async () => {
    const leaf = (name: string) => makeTrigger({ expect: [name] });
    await storeAutomation(database.sql, {
      trigger: {
        type: 'compound',
        id: randomUUID(),
        require: 'all',
        within: null,
        triggers: [{ type: 'sequence', id: randomUUID(), within: null, triggers: [leaf('a'), leaf('b')] }, leaf('c')],
      },
    });
    await handle(happen('b'), happen('c'));
    await handle(happen('a'));
    assert.equal(await countFirings(), 0);
    const last = happen('b');
    await handle(last);
    const [action] = await database.sql<{ body: { firing: { triggering_event: ReceivedEvent; triggering_firings: { trigger: { type: string }; triggering_firings: unknown[] }[] } } }[]>`select body from praetor.automation_action`;
    const firing = action?.body.firing;
    assert.equal(firing?.triggering_event.id, last.id);
    assert.deepEqual(firing?.triggering_firings.map(({ trigger, triggering_firings }) => [trigger.type, triggering_firings.length]), [['event', 0], ['sequence', 2]]);
    assert.equal((await database.sql`select from composite_trigger_child_firing`).length, 0);
  });

  test('a follower waits for its leader, through any number of others', async () => {
    const sequence = ['a', 'b', 'c'].map((name) => makeTrigger({ expect: [name] }));
    await storeAutomation(database.sql, { trigger: { type: 'sequence', id: randomUUID(), within: null, triggers: sequence } });
    const a = happen('a', 0);
    const b = happen('b', 1, { follows: a.id });
    const c = happen('c', 2, { follows: b.id });
    await handle(c);
    await handle(b, c);
    assert.equal((await database.sql`select from automation_event_follower`).length, 2);
    await handle(a);
    assert.equal(await countFirings(), 1);
    await handle(c, b, a);
    assert.equal(await countFirings(), 1);
    assert.equal((await database.sql`select from automation_event_follower`).length, 0);
  });

  test('a follower whose leader never comes is evaluated in the end', async () => {
    await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'] }) });
    await handle(happen('x', 0, { follows: randomUUID() }));
    assert.deepEqual(await findLostFollowers(database.sql, 900), []);
    await database.sql`update automation_event_follower set received = received - interval '901 s'`;
    const lost = await findLostFollowers(database.sql, 900);
    await handleEvents(database, createSet(), lost, ignore, new Set(lost.map(({ id }) => id)));
    assert.equal(await countFirings(), 1);
    assert.equal((await database.sql`select from automation_event_follower`).length, 0);
  });

  test('nothing waits for a state that has no event', async () => {
    await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'] }) });
    const state = randomUUID();
    await database.sql`insert into flow (name) values ('f') on conflict do nothing`;
    await database.sql`with run as (insert into flow_run (name, flow_id) select 'r', id from flow returning id)
      insert into flow_run_state (id, flow_run_id, type, name, timestamp) select ${state}::uuid, id, 'SCHEDULED', 'Scheduled', now() from run`;
    await handle(happen('x', 0, { follows: state }));
    assert.equal(await countFirings(), 1);
  });

  test('nothing waits for what came before the first automation, of which nobody took note', async () => {
    assert.equal(await createSet().isEmpty(), true);
    await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'] }), enabled: false });
    assert.equal(await createSet().isEmpty(), false);
    await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'] }) });
    const [before, since] = [randomUUID(), randomUUID()];
    for (const [id, seconds] of [[before, -1], [since, 1]] as const)
      await database.sql`
        insert into events (id, occurred, event, resource_id, resource, related, payload, received, recorded)
        select ${id}::uuid, now(), 'y', 'r', '{}', '[]', '{}', min(created) + make_interval(secs => ${seconds}), now() from automation`;
    await handle(happen('x', 0, { follows: since }));
    assert.equal(await countFirings(), 0);
    await handle(happen('x', 0, { follows: before }));
    assert.equal(await countFirings(), 1);
  });

  test('two replicas with the same events, shuffled and repeated, fire as often as one', async () => {
    await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'], threshold: 7 }) });
    await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'], threshold: 3, for_each: ['prefect.resource.id'] }) });
    await storeAutomation(database.sql, { trigger: { type: 'compound', id: randomUUID(), require: 'any', within: null, triggers: [makeTrigger({ expect: ['x'], threshold: 2 }), makeTrigger({ expect: ['y'] })] } });
    const events = Array.from({ length: 420 }, (_, index) => happen(index % 10 === 0 ? 'y' : 'x', index / 1000, { resource: { 'prefect.resource.id': `r${index % 7}` } }));
    const followers = events.map((leader, index) => happen('x', index / 1000, { follows: leader.id, resource: { 'prefect.resource.id': `r${index % 7}` } }));
    const shuffled = [...events, ...followers, ...events, ...followers].sort(() => Math.random() - 0.5);
    const replicas = Array.from({ length: 3 }, () => openDatabase(database.url));
    await Promise.all(
      replicas.map(async (replica, number) => {
        const set = createSet(replica.sql);
        const share = shuffled.filter((_, index) => index % replicas.length === number);
        for (let first = 0; first < share.length; first += 25) await handleEvents(replica, set, share.slice(first, first + 25), ignore);
        await replica[Symbol.asyncDispose]();
      }),
    );
    const count = (name: string) => [...events, ...followers].filter(({ event }) => event === name).length;
    const perKey = Map.groupBy([...events, ...followers].filter(({ event }) => event === 'x'), ({ resource }) => resource['prefect.resource.id']);
    const expected = Math.floor(count('x') / 7) + [...perKey.values()].reduce((sum, some) => sum + Math.floor(some.length / 3), 0) + Math.floor(count('x') / 2) + count('y');
    assert.equal(await countFirings(), expected);
    assert.equal((await database.sql`select from automation_event_follower`).length, 0);
  });

  describe('looks', () => {
    const look = async (asOf: string) => lookAtTriggers(database, createSet(), async () => asOf, ignore, new AbortController().signal);
    const later = (seconds: number) => addSeconds(START, seconds);
    const makeDue = () => database.sql`update praetor.automation_look set due = now()`;

    test('absence is found once, by any number of replicas', async () => {
      await storeAutomation(database.sql, { trigger: makeTrigger({ posture: 'Proactive', after: ['a'], expect: ['b'], for_each: ['prefect.resource.id'], within: 12 }) });
      const about = (id: string) => ({ resource: { 'prefect.resource.id': id } });
      await handle(happen('a', 0, about('1')), happen('b', 1, about('2')), happen('a', 0.5, about('2')), happen('a', 0, about('3')));
      await look(later(11));
      await makeDue();
      assert.equal(await countFirings(), 0);
      await Promise.all([look(later(13)), look(later(13)), look(later(13))]);
      assert.equal(await countFirings(), 2);
      assert.equal((await database.sql`select from automation_bucket`).length, 0);
    });

    test('a trigger without for_each counts from the first look', async () => {
      await storeAutomation(database.sql, { trigger: makeTrigger({ posture: 'Proactive', expect: ['a'], within: 600 }) });
      await look(later(0));
      await look(later(600));
      assert.equal(await countFirings(), 0, 'not due before its time');
      await makeDue();
      await look(later(600));
      assert.equal(await countFirings(), 1);
      await makeDue();
      await look(later(1500));
      assert.equal(await countFirings(), 2);
    });

    test('the clock of events stands still while they are late', async () => {
      await handle(happen('x', -40), happen('x', -60));
      const late = (Date.now() - Date.parse(await readEventsClock(database.sql, 0))) / 1000;
      assert.ok(late > 40 && late < 60, String(late));
      const waiting = (Date.now() - Date.parse(await readEventsClock(database.sql, 100))) / 1000;
      assert.ok(waiting >= 99, String(waiting));
    });

    test('what is over is swept, once nothing comes late', async () => {
      await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'], threshold: 3 }) });
      await handle(happen('x', 0));
      const isSwept = async (asOf: number) => {
        await sweep(database.sql, { readClock: async () => later(asOf), bufferSeconds: 60, findExceptions: async () => [] });
        return (await database.sql`select from automation_bucket`).length === 0;
      };
      await database.sql`update praetor.automation_seen_event set seen = occurred`;
      assert.equal(await isSwept(59), false);
      await database.sql`update praetor.automation_seen_event set occurred = seen - interval '100 seconds'`;
      assert.equal(await isSwept(159), false);
      await database.sql`update praetor.automation_seen_event set seen = seen - interval '61 seconds', occurred = occurred - interval '61 seconds'`;
      assert.equal(await isSwept(60), true);
    });
  });

  test('the queue of actions is measured at each scrape', async () => {
    const registry = new Registry();
    createMetrics(registry, database.sql);
    const waiting = async () => /^praetor_automation_actions_waiting (\d+)$/m.exec(await registry.metrics())?.[1];
    assert.equal(await waiting(), '0');
    await storeAutomation(database.sql, { trigger: makeTrigger({ expect: ['x'] }), actions: [{ type: 'do-nothing' }, { type: 'do-nothing' }] });
    await handle(happen('x'));
    assert.equal(await waiting(), '2');
  });
});
