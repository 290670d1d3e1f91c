import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Broker, BrokerUnavailableError, type ConsumeOptions } from '@praetor/streams/broker';
import { RedisBroker, type RedisBrokerOptions } from '@praetor/streams/redis';
import { groupsOf } from '@praetor/streams/topics';
import { until } from '@praetor/test/support/poll';
import { RedisServer, isRedisServerInstalled } from '@praetor/test/support/redis-server';

/* What only Redis can do wrong: restarts, lost data, dead consumers, streams that grow. On a server of its own. */

const skip = (await isRedisServerInstalled()) ? false : 'needs redis-server';

describe('the broker over Redis', { skip }, () => {
  const KEY = 'test:events';
  let server: RedisServer;
  let redis: Redis;

  before(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    redis.on('error', () => {});
  });
  beforeEach(() => redis.flushall());
  after(async () => {
    redis.disconnect();
    await server[Symbol.asyncDispose]();
  });

  function openBroker(options: Partial<RedisBrokerOptions> = {}): RedisBroker {
    return new RedisBroker({ url: server.url, keyPrefix: 'test', saveDeadLetter: async () => {}, onError: () => {}, claimAfterMs: 500, ...options });
  }

  /** Consumes until disposed of; gives the data that was handled. */
  function consume(broker: Broker, options: Partial<ConsumeOptions> = {}) {
    const controller = new AbortController();
    const handled: string[] = [];
    const running = broker.consume({
      topic: 'events',
      group: 'event-persister',
      batchSize: 50,
      maxAttempts: 3,
      isOutage: () => false,
      signal: controller.signal,
      handle: async (messages) => void handled.push(...messages.map((message) => message.data)),
      ...options,
    });
    return {
      handled,
      async [Symbol.asyncDispose]() {
        controller.abort();
        await running;
      },
    };
  }

  const numbers = (count: number, prefix = '') => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

  test('what is published at the same time is written together, each message once and in its order', async () => {
    await using broker = openBroker();
    await using consumer = consume(broker);
    await Promise.all(numbers(100, 'p').map((prefix) => broker.publish('events', numbers(3, `${prefix}-`))));
    await until('all messages', async () => consumer.handled.length >= 300);
    assert.deepEqual(consumer.handled, numbers(100, 'p').flatMap((prefix) => numbers(3, `${prefix}-`)));
  });

  test('Redis is killed and restarted: consumers, publishers and tails go on by themselves, nothing acknowledged is lost', async () => {
    await using broker = openBroker();
    await using first = consume(broker);
    await using second = consume(broker);
    const tailed: string[] = [];
    const stop = new AbortController();
    const tail = broker.tail('events', (data) => void tailed.push(data), stop.signal);
    await broker.publish('events', numbers(100, 'a'));
    await until('the first messages', async () => first.handled.length + second.handled.length >= 100);

    const accepted = numbers(100, 'a');
    const publishing = (async () => {
      for (let index = 0; index < 300; index++) {
        const batch = numbers(10, `b${index}-`);
        await until('it is accepted', () => broker.publish('events', batch).then(() => true, () => false));
        accepted.push(...batch);
      }
    })();
    await server.kill();
    await until('readiness tells', async () => !broker.isReady());
    await assert.rejects(broker.publish('events', ['x']), BrokerUnavailableError);
    await server.restart();
    await publishing;
    const all = () => new Set([...first.handled, ...second.handled]);
    await until('everything accepted is handled', async () => accepted.every((data) => all().has(data)));
    await until('the tail has the end', async () => tailed.includes(accepted.at(-1) ?? ''));
    assert.ok(broker.isReady());
    assert.ok(broker.counters.reconnections > 0);
    stop.abort();
    await tail;
  });

  test('all of Redis is lost: groups are created again and get what comes then', async () => {
    await using broker = openBroker();
    await using consumer = consume(broker);
    await broker.publish('events', ['before']);
    await until('the first', async () => consumer.handled.includes('before'));
    await redis.flushall();
    await broker.publish('events', ['after']);
    await until('the second', async () => consumer.handled.includes('after'));
  });

  test('a message published before any group existed reaches every group', async () => {
    await using broker = openBroker();
    await broker.publish('events', ['early']);
    await using persister = consume(broker);
    await using recorder = consume(broker, { group: 'task-run-recorder' });
    await until('both have it', async () => persister.handled.includes('early') && recorder.handled.includes('early'));
  });

  /** Reads as a consumer that dies with what it was given. */
  async function readAndDie(count: number): Promise<void> {
    await redis.xgroup('CREATE', KEY, 'event-persister', '0', 'MKSTREAM').catch(() => {});
    await redis.xreadgroup('GROUP', 'event-persister', 'dead', 'COUNT', count, 'STREAMS', KEY, '>');
  }

  test('entries of a dead consumer are claimed, counted as delivered before', async () => {
    await using broker = openBroker();
    await broker.publish('events', numbers(20));
    await readAndDie(10);
    const attempts: number[] = [];
    await using consumer = consume(broker, { handle: async (messages) => void attempts.push(...messages.map((message) => message.attempts)) });
    await until('all are handled', async () => attempts.length === 20);
    assert.deepEqual(attempts.toSorted(), [...Array(10).fill(0), ...Array(10).fill(1)]);
    assert.ok(consumer);
  });

  test('what is done is not claimed once more before the group knows of it', async () => {
    await using broker = openBroker({ claimAfterMs: 40 });
    await using consumer = consume(broker);
    for (const data of numbers(40)) {
      await broker.publish('events', [data]);
      await sleep(20);
    }
    await until('all messages', async () => consumer.handled.length >= 40);
    await sleep(300);
    assert.deepEqual(consumer.handled, numbers(40));
  });

  test('a slow consumer that lives keeps its entries', async () => {
    await using broker = openBroker({ claimAfterMs: 2500 });
    await broker.publish('events', ['slow']);
    let calls = 0;
    const handle = async () => {
      calls++;
      await new Promise((resolve) => setTimeout(resolve, 5000));
    };
    await using first = consume(broker, { handle });
    await using second = consume(broker, { handle });
    await until('it is acknowledged', async () => calls > 0 && (await broker.lag())[0]?.pending === 0 && (await broker.lag())[0]?.lag === 0);
    assert.equal(calls, 1);
    assert.ok(first && second);
  });

  test('entries that vanished while pending are counted as lost', async () => {
    await using broker = openBroker();
    await broker.publish('events', numbers(3));
    await readAndDie(3);
    await redis.xtrim(KEY, 'MAXLEN', 1);
    await using consumer = consume(broker);
    await until('the remaining one', async () => consumer.handled.length === 1);
    assert.equal(broker.counters.lost, 2);
  });

  test('trimming removes what every group has done and nothing that a slow one needs', async () => {
    await using broker = openBroker();
    await broker.publish('events', numbers(100));
    // Tails are given ten seconds; here the entries are made older than that.
    const old = async () => {
      await redis.eval(
        `local entries = redis.call('XRANGE', KEYS[1], '-', '+'); redis.call('DEL', KEYS[1]);
         for i, entry in ipairs(entries) do redis.call('XADD', KEYS[1], '1000-' .. i, 'data', entry[2][2]) end`,
        1,
        KEY,
      );
    };
    await old();
    await using consumers = new AsyncDisposableStack();
    const others = groupsOf('events').filter((group) => group !== 'task-run-recorder').map((group) => consumers.use(consume(broker, { group })));
    await until('the other groups have all', async () => others.every(({ handled }) => handled.length === 100));
    await broker.trim('events');
    assert.equal(await redis.xlen(KEY), 100, 'the slow group has not even begun');
    // It takes 30 and acknowledges 20 of them.
    const read = await redis.xreadgroup('GROUP', 'task-run-recorder', 'c', 'COUNT', 30, 'STREAMS', KEY, '>');
    await redis.xack(KEY, 'task-run-recorder', ...(read?.[0]?.[1] ?? []).slice(0, 20).map(([id]) => id));
    await broker.trim('events');
    assert.equal(await redis.xlen(KEY), 80);
    const lag = (await broker.lag()).find(({ group }) => group === 'task-run-recorder');
    assert.deepEqual({ lag: lag?.lag, pending: lag?.pending }, { lag: 70, pending: 10 });
    assert.ok((lag?.oldestSeconds ?? 0) > 1000);
    await using recorder = consume(broker, { group: 'task-run-recorder' });
    await until('the slow group has its 80', async () => recorder.handled.length === 80);
    await until('all is acknowledged', async () => (await broker.lag()).every(({ lag, pending }) => lag + pending === 0));
    await broker.trim('events');
    assert.ok((await redis.xlen(KEY)) <= 1);
  });

  async function countConsumers(group: string): Promise<number> {
    const consumers = await redis.xinfo('CONSUMERS', KEY, group);
    return Array.isArray(consumers) ? consumers.length : 0;
  }

  test('consumers retire when they stop, unless they hold something', async () => {
    await using broker = openBroker();
    await broker.publish('events', ['x']);
    await readAndDie(1);
    {
      await using consumer = consume(broker, { group: 'task-run-recorder' });
      await until('it is handled', async () => consumer.handled.length === 1);
      assert.equal(await countConsumers('task-run-recorder'), 1);
    }
    assert.equal(await countConsumers('task-run-recorder'), 0);
    await broker.trim('events');
    assert.equal(await countConsumers('event-persister'), 1);
  });

  test('a full stream takes nothing until its slowest group catches up', async () => {
    await using broker = openBroker({ maximumLength: 100 });
    await broker.publish('events', numbers(100));
    await assert.rejects(broker.publish('events', ['more']), BrokerUnavailableError);
    // What all groups have read makes room, without waiting for the next trim.
    await using consumers = new AsyncDisposableStack();
    for (const group of groupsOf('events')) consumers.use(consume(broker, { group }));
    await until('there is room', () => broker.publish('events', ['more']).then(() => true, () => false));
  });
});
