import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { findFreePort } from './ports.ts';

/** True where tests can start a Redis of their own. */
export async function isRedisServerInstalled(): Promise<boolean> {
  return await promisify(execFile)('redis-server', ['--version']).then(() => true, () => false);
}

/** A private redis-server with an append-only file, which a test may kill and start again. */
export class RedisServer implements AsyncDisposable {
  readonly url: string;
  readonly #port: number;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string) {
    this.#port = port;
    this.#folder = folder;
    this.url = `redis://127.0.0.1:${port}`;
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await findFreePort(), await mkdtemp(join(tmpdir(), 'praetor-redis-')));
    await server.restart();
    return server;
  }

  /** Starts it again on the data that it had; resolves when it answers. */
  async restart(): Promise<void> {
    this.#process = spawn('redis-server', ['--port', String(this.#port), '--dir', this.#folder, '--appendonly', 'yes', '--save', ''], { stdio: 'ignore' });
    await this.#ask(async (redis) => void (await redis.ping()));
  }

  /** Forgets all that it holds. */
  async flush(): Promise<void> {
    await this.#ask(async (redis) => void (await redis.flushall()));
  }

  async #ask(question: (redis: Redis) => Promise<void>): Promise<void> {
    const redis = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    redis.on('error', () => {});
    await question(redis);
    redis.disconnect();
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
