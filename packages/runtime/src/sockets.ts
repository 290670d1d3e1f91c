import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import { Connection } from './connection.ts';
import { isSameSecret } from './secrets.ts';
import type { ServiceContext } from './service.ts';

/* The WebSockets of the API (facts/hidden-endpoints.md §4): upgrade, authentication by the first message, keep-alive. */

export interface SocketRoute {
  /** Below the API's base path; `{name}` stands for one segment, given as it stands in the URL. */
  path: string;
  /** Pings come among the frames, and the handler answers them when it likes. Default: they are answered at once. */
  queuesPings?: boolean;
  /** Clients without the sub-protocol are refused, also where nobody needs a token. */
  needsSubprotocol?: boolean;
  /** The reason given to whoever fails to authenticate, where clients read it. Default: what is wrong, in words. */
  authenticationFailure?: string;
  /**
   * Serves one connection until its signal aborts. When it returns, the connection is closed (1000 unless it did so itself,
   * 1012 where the server stops); what it throws drops the connection.
   */
  handle(connection: Connection, params: Record<string, string>): Promise<void>;
}

export interface SocketOptions {
  /** Prefix of all paths: `/api`. */
  basePath: string;
  /** `user:password`; undefined: anybody may connect. */
  authString: string | undefined;
  pingIntervalSeconds: number;
  pingTimeoutSeconds: number;
  logger: Logger;
}

/** The options of every server of a process. */
export function socketOptions({ settings: { api }, logger }: ServiceContext): SocketOptions {
  return {
    basePath: api.basePath,
    authString: api.authString,
    pingIntervalSeconds: api.websocketPingIntervalSeconds,
    pingTimeoutSeconds: api.websocketPingTimeoutSeconds,
    logger,
  };
}

/** Larger frames close the connection with 1009, as with Prefect's server. */
const MAXIMUM_FRAME_BYTES = 16 * 1024 * 1024;
const SUBPROTOCOL = 'prefect';
const CLOSE_TIMEOUT_MS = 1000;

const CLOSE = { normal: 1000, policyViolation: 1008, serviceRestart: 1012 } as const;

function refuse(socket: Duplex): void {
  // Not only ended: a client that keeps its side open would keep the server from closing.
  socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
}

function offersSubprotocol(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol']?.split(',') ?? [];
  return offered.some((name) => name.trim() === SUBPROTOCOL);
}

/** Expects `{"type": "auth", "token": …}` as the first message; closes with 1008 where it is not, or the token is wrong. */
async function authenticate(connection: Connection, authString: string | undefined, failure?: string): Promise<boolean> {
  const message = await connection.receiveJson();
  if (message === undefined) return false;
  const field = (name: string): unknown => (typeof message === 'object' && message !== null ? Reflect.get(message, name) : undefined);
  const reject = (reason: string) => {
    connection.close(CLOSE.policyViolation, failure ?? reason);
    return false;
  };
  if (field('type') !== 'auth') return reject("The first message must be of type 'auth'");
  const token = field('token');
  if (authString !== undefined) {
    if (typeof token !== 'string' || token === '') return reject('A token is required');
    if (!isSameSecret(token, authString)) return reject('The token is wrong');
  }
  await connection.send(JSON.stringify({ type: 'auth_success' }));
  return true;
}

/**
 * Pings every peer, and ends those that show no life. A peer that is made to wait is not heard, so it counts as alive; that it
 * is gone shows when a ping cannot be delivered.
 */
function keepAlive(sockets: ReadonlySet<WebSocket>, { pingIntervalSeconds, pingTimeoutSeconds }: SocketOptions): { watch(socket: WebSocket): void; stop(): void } {
  const lastSign = new WeakMap<WebSocket, number>();
  const patienceMs = (pingIntervalSeconds + pingTimeoutSeconds) * 1000;
  const timer = setInterval(() => {
    const now = performance.now();
    for (const socket of sockets) {
      if (socket.isPaused) lastSign.set(socket, now);
      if (now - (lastSign.get(socket) ?? now) > patienceMs) socket.terminate();
      else if (socket.readyState === WebSocket.OPEN) socket.ping();
    }
  }, pingIntervalSeconds * 1000);
  timer.unref();
  return {
    watch(socket) {
      const sign = () => void lastSign.set(socket, performance.now());
      sign();
      for (const event of ['pong', 'ping', 'message']) socket.on(event, sign);
    },
    stop: () => clearInterval(timer),
  };
}

interface Match {
  route: SocketRoute;
  params: Record<string, string>;
}

function createMatcher(routes: readonly SocketRoute[], basePath: string): (url: string) => Match | undefined {
  const patterns = routes.map((route) => ({ route, pattern: new RegExp(`^${RegExp.escape(basePath)}${route.path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`) }));
  return (url) => {
    const path = url.split('?')[0] ?? '';
    for (const { route, pattern } of patterns) {
      const found = pattern.exec(path);
      if (found) return { route, params: { ...found.groups } };
    }
    return undefined;
  };
}

/** Serves the routes on a server's upgrade requests. Disposing lets the handlers finish, then closes all connections with 1012. */
export function attachSockets(server: Server, routes: readonly SocketRoute[], options: SocketOptions): AsyncDisposable {
  const { basePath, authString, logger } = options;
  const match = createMatcher(routes, basePath);
  const sockets = new WebSocketServer({
    noServer: true,
    autoPong: false,
    maxPayload: MAXIMUM_FRAME_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  const alive = keepAlive(sockets.clients, options);
  const stopping = new AbortController();
  const serving = new Set<Promise<void>>();

  async function serve(socket: WebSocket, route: SocketRoute, params: Record<string, string>): Promise<void> {
    const connection = new Connection(socket, stopping.signal, route.queuesPings ?? false);
    alive.watch(socket);
    try {
      // Without the sub-protocol there is no handshake: clients of old.
      if (socket.protocol === SUBPROTOCOL && !(await authenticate(connection, authString, route.authenticationFailure))) return;
      await route.handle(connection, params);
      connection.close(stopping.signal.aborted ? CLOSE.serviceRestart : CLOSE.normal, '');
    } catch (error) {
      logger.warn({ error, path: route.path }, 'a socket was dropped');
      connection.drop();
    }
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const found = match(request.url ?? '/');
    if (!found || stopping.signal.aborted) return refuse(socket);
    if ((authString !== undefined || found.route.needsSubprotocol === true) && !offersSubprotocol(request)) return refuse(socket);
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const served = serve(opened, found.route, found.params).finally(() => serving.delete(served));
      serving.add(served);
    });
  }

  server.on('upgrade', upgrade);
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(serving);
      alive.stop();
      for (const socket of sockets.clients) setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref();
      await Promise.all([...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
      server.off('upgrade', upgrade);
    },
  };
}
