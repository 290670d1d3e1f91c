import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ABSENT, type CompareOptions, compare, type Difference } from './compare.ts';
import { Correspondence } from './correspondence.ts';
import { exchange, type WireAnswer } from './exchange.ts';

/** A request of a sequence and what came of it. */
export interface Step {
  sequence: string;
  /** The line of the sequence that asked: `flows.ts:12`. */
  line: string;
  method: string;
  path: string;
  body: string;
  /** The answer of the real server. */
  status: number;
  differences: Difference[];
}

export interface SendOptions extends CompareOptions {
  headers?: Record<string, string>;
  /** Names of headers to compare beside the usual ones. */
  compareHeaders?: readonly string[];
}

/** A body: text and bytes are sent as they are (malformed JSON), everything else as JSON. */
type Body = unknown;

// Sequences read answers of every shape; a wrong step shows itself in the next request.
// oxlint-disable-next-line no-explicit-any
type AnswerBody = any;

/** A sequence of requests; it knows nothing of the second server. */
export type Sequence = (api: TwinClient) => Promise<void>;
/** The sequences of one resource by their names. */
export type Sequences = Record<string, Sequence>;

/** Headers that clients look at. Of `retry-after` only the presence is compared: its value is a matter of chance. */
const HEADERS = ['content-type', 'allow', 'location', 'content-disposition', 'www-authenticate', 'retry-after', 'prefect-maintenance'];
const EVENTUALLY_MS = 15_000;

export interface Twins {
  /** Base URLs of the two APIs. */
  real: string;
  ours: string;
}

/**
 * Sends each request to the real Prefect and to Praetor and compares the answers. A sequence sees only the real answers:
 * what it takes from them (ids, times, invented names) is translated to ours on the way out.
 */
export class TwinClient {
  readonly steps: Step[] = [];
  readonly #twins: Twins;
  readonly #sequence: string;
  readonly #pairs = new Correspondence();

  constructor(twins: Twins, sequence: string) {
    this.#twins = twins;
    this.#sequence = sequence;
  }

  /** A name that nothing else on the servers has: a sequence must not meet the objects of another one, or of the last run. */
  name(prefix = 'diff'): string {
    return `${prefix}-${randomBytes(5).toString('hex')}`;
  }

  /** An id that nothing has yet. */
  id(): string {
    return randomUUID();
  }

  /** A moment, in seconds from now, with microseconds: `2026-11-21T08:10:29.157001Z`. */
  time(seconds = 0): string {
    return new Date(Date.now() + seconds * 1000).toISOString().replace('Z', '001Z');
  }

  get(path: string, options?: SendOptions): Promise<AnswerBody> {
    return this.send('GET', path, undefined, options);
  }
  post(path: string, body?: Body, options?: SendOptions): Promise<AnswerBody> {
    return this.send('POST', path, body, options);
  }
  put(path: string, body?: Body, options?: SendOptions): Promise<AnswerBody> {
    return this.send('PUT', path, body, options);
  }
  patch(path: string, body?: Body, options?: SendOptions): Promise<AnswerBody> {
    return this.send('PATCH', path, body, options);
  }
  delete(path: string, body?: Body, options?: SendOptions): Promise<AnswerBody> {
    return this.send('DELETE', path, body, options);
  }

  /** One request with each of the bodies, in order; gives the real answers. */
  async each(method: string, path: string, bodies: readonly Body[], options?: SendOptions): Promise<AnswerBody[]> {
    const answers: AnswerBody[] = [];
    for (const body of bodies) answers.push(await this.send(method, path, body, options));
    return answers;
  }

  /** One request to each of the paths, in order; gives the real answers. */
  async eachPath(method: string, paths: readonly string[], body?: Body, options?: SendOptions): Promise<AnswerBody[]> {
    const answers: AnswerBody[] = [];
    for (const path of paths) answers.push(await this.send(method, path, body, options));
    return answers;
  }

  /** Sends a request to both and compares; gives the body of the real server. */
  async send(method: string, path: string, body?: Body, options: SendOptions = {}): Promise<AnswerBody> {
    const [real, ours] = await this.#exchange(method, path, body, options);
    return this.#settle(method, path, body, options, real, ours);
  }

  /** For what happens later (stored events, recorded task runs): asks until both answers satisfy `isDone`, then compares. */
  async eventually(isDone: (body: AnswerBody) => boolean, method: string, path: string, body?: Body, options: SendOptions = {}): Promise<AnswerBody> {
    const end = Date.now() + EVENTUALLY_MS;
    for (;;) {
      const [real, ours] = await this.#exchange(method, path, body, options);
      if ((isDone(real.body) && isDone(ours.body)) || Date.now() > end) return this.#settle(method, path, body, options, real, ours);
      await sleep(250);
    }
  }

  async #exchange(method: string, path: string, body: Body, { headers: given = {} }: SendOptions): Promise<[real: WireAnswer, ours: WireAnswer]> {
    const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const headers = { ...(payload !== undefined && { 'content-type': 'application/json' }), ...given };
    // Written back from an answer that was not as the sequence expects.
    if (path.includes('/undefined')) throw new Error(`${method} ${path}: the answer that this path is made of was another than expected`);
    const pairs = this.#pairs;
    pairs.noteSent(`${path} ${typeof payload === 'string' ? payload : ''}`);
    const translated = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, pairs.translateText(value)]));
    return await Promise.all([
      exchange(this.#twins.real, method, path, headers, payload),
      exchange(this.#twins.ours, method, pairs.translatePath(path), translated, typeof payload === 'string' ? pairs.translateBody(payload) : payload),
    ]);
  }

  #settle(method: string, path: string, body: Body, options: SendOptions, real: WireAnswer, ours: WireAnswer): AnswerBody {
    const line = /sequences\/([^/]+\.ts:\d+)/.exec(new Error().stack ?? '')?.[1] ?? '';
    const shown = body === undefined ? '' : typeof body === 'string' ? body : Buffer.isBuffer(body) ? `${body.length} bytes` : JSON.stringify(body);
    this.steps.push({ sequence: this.#sequence, line, method, path, body: shown, status: real.status, differences: this.#compare(real, ours, options) });
    return real.body;
  }

  #compare(real: WireAnswer, ours: WireAnswer, options: SendOptions): Difference[] {
    // Another status brings another body; one difference says it all.
    if (real.status !== ours.status) {
      const shown = ({ status, body }: WireAnswer) => ({ status, body });
      return [{ at: 'status', kind: 'status', real: shown(real), ours: shown(ours) }];
    }
    if (real.status === 0) return [];
    const headers = [...HEADERS, ...(options.compareHeaders ?? [])].flatMap((name) => this.#compareHeader(name, real.headers[name], ours.headers[name]));
    return [...headers, ...compare(real.body, ours.body, 'body', this.#pairs, options)];
  }

  #compareHeader(name: string, real: string | undefined, ours: string | undefined): Difference[] {
    if (name === 'retry-after' && real !== undefined && ours !== undefined) return [];
    return compare(real ?? ABSENT, ours ?? ABSENT, `headers.${name}`, this.#pairs).map((difference) => ({ ...difference, kind: 'headers' }));
  }
}
