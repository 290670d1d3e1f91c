import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { lookupPublic, refusePrivateHost } from './private-addresses.ts';

/** A request to somebody else's server. */
export interface HttpRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: string;
  /** Default: not to private addresses. */
  allowsPrivate?: boolean;
  /** False: any certificate will do. */
  verifiesCertificate?: boolean;
  timeoutSeconds?: number;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  /** The beginning of it. */
  text: string;
}

const LONGEST_BODY = 64 * 1024;
const TIMEOUT_SECONDS = 20;

async function readStart(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      chunks.push(Buffer.from(chunk));
      size += Buffer.from(chunk).length;
      if (size >= LONGEST_BODY) break;
    }
  } catch {
    // The status has said what came of it.
  }
  return Buffer.concat(chunks).subarray(0, LONGEST_BODY).toString('utf8');
}

/** The URL has no host that could be asked, a header cannot be sent, the server refuses: it will not do at any other time either. */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
}

/** The whole request was sent, and no answer came: it may have been carried out, so it is not to be sent again. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw new InvalidRequestError('The URL must be one of http or https.');
  return url;
}

/**
 * Sends a request and reads its answer, whatever its status; redirections are answers like others and are not followed.
 * Throws InvalidRequestError, PrivateAddressError, UnansweredError, and whatever keeps the request from being sent.
 */
export async function sendRequest({ method, url: text, headers, body, ...options }: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const url = parseUrl(text);
  const isGuarded = options.allowsPrivate !== true;
  if (isGuarded) refusePrivateHost(url);
  const limit = AbortSignal.any([signal, AbortSignal.timeout((options.timeoutSeconds ?? TIMEOUT_SECONDS) * 1000)]);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  try {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(url, {
      method,
      headers: { 'user-agent': 'Praetor', ...headers, ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }) },
      signal: limit,
      agent: false,
      ...(isGuarded && { lookup: lookupPublic }),
      ...(options.verifiesCertificate === false && { rejectUnauthorized: false }),
    });
    const fail = (error: Error) => reject(request.writableFinished ? new UnansweredError(`No answer came: ${error.message}`, { cause: error }) : error);
    request.on('response', resolve).on('error', fail).end(body);
  } catch (error) {
    throw new InvalidRequestError(error instanceof Error ? error.message : String(error));
  }
  const response = await promise;
  const found = Object.entries(response.headers).map(([name, value]): [string, string] => [name, [value].flat().join(', ')]);
  return { status: response.statusCode ?? 0, headers: Object.fromEntries(found), text: await readStart(response) };
}
