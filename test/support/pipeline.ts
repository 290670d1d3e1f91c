import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSockets } from '@praetor/api-gateway/sockets/sockets';
import { createAutomations } from '@praetor/automations/service';
import { createBroadcaster } from '@praetor/broadcaster/service';
import type { Database } from '@praetor/database/connect';
import { createEventPersister } from '@praetor/event-persister/service';
import { attachSockets, socketOptions } from '@praetor/runtime/sockets';
import type { SettingValues } from '@praetor/schema/setting';
import type { Broker } from '@praetor/streams/broker';
import { createTaskRunRecorder } from '@praetor/task-run-recorder/service';
import { createTestContext, runServices } from './context.ts';

export interface Pipeline extends AsyncDisposable {
  /** `ws://…/api`. */
  readonly url: string;
}

/** All sockets on a port of their own, and two copies of each consumer behind them. */
export async function startPipeline(database: Database, broker: Broker, settings: SettingValues = {}): Promise<Pipeline> {
  const context = () => createTestContext(database, broker, settings);
  const front = context();
  const broadcaster = createBroadcaster(front);
  const server = createServer();
  const sockets = attachSockets(server, [...createSockets(front), ...broadcaster.sockets], socketOptions(front));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const copies = [createEventPersister, createEventPersister, createTaskRunRecorder, createTaskRunRecorder, createAutomations, createAutomations];
  const services = runServices(broadcaster, ...copies.map((create) => create(context())));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
    async [Symbol.asyncDispose]() {
      await sockets[Symbol.asyncDispose]();
      await services[Symbol.asyncDispose]();
      server.close();
    },
  };
}
