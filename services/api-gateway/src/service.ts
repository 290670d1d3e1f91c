import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { ServiceContext, Service } from '@praetor/runtime/service';
import { createApp } from './app.ts';
import { addBundledBlockTypes } from './block-types/bundled.ts';

/** Prefect's keep-alive (PREFECT_SERVER_API_KEEPALIVE_TIMEOUT); longer than a load balancer's would be better, shorter breaks clients. */
async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

/** The HTTP gateway as a service: listens until the signal aborts, lets requests in flight finish, then closes. */
export function createApiGateway(context: ServiceContext): Service {
  return {
    name: 'api-gateway',
    async run(signal) {
      await addBundledBlockTypes(context.database.sql);
      const server = createServer(createApp(context));
      context.health.addReadiness('http', () => server.listening);
      await listen(server, context.settings.api.host, context.settings.api.port);
      if (!signal.aborted) await once(signal, 'abort');
      server.closeIdleConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
