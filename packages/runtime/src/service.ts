import type { Database } from '@praetor/database/connect';
import type { Settings } from '@praetor/schema/settings';
import type { Broker } from '@praetor/streams/broker';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Health } from './health.ts';
import type { Ticker } from './ticker.ts';

/** What every service is given: connections and instruments, opened and closed by its process. */
export interface ServiceContext {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly database: Database;
  readonly broker: Broker;
  readonly ticker: Ticker;
  /** Where the service registers its metrics. */
  readonly registry: Registry;
  readonly health: Health;
}

/** A service does its work until the signal aborts, drains what it holds, and resolves. */
export interface Service {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

export type CreateService = (context: ServiceContext) => Service;
