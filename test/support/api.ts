import assert from 'node:assert/strict';
import { parseJson } from '@praetor/schema/json';

/** A decoded answer. `body` is whatever JSON came back; tests look into it freely. */
export interface Answer {
  status: number;
  headers: Headers;
  // Tests read answers of every shape; asserting on the values is their type check.
  // oxlint-disable-next-line no-explicit-any
  body: any;
}

/** A client of the REST API under test: paths are relative to the API's base URL. */
export class Api {
  readonly url: string;
  readonly headers: Record<string, string>;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.url = url;
    this.headers = headers;
  }

  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...this.headers, ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    return { status: response.status, headers: response.headers, body: text !== '' && isJson ? parseJson(text) : text };
  }

  get(path: string) {
    return this.request('GET', path);
  }
  post(path: string, body: unknown = {}) {
    return this.request('POST', path, body);
  }
  put(path: string, body: unknown) {
    return this.request('PUT', path, body);
  }
  patch(path: string, body: unknown) {
    return this.request('PATCH', path, body);
  }
  delete(path: string) {
    return this.request('DELETE', path);
  }

  /** Sends a request and insists on one of the given statuses; gives the body. */
  async expect(statuses: number | readonly number[], method: string, path: string, body?: unknown) {
    const answer = await this.request(method, path, body);
    const wanted = typeof statuses === 'number' ? [statuses] : statuses;
    assert.ok(wanted.includes(answer.status), `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}, wanted ${wanted.join(' or ')}`);
    return answer.body;
  }
}
