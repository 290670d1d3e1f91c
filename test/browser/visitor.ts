/// <reference lib="dom" />
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserContext, ConsoleMessage, Page, Request, Response } from 'playwright-core';

/** Where the pictures go; not part of the repository. */
const SCREENSHOTS = path.join(import.meta.dirname, '..', '..', '.cache', 'screenshots');

/** A page is done when it shows something and has asked for nothing during this time. */
const QUIET_MS = 200;
const PATIENCE_MS = 30_000;

/** Pictures that the second application asks for under names and at places that Prefect's server does not have either. */
const MISSING_PICTURES = /\/(?:(?:ico\/undefined|cancelled|cancelling|completed|crashed|failed|paused|pending|running|scheduled)\.svg|favicon-\d+x\d+(?:-dark)?\.png)$/;
/** Analytics that the second application starts before it knows whether it may; our policy stops them. */
const ANALYTICS = /amplitude\.com/;

export interface Visit {
  /** The server's. */
  origin: string;
  /** Begins the names of the screenshots. */
  name: string;
  /** What `allowMissing` has allowed, to everybody who looks at the same server. */
  missing: Set<string>;
}

/** The request that an application complains of: its errors hold it. */
async function describeFailedRequest(message: ConsoleMessage): Promise<{ url: string; status: number }> {
  const read = (error: unknown) => {
    const part = (value: unknown, name: string): unknown => Reflect.get(Object(value), name);
    return { url: String(part(part(error, 'config'), 'url') ?? ''), status: Number(part(part(error, 'response'), 'status') ?? 0) };
  };
  const described = await message.args()[0]?.evaluate(read).catch(() => undefined);
  return described ?? { url: '', status: 0 };
}

/** Somebody who looks at pages of one server, and notes what goes wrong: failed requests, errors in the console, calls to others. */
export class Visitor implements AsyncDisposable {
  readonly page: Page;
  /** Since the last call of `takeProblems`. */
  #problems: string[] = [];
  #judgements: Promise<void>[] = [];
  readonly #pending = new Set<Request>();
  #lastSign = performance.now();
  readonly #origin: string;
  readonly #name: string;
  readonly #missing: Set<string>;

  private constructor(page: Page, { origin, name, missing }: Visit) {
    this.page = page;
    this.#origin = origin;
    this.#name = name;
    this.#missing = missing;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('request', (request) => this.#begin(request));
    page.on('requestfinished', (request) => this.#end(request));
    page.on('requestfailed', (request) => this.#end(request));
    page.on('response', (response) => this.#judgements.push(this.#judge(response)));
    page.on('console', (message) => this.#judgements.push(this.#hear(message)));
    page.on('pageerror', (error) => this.#problems.push(`uncaught: ${error.message}`));
  }

  /** Opens a page in a context, whose other pages have filled its cache. */
  static async enter(context: BrowserContext, visit: Visit): Promise<Visitor> {
    await mkdir(SCREENSHOTS, { recursive: true });
    return new Visitor(await context.newPage(), visit);
  }

  #begin(request: Request): void {
    this.#pending.add(request);
    this.#lastSign = performance.now();
    // Pictures may be anywhere; nothing else leaves the page.
    const { protocol, origin } = new URL(request.url());
    const leaves = protocol.startsWith('http') && origin !== this.#origin && request.resourceType() !== 'image';
    if (leaves) this.#problems.push(`called another host: ${request.url()}`);
  }

  #end(request: Request): void {
    this.#pending.delete(request);
    this.#lastSign = performance.now();
  }

  async #judge(response: Response): Promise<void> {
    if (response.status() < 400 || MISSING_PICTURES.test(response.url())) return;
    if (this.#mayBeMissing(response.url(), response.status())) return;
    const request = response.request();
    const answer = await response.text().catch(() => '');
    this.#problems.push(`${request.method()} ${response.url()} ${request.postData() ?? ''}: ${response.status()} ${answer.slice(0, 300)}`);
  }

  async #hear(message: ConsoleMessage): Promise<void> {
    // What failed to load is told better by its response.
    const isKnown = ANALYTICS.test(message.text()) || message.text().startsWith('Failed to load resource');
    if (message.type() !== 'error' || isKnown) return;
    const failed = await describeFailedRequest(message);
    if (!this.#mayBeMissing(failed.url, failed.status)) this.#problems.push(`console: ${message.text()} ${failed.url}`);
  }

  #mayBeMissing(url: string, status: number): boolean {
    return status === 404 && [...this.#missing].some((id) => url.includes(id));
  }

  /** From now on a thing may be missing: the applications ask once more for what was just deleted, and whether a name is free. */
  allowMissing(id: string): void {
    this.#missing.add(id);
  }

  /** What went wrong since the last time. */
  async takeProblems(): Promise<string[]> {
    await Promise.all(this.#judgements.splice(0));
    const problems = this.#problems;
    this.#problems = [];
    return problems;
  }

  /** Opens an address as a browser does, from nothing. */
  async open(address: string): Promise<void> {
    // Pages that are left in the middle of their work complain: the last one may end its own, and what it says then does not count.
    if (this.page.url().startsWith(this.#origin)) await this.settle();
    const known = this.#problems.length;
    this.page.once('framenavigated', () => this.#problems.splice(known));
    await this.page.goto(this.#origin + address);
    await this.settle();
  }

  /** Resolves when the page shows something and is quiet. Throws where that does not happen. */
  async settle(): Promise<void> {
    await this.page.waitForFunction(() => (document.querySelector('main') ?? document.querySelector('#app, #root'))?.textContent.trim() !== '', undefined, { polling: 100 });
    const start = performance.now();
    while (this.#pending.size > 0 || performance.now() - this.#lastSign < QUIET_MS) {
      if (performance.now() - start > PATIENCE_MS) throw new Error(`${this.page.url()} waits for ${[...this.#pending].map((request) => request.url()).join(' ') || 'nothing'}`);
      await sleep(50);
    }
  }

  async photograph(name: string): Promise<void> {
    await this.page.screenshot({ path: path.join(SCREENSHOTS, `${this.#name}-${name}.png`) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close();
  }
}
