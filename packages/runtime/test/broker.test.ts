import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Registry } from 'prom-client';
import { registerBrokerMetrics } from '@praetor/runtime/broker-metrics';
import { saveDeadLetter } from '@praetor/runtime/dead-letters';
import type { Broker, GroupLag } from '@praetor/streams/broker';
import { createBroker } from '@praetor/streams/create-broker';
import { createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';

const skip = (await isPostgresReachable()) ? false : 'needs Postgres';

test('dead letters are kept, whatever they contain', { skip }, async () => {
  await using database = await createTestDatabase();
  const letter = { topic: 'events', group: 'event-persister', attempts: 5 } as const;
  await saveDeadLetter(database.sql, { ...letter, data: '{"n": 1.0, "text": "nul \\u0000"}', error: 'it failed' });
  await saveDeadLetter(database.sql, { ...letter, data: 'no JSON at all \0', error: 'nul \0' });
  const rows = await database.sql<{ data: string; error: string; attempts: number }[]>`select data::text, error, attempts from praetor.dead_letter order by died`;
  assert.deepEqual(rows, [
    { data: '{"n": 1.0, "text": "nul \\u0000"}', error: 'it failed', attempts: 5 },
    { data: '"no JSON at all \\u0000"', error: 'nul ', attempts: 5 },
  ]);
});

describe('metrics of the broker', () => {
  /** A broker in memory that tells what the test says, and how often it was asked. */
  function createTestBroker(lag: () => Promise<GroupLag[]>): Broker {
    return Object.assign(createBroker({ saveDeadLetter: async () => {}, onError: () => {} }), { lag });
  }

  test('each scrape measures once and tells what is true then', async () => {
    let measurements = 0;
    const broker = createTestBroker(async () => {
      measurements++;
      return [{ topic: 'events', group: 'event-persister', lag: measurements, pending: 10, oldestSeconds: 2.5 }];
    });
    await using _broker = broker;
    const registry = new Registry();
    registerBrokerMetrics(registry, broker);
    await registry.metrics();
    const metrics = await registry.metrics();
    assert.equal(measurements, 2);
    for (const line of [
      'praetor_stream_lag{topic="events",group="event-persister"} 2',
      'praetor_stream_pending{topic="events",group="event-persister"} 10',
      'praetor_stream_oldest_seconds{topic="events",group="event-persister"} 2.5',
      'praetor_stream_lost_total 0',
    ])
      assert.ok(metrics.split('\n').includes(line), line);
  });

  test('what cannot be measured is missing', async () => {
    await using broker = createTestBroker(() => Promise.reject(new Error('Redis is away')));
    const registry = new Registry();
    registerBrokerMetrics(registry, broker);
    assert.doesNotMatch(await registry.metrics(), /praetor_stream_lag\{/);
  });
});
