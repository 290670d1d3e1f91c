import { type RequestListener, type Server, STATUS_CODES, createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Settings } from '@praetor/schema/settings';

/** URLs and headers together; the token of a page of events may be long. Prefect's server takes as much. */
const MAXIMUM_HEADER_BYTES = 65_536;
/** Whoever takes longer for its headers alone is not going to send a request. */
const HEADERS_TIMEOUT_MS = 15_000;
/** How often connections are looked at for being too slow. */
const CHECK_INTERVAL_MS = 5000;

const STATUS_BY_CODE: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_CHUNK_EXTENSIONS_OVERFLOW: 413 };

/** What never becomes a request is answered all the same, in the shape of every other error. */
function refuse(socket: Duplex, status: number): void {
  const body = JSON.stringify({ detail: STATUS_CODES[status] });
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`, () => socket.destroy());
}

/** What cannot be read as HTTP. */
function refuseUnread(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  refuse(socket, STATUS_BY_CODE[error.code ?? ''] ?? 400);
}

/** The gateway's server: idle connections, slow senders and endless headers all have their end. */
export function createHttpServer(listener: RequestListener, { keepaliveTimeoutSeconds, requestTimeoutSeconds }: Settings['api']): Server {
  const requestTimeout = requestTimeoutSeconds * 1000;
  const server = createServer(
    {
      keepAliveTimeout: keepaliveTimeoutSeconds * 1000,
      requestTimeout,
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeout),
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, requestTimeout),
      maxHeaderSize: MAXIMUM_HEADER_BYTES,
      // Whoever offers HTTP/2 in passing (`curl --http2`, Java) is answered in HTTP/1.1.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    listener,
  );
  return server
    .on('clientError', refuseUnread)
    .on('connect', (_request, socket) => refuse(socket, 405))
    // Expectations that nobody knows are ignored.
    .on('checkExpectation', listener);
}
