import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import type { Health } from './health.ts';

/** Where the instruments of a process can be read. */
export interface Instruments extends AsyncDisposable {
  readonly port: number;
}

export interface InstrumentsOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  health: Health;
  registry: Registry;
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

const asJson = (ok: boolean, body: unknown): Answer => ({ status: ok ? 200 : 503, type: 'application/json', body: JSON.stringify(body) });

async function answer(path: string | undefined, { health, registry }: InstrumentsOptions): Promise<Answer> {
  switch (path) {
    case '/health': {
      const state = health.isLive();
      return asJson(state.live, state);
    }
    case '/ready': {
      const state = await health.isReady();
      return asJson(state.ready, state);
    }
    case '/metrics':
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    default:
      return { status: 404, type: 'text/plain', body: 'Try /health, /ready or /metrics.\n' };
  }
}

function boundPort(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Serves `/health` (200 or 503), `/ready` (200 or 503) and `/metrics` on a port of their own. */
export async function serveInstruments(options: InstrumentsOptions): Promise<Instruments> {
  const server = createServer((request, response) => {
    answer(request.url?.split('?')[0], options).then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    port: boundPort(server),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
