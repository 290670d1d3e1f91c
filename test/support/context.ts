import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { Database } from '@praetor/database/connect';
import { createHealth } from '@praetor/runtime/health';
import type { Service, ServiceContext } from '@praetor/runtime/service';
import { createTicks } from '@praetor/runtime/tick';
import { createTimerTicker } from '@praetor/runtime/timer-ticker';
import type { SettingValues } from '@praetor/schema/setting';
import { parseSettings } from '@praetor/schema/settings';
import type { Broker } from '@praetor/streams/broker';

/** The context of one process under test: the given stores, everything else its own, settings by their variables. */
export function createTestContext(database: Database, broker: Broker, settings: SettingValues = {}): ServiceContext {
  const logger = pino({ level: process.env['PRAETOR_TEST_LOG'] ?? 'silent' });
  const registry = new Registry();
  const health = createHealth();
  const ticker = createTimerTicker(createTicks({ logger, registry, health }));
  return { settings: parseSettings(settings), logger, database, broker, ticker, registry, health };
}

/** Runs services until disposed of. */
export function runServices(...services: Service[]): AsyncDisposable {
  const controller = new AbortController();
  const running = services.map((service) => service.run(controller.signal));
  return {
    async [Symbol.asyncDispose]() {
      controller.abort();
      await Promise.all(running);
    },
  };
}
