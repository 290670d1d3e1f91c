import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createHealth } from '@praetor/runtime/health';
import { createRedisTicker } from '@praetor/runtime/redis-ticker';
import { type TickWork, createTicks } from '@praetor/runtime/tick';
import type { Ticker } from '@praetor/runtime/ticker';
import { createTimerTicker } from '@praetor/runtime/timer-ticker';
import { until } from '@praetor/test/support/poll';
import { RedisServer, isRedisServerInstalled } from '@praetor/test/support/redis-server';

const logger = pino({ level: 'silent' });

/** Instruments of one process, whose liveness believes that so many seconds more have passed. */
function createInstruments(ahead: { seconds: number } = { seconds: 0 }) {
  const registry = new Registry();
  const health = createHealth(() => performance.now() + ahead.seconds * 1000);
  return { registry, health, createTick: createTicks({ logger, registry, health }) };
}

/** Starts a loop; `stop` ends it and resolves when it has ended. */
function start(ticker: Ticker, intervalSeconds: number, work: TickWork) {
  const controller = new AbortController();
  const ended = ticker.every('test', intervalSeconds, work, controller.signal);
  return async () => {
    controller.abort();
    await ended;
  };
}

describe('the ticker by timers', () => {
  test('runs at once and at the interval, survives errors, and counts both', async () => {
    const { registry, health, createTick } = createInstruments();
    let runs = 0;
    const stop = start(createTimerTicker(createTick), 0.05, async () => {
      runs++;
      if (runs === 2) throw new Error('once');
    });
    assert.equal(runs, 1);
    await until('four runs', async () => runs >= 4, 5);
    await stop();
    const metrics = await registry.metrics();
    assert.match(metrics, /praetor_tick_failures_total\{tick="test"\} 1/);
    assert.match(metrics, /praetor_tick_last_success_timestamp_seconds\{tick="test"\} \d/);
    assert.ok(Object.hasOwn(health.isLive().details, 'test'));
  });

  test('never overlaps itself, and waits for its last run', async () => {
    let running = 0;
    let most = 0;
    const stop = start(createTimerTicker(createInstruments().createTick), 0.01, async () => {
      most = Math.max(most, ++running);
      await sleep(50);
      running--;
    });
    await sleep(120);
    await stop();
    assert.deepEqual([most, running], [1, 0]);
  });

  test('a run that hangs is noticed, also the first one, and a long one that goes on is not', async () => {
    const ahead = { seconds: 0 };
    const { health, createTick } = createInstruments(ahead);
    const end = Promise.withResolvers<void>();
    let goOn = () => {};
    const stop = start(createTimerTicker(createTick), 1, async (_signal, noteProgress) => {
      goOn = noteProgress;
      await end.promise;
    });
    for (let turn = 0; turn < 5; turn++) {
      ahead.seconds += 1700;
      assert.equal(health.isLive().live, true, `turn ${turn}`);
      goOn();
    }
    ahead.seconds += 1801;
    assert.equal(health.isLive().live, false);
    end.resolve();
    await stop();
  });
});

describe('the ticker by Redis', { skip: (await isRedisServerInstalled()) ? false : 'needs redis-server' }, () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.[Symbol.asyncDispose]());

  const INTERVAL_SECONDS = 0.5;

  /** Replicas of one loop, and a count of their runs. */
  function startReplicas(count: number, keyPrefix: string, work: (replica: number) => Promise<void> = async () => {}) {
    const ahead = { seconds: 0 };
    const instruments = Array.from({ length: count }, () => createInstruments(ahead));
    const runs = Array.from({ length: count }, () => 0);
    const stops = instruments.map(({ createTick }, replica) =>
      start(createRedisTicker({ url: server.url, keyPrefix, logger, createTick }), INTERVAL_SECONDS, async () => {
        runs[replica] = (runs[replica] ?? 0) + 1;
        await work(replica);
      }),
    );
    return {
      count: () => runs.reduce((sum, run) => sum + run, 0),
      /** For each replica, whether it is live this many seconds on. */
      areLive(seconds: number) {
        ahead.seconds += seconds;
        return instruments.map(({ health }) => health.isLive().live);
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(stops.map((stop) => stop()));
      },
    };
  }

  /** Runs of all replicas in about ten intervals. */
  async function countRuns(replicas: { count(): number }): Promise<number> {
    const first = replicas.count();
    await sleep(10 * INTERVAL_SECONDS * 1000);
    return replicas.count() - first;
  }

  const isAboutOncePerInterval = (runs: number) => runs >= 8 && runs <= 12;

  test('ticks once per interval over all replicas, also after Redis was away, where every replica goes on alone', async () => {
    await using replicas = startReplicas(3, 'restart');
    await sleep(2000);
    const together = await countRuns(replicas);
    assert.ok(isAboutOncePerInterval(together), `${together} runs in ten intervals`);

    await server.kill();
    const alone = await countRuns(replicas);
    assert.ok(alone >= 3, `${alone} runs without Redis`);

    await server.restart();
    await sleep(4000);
    const again = await countRuns(replicas);
    assert.ok(isAboutOncePerInterval(again), `${again} runs in ten intervals after the restart`);
  });

  test('mends its scheduler when Redis has lost everything', async () => {
    await using replicas = startReplicas(2, 'flush');
    await sleep(1000);
    await server.flush();
    await sleep(2500);
    const runs = await countRuns(replicas);
    assert.ok(isAboutOncePerInterval(runs), `${runs} runs in ten intervals`);
  });

  test('a killed replica leaves its ticks to the others', async () => {
    await using survivor = startReplicas(1, 'leave');
    {
      await using leaving = startReplicas(1, 'leave');
      await sleep(1500);
      assert.ok(leaving.count() > 0);
    }
    const runs = await countRuns(survivor);
    assert.ok(isAboutOncePerInterval(runs), `${runs} runs in ten intervals`);
  });

  test('a replica is alive while others get the ticks, but not while its own run hangs', async () => {
    const all = [true, true, true, true, true, true];
    const end = Promise.withResolvers<void>();
    let isToHang = false;
    let hanging: number | undefined;
    await using replicas = startReplicas(all.length, 'liveness', async (replica) => {
      if (!isToHang) return;
      isToHang = false;
      hanging = replica;
      await end.promise;
    });
    using _end = { [Symbol.dispose]: end.resolve };
    await sleep(1000);
    replicas.areLive(121);
    // In this time no more than four of the replicas get a tick.
    await sleep(3 * INTERVAL_SECONDS * 1000);
    assert.deepEqual(replicas.areLive(0), all);

    isToHang = true;
    const hung = await until('a run hangs', async () => hanging);
    replicas.areLive(1801);
    await sleep(3 * INTERVAL_SECONDS * 1000);
    assert.deepEqual(replicas.areLive(0), all.with(hung, false));
  });

  test('ends soon while Redis is away', async () => {
    const replicas = startReplicas(2, 'end');
    await sleep(500);
    await server.kill();
    await sleep(500);
    const begin = performance.now();
    await replicas[Symbol.asyncDispose]();
    assert.ok(performance.now() - begin < 3000);
    await server.restart();
  });
});
