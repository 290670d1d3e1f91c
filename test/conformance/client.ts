import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { PrefectInstallation } from '@praetor/test/support/prefect';

const SCENARIOS = path.join(import.meta.dirname, 'scenarios');

/** One finding that a scenario printed (scenarios/report.py). */
// The scenarios report what they like; the tests assert on the values.
// oxlint-disable-next-line no-explicit-any
export type Report = { name: string } & Record<string, any>;

function readReports(output: string): Report[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('REPORT '))
    .map((line) => JSON.parse(line.slice('REPORT '.length)) as Report);
}

/** The real Prefect client, with a home of its own, pointed at one server. */
export class PrefectClient implements AsyncDisposable {
  readonly #installation: PrefectInstallation;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #home: string;
  readonly #running: ChildProcess[] = [];

  private constructor(installation: PrefectInstallation, apiUrl: string, home: string) {
    this.#installation = installation;
    this.#home = home;
    this.#environment = {
      ...process.env,
      PREFECT_API_URL: apiUrl,
      PREFECT_HOME: home,
      PREFECT_RUNNER_POLL_FREQUENCY: '1',
      PREFECT_WORKER_QUERY_SECONDS: '1',
      PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
      PREFECT_CLI_COLORS: 'false',
      DO_NOT_TRACK: '1',
      COLUMNS: '200',
      PATH: `${path.dirname(installation.prefect)}:${process.env.PATH ?? ''}`,
    };
  }

  static async create(installation: PrefectInstallation, apiUrl: string): Promise<PrefectClient> {
    return new PrefectClient(installation, apiUrl, await mkdtemp(path.join(tmpdir(), 'praetor-client-')));
  }

  async #finish(command: string, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
    const child = spawn(command, args, { cwd: SCENARIOS, env: { ...this.#environment, ...environment }, stdio: ['ignore', 'pipe', 'pipe'], timeout: 600_000 });
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    if (code !== 0) throw new Error(`${path.basename(command)} ${args.join(' ')} ended with ${String(code)}\n${output}\n${errors}`);
    return output;
  }

  /** Runs a scenario to its end; gives what it reported. Fails with its output when it fails. */
  async run(scenario: string, args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): Promise<Report[]> {
    return readReports(await this.#finish(this.#installation.python, [scenario, ...args], environment));
  }

  /** Runs a command of the CLI to its end; gives its output. */
  cli(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
    return this.#finish(this.#installation.prefect, ['--no-prompt', ...args], environment);
  }

  #start(command: string, args: readonly string[]): ChildProcess & { output: () => string } {
    const child = spawn(command, args, { cwd: SCENARIOS, env: this.#environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    this.#running.push(child);
    return Object.assign(child, { output: () => output });
  }

  /** Starts a scenario that goes on until the client is closed. */
  startScenario(scenario: string, ...args: string[]) {
    return this.#start(this.#installation.python, [scenario, ...args]);
  }

  /** Starts a command of the CLI that goes on until the client is closed. */
  startCli(...args: string[]) {
    return this.#start(this.#installation.prefect, ['--no-prompt', ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) {
      if (child.exitCode !== null || child.pid === undefined) continue;
      const closed = once(child, 'close');
      // Runners have children of their own: the whole group goes.
      process.kill(-child.pid, 'SIGKILL');
      await closed;
    }
    await rm(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }
}
