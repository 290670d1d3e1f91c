import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from 'kysely';
import { Registry } from 'prom-client';
import { type Database, connect } from '@praetor/database/connect';
import { createLogger } from '@praetor/runtime/logger';
import { parseJson } from '@praetor/schema/json';
import { parseSettings, type Settings } from '@praetor/schema/settings';
import type { Broker } from '@praetor/streams/broker';
import type { Topic } from '@praetor/streams/topics';
import { Api } from '@praetor/test/support/api';
import { createApp } from '../src/app.ts';
import { addBundledBlockTypes } from '../src/block-types/bundled.ts';

const SERVER = process.env['PRAETOR_TEST_POSTGRES_URL'] ?? 'postgresql://postgres@127.0.0.1:5432';

const open = (name: string) => connect(`${SERVER}/${name}`, { poolSize: 8, statementTimeoutSeconds: 30, applicationName: 'api-gateway-test' });

/** The gateway on a database of its own, behind a real socket; what it publishes is collected. */
export interface TestGateway extends AsyncDisposable {
  readonly api: Api;
  readonly database: Database;
  readonly published: Record<Topic, unknown[]>;
}

export async function startGateway(environment: Record<string, string> = {}): Promise<TestGateway> {
  const name = `gateway_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  const maintenance = open('postgres');
  await sql`create database ${sql.id(name)} template praetor_template`.execute(maintenance.kysely);
  const database = open(name);
  await addBundledBlockTypes(database.sql);
  const published: Record<Topic, unknown[]> = { events: [], logs: [] };
  const settings: Settings = parseSettings({ PREFECT_SERVER_LOGGING_LEVEL: 'CRITICAL', ...environment });
  const broker: Pick<Broker, 'publish'> = {
    publish: async (topic, messages) => {
      published[topic].push(...messages.map(parseJson));
    },
  };
  const server = createServer(
    // A gateway's handlers use no more of the context than this.
    createApp({ settings, database, broker, logger: createLogger('api-gateway', settings), registry: new Registry() } as unknown as Parameters<typeof createApp>[0]),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    api: new Api(`http://127.0.0.1:${port}/api`),
    database,
    published,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await database[Symbol.asyncDispose]();
      await sql`drop database ${sql.id(name)} with (force)`.execute(maintenance.kysely);
      await maintenance[Symbol.asyncDispose]();
    },
  };
}
