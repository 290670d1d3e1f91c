import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Child } from './child.ts';
import { type Front, startFront } from './front.ts';
import { until } from './poll.ts';
import { findFreePort } from './ports.ts';

/** The services beside the gateway. */
export const WORKERS = ['broadcaster', 'event-persister', 'task-run-recorder', 'automations', 'scheduler', 'late-runs', 'foreman', 'lease-cleanup', 'retention'] as const;
export type ServiceName = (typeof WORKERS)[number] | 'api-gateway';

export interface ClusterOptions {
  databaseUrl: string;
  redisUrl: string;
  redisKeyPrefix?: string;
  gateways?: number;
  /** Copies of each worker service. */
  workers?: number;
  /** Where the gateways are reached together; default: any free port of this machine. */
  host?: string;
  port?: number;
  basePath?: string;
  /** Connections of each process. Twenty pools of the default size are more than a Postgres takes as it comes. */
  poolSizes?: PoolSizes;
  /** Further settings, for every process. */
  env?: NodeJS.ProcessEnv;
  /** Keeps what the processes print in this folder; `inherit` prints it; default: a folder that is removed at the end. */
  logs?: string;
}

export interface PoolSizes {
  gateway: number;
  worker: number;
}
export const POOL_SIZES: PoolSizes = { gateway: 10, worker: 4 };

interface Member {
  child: Child;
  /** Where it listens, for gateways and broadcasters. */
  port: number;
  /** Where it says whether it is ready. */
  readyUrl: string;
}

/**
 * Every service as processes of its own, the gateways behind one port: the scaled-out system for development and for the
 * failure tests, which kill members and start others. Nothing is restarted by itself.
 */
export class Cluster implements AsyncDisposable {
  readonly #options: ClusterOptions;
  readonly #members: Member[] = [];
  #front: Front | undefined;
  #logs: string | undefined;

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Resolves when every process is ready. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { gateways = 2, workers = 2, host = '127.0.0.1', port = 0, logs } = this.#options;
    this.#logs = logs ?? (await mkdtemp(path.join(tmpdir(), 'praetor-cluster-')));
    this.#front = await startFront({ host, port }, { gateways: () => this.#ports('api-gateway'), broadcasters: () => this.#ports('broadcaster') });
    // The first one migrates; were they all to start at once, the others would only wait for it and burn a small machine.
    await this.startMember('api-gateway');
    const rest: ServiceName[] = [...Array.from({ length: gateways - 1 }, () => 'api-gateway' as const), ...Array.from({ length: workers }, () => WORKERS).flat()];
    await Promise.all(rest.map((service) => this.startMember(service)));
  }

  /** The API's base URL, for PREFECT_API_URL. */
  get apiUrl(): string {
    const { host = '127.0.0.1', basePath = '/api' } = this.#options;
    return `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${this.#front?.port}${basePath}`;
  }

  /** The running processes of a service, oldest first. */
  members(service: ServiceName): readonly Child[] {
    return this.#living(service).map(({ child }) => child);
  }

  #living(service: ServiceName): readonly Member[] {
    return this.#members.filter(({ child }) => child.name === service && child.isRunning);
  }

  #ports(service: ServiceName): number[] {
    return this.#living(service).map(({ port }) => port);
  }

  /** Starts one more process of a service; resolves when it is ready. */
  async startMember(service: ServiceName): Promise<Child> {
    const { databaseUrl, redisUrl, redisKeyPrefix, poolSizes = POOL_SIZES, env } = this.#options;
    const [port, metricsPort] = [await findFreePort(), await findFreePort()];
    const child = new Child({
      program: { service },
      logFile: this.#logs === 'inherit' ? undefined : path.join(this.#logs ?? tmpdir(), `${service}-${port}.log`),
      env: {
        PREFECT_SERVER_DATABASE_CONNECTION_URL: databaseUrl,
        PRAETOR_REDIS_URL: redisUrl,
        ...(redisKeyPrefix !== undefined && { PRAETOR_REDIS_KEY_PREFIX: redisKeyPrefix }),
        PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE: String(service === 'api-gateway' ? poolSizes.gateway : poolSizes.worker),
        ...env,
        PREFECT_SERVER_API_HOST: '127.0.0.1',
        PREFECT_SERVER_API_PORT: String(port),
        PRAETOR_METRICS_HOST: '127.0.0.1',
        PRAETOR_METRICS_PORT: String(metricsPort),
      },
    });
    const readyUrl = `http://127.0.0.1:${metricsPort}/ready`;
    this.#members.push({ child, port, readyUrl });
    await child.ready(readyUrl);
    return child;
  }

  /** Resolves when each process says that it is ready, or each that it is not. */
  async says(isReady: boolean): Promise<void> {
    const status = isReady ? 200 : 503;
    const members = this.#members.filter(({ child }) => child.isRunning);
    await Promise.all(members.map(({ child, readyUrl }) => until(`${child.name} answers ${status} at ${readyUrl}`, async () => await fetch(readyUrl).then((response) => response.status === status, () => false), 60)));
  }

  /** Kills the oldest process of a service and starts another; resolves when that is ready. */
  async killOne(service: ServiceName): Promise<void> {
    await this.members(service)[0]?.stop('SIGKILL');
    await this.startMember(service);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#front?.[Symbol.asyncDispose]();
    await Promise.all(this.#members.map(({ child }) => child.stop()));
    if (this.#logs !== undefined && this.#options.logs === undefined) await rm(this.#logs, { recursive: true, force: true });
  }
}
