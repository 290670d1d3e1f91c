/// <reference lib="dom" />
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, ConsoleMessage, Page, Request, Response } from 'playwright-core';

/** Where the pictures go; not part of the repository. */
const SCREENSHOTS = path.join(import.meta.dirname, '..', '..', '.cache', 'screenshots');

/** A page is done when it shows something and has asked for nothing during this time. */
const QUIET_MS = 200;
const PATIENCE_MS = 30_000;

/** Pictures that the second application asks for under names and at places that Prefect's server does not have either. */
const MISSING_PICTURES = /\/(?:(?:ico\/undefined|cancelled|completed|crashed|failed|paused|pending|running|scheduled)\.svg|favicon-\d+x\d+(?:-dark)?\.png)$/;
/** Analytics that the second application starts before it knows whether it may; our policy stops them. */
const ANALYTICS = /amplitude\.com/;

const PIXEL = { contentType: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg"/>' };

/** Somebody who looks at pages of one server, and notes what goes wrong: failed requests, errors in the console, calls to others. */
export class Visitor implements AsyncDisposable {
  readonly page: Page;
  /** Since the last call of `takeProblems`. */
  #problems: string[] = [];
  readonly #gone = new Set<string>();
  readonly #pending = new Set<Request>();
  #lastSign = performance.now();
  readonly #origin: string;
  readonly #name: string;

  private constructor(page: Page, origin: string, name: string) {
    this.page = page;
    this.#origin = origin;
    this.#name = name;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('request', (request) => this.#begin(request));
    page.on('requestfinished', (request) => this.#end(request));
    page.on('requestfailed', (request) => this.#end(request));
    page.on('response', (response) => void this.#judge(response));
    page.on('console', (message) => this.#hear(message));
    page.on('pageerror', (error) => this.#problems.push(`uncaught: ${error.message}`));
  }

  /** `name` begins the names of the screenshots. */
  static async enter(browser: Browser, origin: string, name: string): Promise<Visitor> {
    await mkdir(SCREENSHOTS, { recursive: true });
    const context = await browser.newContext({ viewport: { width: 1400, height: 1000 } });
    const page = await context.newPage();
    const visitor = new Visitor(page, origin, name);
    await context.route((url) => url.origin !== origin && url.protocol.startsWith('http'), async (route) => {
      // Pictures may be anywhere; nothing else leaves the page.
      if (route.request().resourceType() !== 'image') visitor.#problems.push(`called another host: ${route.request().url()}`);
      await route.fulfill(PIXEL);
    });
    return visitor;
  }

  #begin(request: Request): void {
    this.#pending.add(request);
    this.#lastSign = performance.now();
  }

  #end(request: Request): void {
    this.#pending.delete(request);
    this.#lastSign = performance.now();
  }

  async #judge(response: Response): Promise<void> {
    if (response.status() < 400 || MISSING_PICTURES.test(response.url())) return;
    if (response.status() === 404 && [...this.#gone].some((id) => response.url().includes(id))) return;
    const request = response.request();
    const answer = await response.text().catch(() => '');
    this.#problems.push(`${request.method()} ${response.url()} ${request.postData() ?? ''}: ${response.status()} ${answer.slice(0, 300)}`);
  }

  #hear(message: ConsoleMessage): void {
    // What failed to load is told better by its response.
    const isKnown = ANALYTICS.test(message.text()) || message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isKnown) this.#problems.push(`console: ${message.text()}`);
  }

  /** From now on a thing may be missing: the applications ask once more for what they have just deleted. */
  expectGone(id: string): void {
    this.#gone.add(id);
  }

  /** What went wrong since the last time. */
  takeProblems(): string[] {
    const problems = this.#problems;
    this.#problems = [];
    return problems;
  }

  /** Opens an address as a browser does, from nothing: pages that are left in the middle of their work complain. */
  async open(address: string): Promise<void> {
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
    await this.page.context().close();
  }
}
