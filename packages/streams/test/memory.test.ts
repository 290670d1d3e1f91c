import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerUnavailableError } from '@praetor/streams/broker';
import { MemoryBroker } from '@praetor/streams/memory';
import { groupsOf } from '@praetor/streams/topics';

/* What only the broker in memory can do wrong: take more than its readers keep up with. */

test('messages beyond the capacity wait for room, and are refused when the readers stand still', async () => {
  await using broker = new MemoryBroker({ saveDeadLetter: async () => {}, capacity: 2, patienceMs: 50 });
  const stored = broker.publish('events', ['1', '2']);
  await assert.rejects(broker.publish('events', ['3']), BrokerUnavailableError);

  const waiting = broker.publish('events', ['4']);
  const stop = new AbortController();
  const handled: string[] = [];
  const running = groupsOf('events').map((group) =>
    broker.consume({ topic: 'events', group, batchSize: 10, maxAttempts: 3, isOutage: () => false, signal: stop.signal, handle: async (messages) => void handled.push(...messages.map(({ data }) => data)) }),
  );
  await Promise.all([stored, waiting]);
  assert.deepEqual(new Set(handled), new Set(['1', '2', '4']));
  stop.abort();
  await Promise.all(running);
});
