import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { type Broker, type DeadLetter, type Message, MessagesFailedError } from '@praetor/streams/broker';
import { createBroker } from '@praetor/streams/create-broker';
import { groupsOf } from '@praetor/streams/topics';
import { until } from '@praetor/test/support/poll';
import { RedisServer, isRedisServerInstalled } from '@praetor/test/support/redis-server';

const withoutRedis = (await isRedisServerInstalled()) ? false : 'needs redis-server';
const GROUPS = groupsOf('events');

/* What both brokers promise. `publish` is not awaited: in memory it resolves only when every group is done. */

for (const kind of ['redis', 'memory'] as const)
  describe(kind, { skip: kind === 'redis' && withoutRedis }, () => {
    let server: RedisServer | undefined;
    before(async () => {
      if (kind === 'redis') server = await RedisServer.start();
    });
    after(() => server?.[Symbol.asyncDispose]());

    const open = () => {
      const letters: DeadLetter[] = [];
      const broker = createBroker({
        ...(server && { redis: { url: server.url, keyPrefix: randomUUID() } }),
        saveDeadLetter: async (letter) => void letters.push(letter),
        onError: (error) => assert.fail(String(error)),
      });
      const controller = new AbortController();
      const running: Promise<unknown>[] = [];
      const consume = (handle: (messages: readonly Message[]) => Promise<void>, group = GROUPS[0], isOutage: (error: unknown) => boolean = () => false) => {
        assert.ok(group);
        running.push(broker.consume({ topic: 'events', group, batchSize: 10, maxAttempts: 3, handle, isOutage, signal: controller.signal }));
      };
      const publish = (messages: readonly string[]) => void running.push(broker.publish('events', messages).catch(() => {}));
      return {
        broker,
        letters,
        consume,
        publish,
        running,
        controller,
        async [Symbol.asyncDispose]() {
          controller.abort();
          await broker[Symbol.asyncDispose]();
          await Promise.all(running);
        },
      };
    };
    const pendingOf = async (broker: Broker) => (await broker.lag()).map(({ lag, pending }) => lag + pending);
    const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));

    test(`every group gets every message once, shared by its members`, async () => {
      await using fixture = open();
      const seen = GROUPS.map((): string[] => []);
      for (const [index, group] of GROUPS.entries())
        for (const _copy of ['a', 'b'])
          fixture.consume(async (messages) => {
            assert.ok(messages.length <= 10);
            seen[index]?.push(...messages.map((message) => message.data));
          }, group);
      fixture.publish(numbers(100));
      await until('everything is acknowledged', async () => seen.every((list) => list.length === 100) && (await pendingOf(fixture.broker)).every((count) => count === 0));
      for (const list of seen) assert.deepEqual(list.toSorted(), numbers(100).toSorted());
    });

    test(`a poisonous message is set apart, the others are handled`, async () => {
      await using fixture = open();
      const handled: string[] = [];
      fixture.consume(async (messages) => {
        if (messages.some((message) => message.data === '7')) throw new Error('poison');
        handled.push(...messages.map((message) => message.data));
      });
      fixture.publish(numbers(10));
      await until('the dead letter', async () => fixture.letters.length === 1);
      assert.deepEqual(fixture.letters, [{ topic: 'events', group: GROUPS[0], data: '7', error: 'Error: poison', attempts: 3 }]);
      assert.deepEqual(handled.toSorted(), numbers(10).filter((data) => data !== '7'));
      await until('it is acknowledged', async () => (await pendingOf(fixture.broker))[0] === 0);
      assert.equal(fixture.broker.counters.deadLetters, 1);
    });

    test(`messages that a handler names are tried again beside new ones`, async () => {
      await using fixture = open();
      const attempts: number[] = [];
      let others = 0;
      fixture.consume(async (messages) => {
        const failures = messages.filter((message) => message.data === 'early');
        attempts.push(...failures.map((message) => message.attempts));
        others += messages.length - failures.length;
        const failed = new Map(failures.filter((message) => message.attempts < 2).map((message) => [message, new Error('not yet')]));
        if (failed.size > 0) throw new MessagesFailedError(failed);
      });
      fixture.publish(['early', ...numbers(30)]);
      await until('the third attempt', async () => attempts.length === 3 && (await pendingOf(fixture.broker))[0] === 0);
      assert.deepEqual(attempts, [0, 1, 2]);
      assert.equal(others, 30);
      assert.deepEqual(fixture.letters, []);
    });

    test(`an outage is waited for and counts as no attempt`, async () => {
      await using fixture = open();
      let calls = 0;
      const handled: number[] = [];
      fixture.consume(
        async (messages) => {
          if (++calls <= 5) throw new Error('away');
          handled.push(...messages.map((message) => message.attempts));
        },
        GROUPS[0],
        (error) => error instanceof Error && error.message === 'away',
      );
      fixture.publish(['x']);
      await until('it is handled', async () => handled.length === 1);
      assert.deepEqual(handled, [0]);
      assert.deepEqual(fixture.letters, []);
    });

    test(`a consumer that stops finishes its batch; the rest goes to others`, async () => {
      await using fixture = open();
      const handled: string[] = [];
      const stopped = new AbortController();
      const started = Promise.withResolvers<void>();
      const first = fixture.broker.consume({
        topic: 'events',
        group: 'event-persister',
        batchSize: 4,
        maxAttempts: 3,
        isOutage: () => false,
        signal: stopped.signal,
        handle: async (messages) => {
          started.resolve();
          await new Promise((resolve) => setTimeout(resolve, 100));
          handled.push(...messages.map((message) => message.data));
        },
      });
      fixture.publish(numbers(8));
      await started.promise;
      stopped.abort();
      await first;
      assert.ok(handled.length <= 4 && handled.length > 0);
      fixture.consume(async (messages) => void handled.push(...messages.map((message) => message.data)));
      await until('the rest', async () => handled.length === 8);
      assert.deepEqual(handled.toSorted(), numbers(8));
    });

    test(`a tail sees what is published after it began`, async () => {
      await using fixture = open();
      const seen: string[] = [];
      fixture.publish(['before']);
      await until('it is published', async () => (await pendingOf(fixture.broker))[0] === 1);
      fixture.running.push(fixture.broker.tail('events', (data) => void seen.push(data), fixture.controller.signal));
      await until('the tail has begun', async () => {
        fixture.publish(['after']);
        return seen.length > 0;
      });
      assert.equal(seen.includes('before'), false);
      fixture.running.push(fixture.broker.tail('logs', (data) => void seen.push(data), fixture.controller.signal));
      await until('a stream without groups', async () => {
        await fixture.broker.publish('logs', ['log']);
        return seen.includes('log');
      });
    });
  });
