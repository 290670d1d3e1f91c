import http from 'node:http';
import { parseJson } from '@praetor/schema/json';

/** One answer as it came over the wire. */
export interface WireAnswer {
  /** 0 where the connection was dropped without an answer. */
  status: number;
  headers: Record<string, string>;
  /** Decoded JSON, or the text. The server's own origin is written `http://server`. */
  body: unknown;
}

/** Stands for the origin of whichever server is spoken to. */
const ORIGIN = 'http://server';

/** Servers close idle connections after 5 s; a connection that old is not used again. */
const agent = new http.Agent({ keepAlive: true, timeout: 4000 });

async function receive(response: http.IncomingMessage, origin: string): Promise<WireAnswer> {
  const text = Buffer.concat(await Array.fromAsync(response, (chunk: Buffer) => chunk)).toString().replaceAll(origin, ORIGIN);
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value).replaceAll(origin, ORIGIN)]));
  const isJson = headers['content-type']?.startsWith('application/json') ?? false;
  return { status: response.statusCode ?? 0, headers, body: isJson && text !== '' ? parseJson(text) : text };
}

/**
 * Sends one request as it is: nothing is normalised, any method may have a body. `api` is the API's base URL; a path that
 * begins with ORIGIN stands beside it. Never throws; a dropped connection is an answer with status 0.
 */
export async function exchange(api: string, method: string, path: string, headers: Record<string, string>, body?: string | Buffer): Promise<WireAnswer> {
  const { hostname, port, pathname, origin } = new URL(api);
  const target = path.startsWith(ORIGIN) ? path.slice(ORIGIN.length) : pathname.replace(/\/$/, '') + path;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const options = { hostname, port, method, path: encodeURI(target).replaceAll('%25', '%'), headers: { ...length, ...headers } };
  return await new Promise((resolve) => {
    const fail = (error: Error) => resolve({ status: 0, headers: {}, body: error.message });
    const attempt = (pool: http.Agent | false) => {
      const request = http.request({ ...options, agent: pool });
      request.on('response', (response) => receive(response, origin).then(resolve, fail));
      // A server may close a pooled connection in the moment it is used again; on a new one it says what it thinks of the request.
      request.on('error', (error) => (request.reusedSocket ? attempt(false) : fail(error)));
      request.end(body);
    };
    attempt(agent);
  });
}
