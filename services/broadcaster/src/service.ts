import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Service, ServiceContext } from '@praetor/runtime/service';
import { type SocketRoute, attachSockets, socketOptions } from '@praetor/runtime/sockets';
import type { ReceivedEvent } from '@praetor/schema/event';
import type { Log } from '@praetor/schema/log';
import { createEventsOut } from './events-out.ts';
import { LiveFeed } from './live-feed.ts';
import { createLogsOut } from './logs-out.ts';
import { createMetrics } from './metrics.ts';

/** The broadcaster without a server of its own: it reads the streams, and its sockets are served by whoever runs it. */
export interface Broadcaster extends Service {
  readonly sockets: readonly SocketRoute[];
}

/** Sends live events and logs to the clients that subscribed to them. Every process reads every message. */
export function createBroadcaster(context: ServiceContext): Broadcaster {
  const { broker, settings, registry } = context;
  const events = new LiveFeed<ReceivedEvent>('events');
  const logs = new LiveFeed<Log>('logs');
  const metrics = createMetrics(registry, [events, logs]);
  return {
    name: 'broadcaster',
    sockets: [createEventsOut(context, events, metrics), createLogsOut(context, logs, metrics)],
    async run(signal) {
      await Promise.all([
        settings.events.streamOutEnabled && broker.tail('events', (text) => events.receive(text), signal),
        settings.logs.streamOutEnabled && broker.tail('logs', (text) => logs.receive(text), signal),
      ]);
    },
  };
}

/** The broadcaster as a process of its own, which listens where the gateways do in theirs. */
export function createBroadcasterServer(context: ServiceContext): Service {
  const { settings, health } = context;
  const broadcaster = createBroadcaster(context);
  return {
    name: broadcaster.name,
    async run(signal) {
      const server = createServer((_request, response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{"detail":"Not Found"}'));
      const sockets = attachSockets(server, broadcaster.sockets, socketOptions(context));
      health.addReadiness('sockets', () => server.listening);
      server.listen(settings.api.port, settings.api.host);
      await once(server, 'listening');
      await broadcaster.run(signal);
      // With both feeds switched off the sockets are still there, and silent.
      if (!signal.aborted) await once(signal, 'abort');
      await sockets[Symbol.asyncDispose]();
      server.close();
    },
  };
}
