import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Launcher } from './launcher.ts';

/* Little memory at rest; everything that protects data as Postgres has it by default. */
const SETTINGS = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: 100,
  shared_buffers: '32MB',
  wal_buffers: '1MB',
  max_wal_size: '256MB',
  min_wal_size: '32MB',
  maintenance_work_mem: '32MB',
  io_method: 'sync',
  huge_pages: 'off',
  jit: 'off',
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_worker_processes: 0,
  max_parallel_workers: 0,
  max_logical_replication_workers: 0,
  autovacuum_worker_slots: 2,
  autovacuum_max_workers: 2,
  random_page_cost: 1.1,
  log_min_messages: 'warning',
  log_line_prefix: '',
};

/** Lines of its log that are kept to explain a death. */
const KEPT_LINES = 10;
const START_TIMEOUT_MS = 30_000;
/** After a crash, Postgres refuses to start while children of its former self still hold its memory. */
const NOT_YET = /pre-existing shared memory block|lock file "postmaster.pid" already exists/;

export interface PostgresProcessOptions {
  program: string;
  launcher: Launcher;
  dataFolder: string;
  socketFolder: string;
  log: (line: string) => void;
}

/** A Postgres that lives as long as this object: when it dies by itself it is started again. */
export class PostgresProcess implements AsyncDisposable {
  readonly #options: PostgresProcessOptions;
  #child: ChildProcess | undefined;
  #lines: string[] = [];
  #closing = false;
  #restarted: Promise<void> = Promise.resolve();
  readonly #endWithParent = () => this.#child?.kill('SIGINT');

  /** Resolves when it accepts connections; one left behind by a killed process is ended before. */
  static async start(options: PostgresProcessOptions): Promise<PostgresProcess> {
    const postgres = new PostgresProcess(options);
    const deadline = Date.now() + START_TIMEOUT_MS;
    await postgres.#startUnless((error) => !NOT_YET.test(String(error)) || Date.now() > deadline);
    process.on('exit', postgres.#endWithParent);
    return postgres;
  }

  private constructor(options: PostgresProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await this.#restarted;
    process.off('exit', this.#endWithParent);
    if (this.#child !== undefined) await end(this.#child.pid, async () => this.#child !== undefined);
  }

  /** Tries until it runs, or throws the error that is hopeless. */
  async #startUnless(isHopeless: (error: unknown) => boolean): Promise<void> {
    for (let delay = 50; !this.#closing; delay = Math.min(delay * 2, 2000)) {
      try {
        return await this.#start();
      } catch (error) {
        if (isHopeless(error)) throw error;
        await sleep(delay);
      }
    }
  }

  async #start(): Promise<void> {
    const { program, launcher, dataFolder, socketFolder } = this.#options;
    await endLeftover(dataFolder);
    await rm(join(socketFolder, '.s.PGSQL.5432.lock'), { force: true });
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [file = program, ...parameters] = [...launcher.prefix, program, '-D', dataFolder, '-k', socketFolder, ...settings];
    // Detached: Ctrl-C reaches the whole group of processes, and we want to drain before the database goes.
    const child = spawn(file, parameters, { ...launcher.identity, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#lines = [];
    createInterface(child.stderr).on('line', (line) => {
      this.#lines = [...this.#lines.slice(1 - KEPT_LINES), line];
    });
    child.on('error', (error) => this.#lines.push(error.message));
    const exited = once(child, 'close').then(() => {
      throw new Error(`Postgres did not start: ${this.#lines.join('\n')}`);
    });
    exited.catch(() => {});
    await Promise.race([exited, isReady(dataFolder, child)]);
    if (hasEnded(child)) await exited;
    this.#child = child;
    child.once('exit', (code, signal) => this.#onExit(signal ?? `code ${code}`));
  }

  #onExit(reason: string): void {
    this.#child = undefined;
    if (this.#closing) return;
    this.#options.log(`The embedded Postgres ended (${reason}) and is started again. ${this.#lines.join('\n')}`.trim());
    let told = '';
    this.#restarted = this.#startUnless((error) => {
      // What keeps it from starting is told once, not at every attempt.
      const reason = String(error);
      if (reason !== told) this.#options.log(`The embedded Postgres cannot be started again yet. ${reason}`);
      told = reason;
      return false;
    });
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Resolves when the process has noted in its lock file that it accepts connections; never where it has ended. */
async function isReady(dataFolder: string, child: ChildProcess): Promise<void> {
  while (!hasEnded(child)) {
    const { pid, status } = await readPidFile(dataFolder);
    if (pid === child.pid && status === 'ready') return;
    await sleep(5);
  }
  await new Promise(() => {});
}

async function readPidFile(dataFolder: string): Promise<{ pid?: number; status?: string }> {
  const text = await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => line.trim());
  return { ...(Number(lines[0]) > 0 && { pid: Number(lines[0]) }), ...(lines[7] !== undefined && { status: lines[7] }) };
}

/**
 * Ends the Postgres that still runs on a data folder whose owner was killed. A lock file that names a process which is no
 * such Postgres (its number was given away again) is removed, or Postgres would refuse to start.
 */
async function endLeftover(dataFolder: string): Promise<void> {
  const { pid } = await readPidFile(dataFolder);
  if (pid === undefined) return;
  const serves = async () => (await commandOf(pid)).includes(dataFolder);
  if (await serves()) await end(pid, serves);
  else if ((await commandOf(pid)) !== '') await rm(join(dataFolder, 'postmaster.pid'), { force: true });
}

/** Fast shutdown; less and less politely as time goes by. Resolves when the process is gone. */
async function end(pid: number | undefined, isAlive: () => Promise<boolean>): Promise<void> {
  if (pid === undefined) return;
  for (const [signal, patience] of [['SIGINT', 15_000], ['SIGQUIT', 5_000], ['SIGKILL', 5_000]] as const) {
    if (!(await isAlive())) return;
    kill(pid, signal);
    for (const deadline = Date.now() + patience; Date.now() < deadline && (await isAlive()); ) await sleep(10);
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** The command line of a process; empty where there is none. */
async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).then(({ stdout }) => stdout.trim(), () => '');
}
