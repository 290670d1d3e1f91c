import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { ServiceContext, Service } from '@praetor/runtime/service';
import { type SocketRoute, attachSockets, socketOptions } from '@praetor/runtime/sockets';
import { createApp } from './app.ts';
import { addBundledBlockTypes } from './block-types/bundled.ts';
import { createSockets } from './sockets/sockets.ts';

/** Prefect's keep-alive (PREFECT_SERVER_API_KEEPALIVE_TIMEOUT); longer than a load balancer's would be better, shorter breaks clients. */
async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

/**
 * The gateway as a service: listens until the signal aborts, lets requests in flight and sockets finish, then closes.
 * `otherSockets` are those of services that share its process and its port.
 */
export function createApiGateway(context: ServiceContext, otherSockets: readonly SocketRoute[] = []): Service {
  return {
    name: 'api-gateway',
    async run(signal) {
      const server = createServer(createApp(context));
      context.health.addReadiness('http', () => server.listening);
      await addBundledBlockTypes(context.database.sql);
      const sockets = attachSockets(server, [...createSockets(context), ...otherSockets], socketOptions(context));
      await listen(server, context.settings.api.host, context.settings.api.port);
      if (!signal.aborted) await once(signal, 'abort');
      // First what never ends by itself.
      await sockets[Symbol.asyncDispose]();
      server.closeIdleConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
