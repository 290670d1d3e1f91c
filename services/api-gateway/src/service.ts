import { once } from 'node:events';
import type { ServiceContext, Service } from '@praetor/runtime/service';
import { type SocketRoute, attachSockets, socketOptions } from '@praetor/runtime/sockets';
import { createApp } from './app.ts';
import { addBundledBlockTypes } from './block-types/bundled.ts';
import { createHttpServer } from './http/server.ts';
import { createSockets } from './sockets/sockets.ts';
import { tellOfIntake } from './sockets/tell-of-intake.ts';
import { openWebUi } from './web-ui/web-ui.ts';

/**
 * The gateway as a service: listens until the signal aborts, lets requests in flight and sockets finish, then closes.
 * `otherSockets` are those of services that share its process and its port.
 */
export function createApiGateway(context: ServiceContext, otherSockets: readonly SocketRoute[] = []): Service {
  return {
    name: 'api-gateway',
    async run(signal) {
      const { host, port } = context.settings.api;
      await using webUi = await openWebUi(context);
      const server = createHttpServer(createApp(context, webUi.handler), context.settings.api);
      context.health.addReadiness('http', () => server.listening);
      await addBundledBlockTypes(context.database.sql);
      const sockets = attachSockets(server, [...createSockets(context), ...otherSockets], socketOptions(context));
      server.listen(port, host);
      await once(server, 'listening');
      const telling = tellOfIntake(context, signal);
      if (!signal.aborted) await once(signal, 'abort');
      // First what never ends by itself.
      await sockets[Symbol.asyncDispose]();
      // A connection whose request ends from now on has nothing to wait for.
      Object.assign(server, { keepAliveTimeout: 1, keepAliveTimeoutBuffer: 0 });
      server.close();
      server.closeIdleConnections();
      await once(server, 'close');
      await telling;
    },
  };
}
