import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { until } from './poll.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const READY_SECONDS = 90;

export interface ChildOptions {
  /** `services/<service>/src/main.ts`. */
  service: string;
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Takes what it prints; default: our own output. */
  logFile?: string | undefined;
}

/** A server process of ours. */
export class Child implements AsyncDisposable {
  readonly service: string;
  readonly #process: ChildProcess;
  /** Resolves when the process is gone. */
  readonly exited: Promise<unknown>;

  constructor({ service, args = [], env = {}, logFile }: ChildOptions) {
    this.service = service;
    this.#process = spawn(process.execPath, [path.join('services', service, 'src', 'main.ts'), ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', logFile === undefined ? 'inherit' : 'pipe', logFile === undefined ? 'inherit' : 'pipe'],
    });
    this.exited = once(this.#process, 'close');
    if (logFile !== undefined) {
      const log = createWriteStream(logFile, { flags: 'a' });
      this.#process.stdout?.pipe(log, { end: false });
      this.#process.stderr?.pipe(log, { end: false });
      this.#process.once('close', () => log.end());
    }
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  get exitCode(): number | null {
    return this.#process.exitCode;
  }

  /** Resolves when this URL answers 200; throws when the process ends before. */
  async ready(url: string): Promise<void> {
    await until(`${this.service} is ready at ${url}`, async () => {
      if (!this.isRunning) throw new Error(`${this.service} ended with ${String(this.exitCode)} before it was ready`);
      return await fetch(url).then((response) => response.ok, () => false);
    }, READY_SECONDS);
  }

  /** Ends the process with a signal; resolves when it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.isRunning) this.#process.kill(signal);
    await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
