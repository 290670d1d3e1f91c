import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import type { Database } from '@praetor/database/connect';
import { createHealth } from '@praetor/runtime/health';
import { createLogger } from '@praetor/runtime/logger';
import { createTimerTicker } from '@praetor/runtime/timer-ticker';
import { parseJson } from '@praetor/schema/json';
import { parseSettings } from '@praetor/schema/settings';
import type { Broker } from '@praetor/streams/broker';
import type { Topic } from '@praetor/streams/topics';
import { Api } from '@praetor/test/support/api';
import { createTestDatabase } from '@praetor/test/support/database';
import { createApp } from '../src/app.ts';
import { addBundledBlockTypes } from '../src/block-types/bundled.ts';
import { createHttpServer } from '../src/http/server.ts';
import { openWebUi } from '../src/web-ui/web-ui.ts';

/** The gateway on a database of its own, behind a real socket; what it publishes is collected. */
export interface TestGateway extends AsyncDisposable {
  readonly api: Api;
  readonly database: Database;
  readonly published: Record<Topic, unknown[]>;
}

/** A broker without readers. */
function collectInto(published: Record<Topic, unknown[]>): Broker {
  return {
    counters: { reconnections: 0, deadLetters: 0, lost: 0 },
    publish: async (topic, messages) => void published[topic].push(...messages.map(parseJson)),
    consume: async () => {},
    tail: async () => {},
    trim: async () => {},
    lag: async () => [],
    isReady: () => true,
    [Symbol.asyncDispose]: async () => {},
  };
}

export async function startGateway(environment: Record<string, string> = {}): Promise<TestGateway> {
  const database = await createTestDatabase();
  await addBundledBlockTypes(database.sql);
  const published: Record<Topic, unknown[]> = { events: [], logs: [] };
  const settings = parseSettings({ PREFECT_SERVER_LOGGING_LEVEL: 'CRITICAL', ...environment });
  const context = {
    settings,
    database,
    broker: collectInto(published),
    logger: createLogger('api-gateway', settings),
    registry: new Registry(),
    health: createHealth(),
    ticker: createTimerTicker((_name, _interval, work, signal) => ({ run: () => work(signal, () => {}), noteWatching() {} })),
  };
  const webUi = await openWebUi(context);
  const server = createHttpServer(createApp(context, webUi.handler), settings.api);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    api: new Api(`http://127.0.0.1:${port}${settings.api.basePath}`),
    database,
    published,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await webUi[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
