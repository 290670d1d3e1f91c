import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type WriteStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { parseEnv } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import { until } from './poll.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const READY_SECONDS = 90;

export interface ChildOptions {
  /** `services/<service>/src/main.ts`, or what `pnpm <script>` runs. */
  program: { service: string } | { script: keyof typeof packageJson.scripts };
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Takes what it prints; default: our own output. */
  logFile?: string | undefined;
  /** Who it runs as; default: who we are. */
  user?: { uid: number; gid: number } | undefined;
}

interface Command {
  name: string;
  env: NodeJS.ProcessEnv;
  /** Of Node. */
  args: readonly string[];
}

/** A script of package.json, `NAME=value… node argument…`: its own process, not a shell's or pnpm's, which would not pass on every signal. */
function readScript(script: keyof typeof packageJson.scripts): Command {
  const words = packageJson.scripts[script].split(' ');
  const start = words.indexOf('node');
  if (start < 0) throw new Error(`the script ${script} of package.json does not run node`);
  return { name: `pnpm ${script}`, env: parseEnv(words.slice(0, start).join('\n')), args: words.slice(start + 1) };
}

function readProgram(program: ChildOptions['program']): Command {
  return 'script' in program ? readScript(program.script) : { name: program.service, env: {}, args: [path.join('services', program.service, 'src', 'main.ts')] };
}

/** A server process of ours. */
export class Child implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #logFile: string | undefined;
  /** Resolves when the process is gone and its log is written. */
  readonly exited: Promise<unknown>;

  constructor({ program, args = [], env = {}, logFile, user }: ChildOptions) {
    const command = readProgram(program);
    this.name = command.name;
    this.#logFile = logFile;
    this.#process = spawn(process.execPath, [...command.args, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...command.env, ...env },
      ...user,
      stdio: ['ignore', logFile === undefined ? 'inherit' : 'pipe', logFile === undefined ? 'inherit' : 'pipe'],
    });
    const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' });
    if (log) for (const output of [this.#process.stdout, this.#process.stderr]) output?.pipe(log, { end: false });
    this.exited = this.#end(log);
  }

  async #end(log: WriteStream | undefined): Promise<void> {
    await once(this.#process, 'close');
    if (log) await finished(log.end());
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
    await this.#until(`is ready at ${url}`, async () => await fetch(url).then((response) => response.ok, () => false));
  }

  /** Resolves when its log file has this text; throws when the process ends before. */
  async says(text: string): Promise<void> {
    await this.#until(`says ${text}`, async () => (await readFile(this.#logFile ?? '', 'utf8').catch(() => '')).includes(text));
  }

  async #until(what: string, ask: () => Promise<boolean>): Promise<void> {
    await until(`${this.name} ${what}`, async () => {
      if (!this.isRunning) throw new Error(`${this.name} ended with ${String(this.exitCode)} before it ${what}`);
      return await ask();
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
